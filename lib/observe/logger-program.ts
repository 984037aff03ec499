/** util-linux's `logger`: it speaks to syslog for us, since Node has no datagrams for Unix sockets. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { Writable } from 'node:stream';

const PROGRAM = 'logger';
/** Longer lines become several messages, bytes. Datagrams may be three times as large where nobody changed that. */
const MESSAGE_BYTES = 65_536;
/** What is kept of its complaints, characters. */
const MAX_COMPLAINT = 1_000;
/** How long it may take to say which version it is, ms. */
const PATIENCE_MS = 5_000;
const CANNOT_START = `${PROGRAM} cannot be started`;

/** @throws Error with the reason when there is none that we can use */
export function requireLogger(): void {
  const { error, stdout } = spawnSync(PROGRAM, ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PATIENCE_MS,
  });
  if (error) throw error;
  // Others, busybox's for one, take neither a socket nor a size.
  if (!stdout.includes('util-linux')) throw new Error('the one that is here is another');
}

export interface RunningLogger {
  /** Null when it was not wanted, or could not be had: then `ended` says so. */
  readonly stdin: Writable | null;
  /** Resolves when it has ended: with the reason, where that is not the end of its input. */
  readonly ended: Promise<Error | null>;
  /** Ends it at once. */
  kill(): void;
}

/**
 * Starts one that sends each line of its input to a socket, by datagrams or as a stream, whichever it takes.
 * It ends when the socket is not there, or is gone.
 * @param stdin `ignore` is no line at all: to learn whether somebody listens
 */
export function startLogger(socket: string, stdin: 'pipe' | 'ignore'): RunningLogger {
  const facts = ['--socket', socket, '--socket-errors=on', '--size', String(MESSAGE_BYTES)];
  let child: ChildProcess;
  try {
    child = spawn(PROGRAM, [...facts, '--tag', 'hipache', '--priority', 'local0.info'], {
      stdio: [stdin, 'ignore', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
      // An interrupt from the terminal is for the master: what is under way then is still to be logged.
      detached: true,
    });
  } catch (cause) {
    // For want of memory, for example.
    return { stdin: null, ended: Promise.resolve(new Error(CANNOT_START, { cause })), kill: () => {} };
  }
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-MAX_COMPLAINT);
  });
  // Whether a write failed is told where it was asked for.
  child.stdin?.on('error', () => {});
  const ended = new Promise<Error | null>((resolve) => {
    child.once('error', (cause) => resolve(new Error(CANNOT_START, { cause })));
    child.once('close', (code, signal) => resolve(code === 0 ? null : new Error(reasonOf(complaint, code, signal))));
  });
  return { stdin: child.stdin, ended, kill: () => child.kill('SIGKILL') };
}

/** The last that it said, without its name. */
function reasonOf(complaint: string, code: number | null, signal: NodeJS.Signals | null): string {
  const said = complaint
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^logger: /, '');
  return said || `logger ended with ${signal ?? code}`;
}

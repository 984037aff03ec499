/** Runs util-linux's `logger`, which sends lines to syslog, since Node cannot send datagrams to Unix sockets. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { Writable } from 'node:stream';

const PROGRAM = 'logger';
/** Longer lines become several messages, bytes. The kernel's default allows three times as much per datagram. */
const MESSAGE_BYTES = 65_536;
/** How many characters of its error output are kept. */
const MAX_COMPLAINT = 1_000;
/** How long `logger --version` may take, ms. */
const PATIENCE_MS = 5_000;
const CANNOT_START = `cannot start ${PROGRAM}`;

/** Checks that util-linux's logger is installed. @throws Error with the reason when it is not */
export function requireLogger(): void {
  const { error, stdout } = spawnSync(PROGRAM, ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PATIENCE_MS,
  });
  if (error) throw error;
  // Other loggers, for example busybox's, support neither --socket nor --size.
  if (!stdout.includes('util-linux')) throw new Error('the installed logger is another program');
}

/** A running logger process. */
export interface RunningLogger {
  /** Null when it was not requested, or when logger could not be started; then `ended` resolves with the reason. */
  readonly stdin: Writable | null;
  /** Resolves when logger has exited: null after the end of its input, else the reason. */
  readonly ended: Promise<Error | null>;
  /** Kills it. */
  kill(): void;
}

/**
 * Starts a logger that sends each line of its input to a socket, as datagrams or a stream, whichever the socket
 * accepts. It exits when the socket is missing or closed.
 * @param stdin `ignore` sends no line: for finding out whether the socket accepts connections
 */
export function startLogger(socket: string, stdin: 'pipe' | 'ignore'): RunningLogger {
  const facts = ['--socket', socket, '--socket-errors=on', '--size', String(MESSAGE_BYTES)];
  let child: ChildProcess;
  try {
    child = spawn(PROGRAM, [...facts, '--tag', 'hipache', '--priority', 'local0.info'], {
      stdio: [stdin, 'ignore', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
      // In a process group of its own: an interrupt from the terminal must not end it before the last lines are sent.
      detached: true,
    });
  } catch (cause) {
    // For example for want of memory.
    return { stdin: null, ended: Promise.resolve(new Error(CANNOT_START, { cause })), kill: () => {} };
  }
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-MAX_COMPLAINT);
  });
  // The callback of `write` reports failed writes.
  child.stdin?.on('error', () => {});
  const ended = new Promise<Error | null>((resolve) => {
    child.once('error', (cause) => resolve(new Error(CANNOT_START, { cause })));
    child.once('close', (code, signal) => resolve(code === 0 ? null : new Error(reasonOf(complaint, code, signal))));
  });
  return { stdin: child.stdin, ended, kill: () => child.kill('SIGKILL') };
}

/** The last line of its error output, without its name. */
function reasonOf(complaint: string, code: number | null, signal: NodeJS.Signals | null): string {
  const said = complaint
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^logger: /, '');
  return said || `logger exited with ${signal ?? code}`;
}

/** The processes of a benchmark: each on its cores, and all ended with it, however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a process may take to end when asked politely, ms. */
const POLITE_MS = 2_000;
/** What a program may print, characters. */
const MAX_OUTPUT = 1_000_000;

/** A program that runs, with all its children: a process group of its own. */
export interface Running {
  readonly pid: number;
  readonly hasEnded: boolean;
  /** What it printed last, for messages. */
  said(): string;
  /** Ends it and its children. */
  stop(): Promise<void>;
}

/** Starts programs and knows those that have not ended. */
export class Processes {
  readonly #folder: string;
  readonly #running = new Set<Running>();
  #count = 0;
  #isClosed = false;

  /** @param folder where their output goes */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether the benchmark is ending: then failures are no news. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Starts a server. Its output goes to a file. @throws when it cannot be run at all */
  async start(command: readonly string[], cores: readonly number[]): Promise<Running> {
    const path = join(this.#folder, `${++this.#count}.log`);
    const log = openSync(path, 'a');
    const child = this.#spawn(command, cores, ['ignore', log, log]);
    closeSync(log);
    return await this.#own(child, () => readFileSync(path, 'utf8').slice(-2000));
  }

  /** Runs a program to its end. @returns what it printed. @throws when it fails, or takes longer than `limitMs` */
  async run(command: readonly string[], cores: readonly number[], limitMs: number): Promise<string> {
    const child = this.#spawn(command, cores, ['ignore', 'pipe', 'pipe']);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-MAX_OUTPUT);
      });
    }
    const closed = once(child, 'close');
    const running = await this.#own(child, () => said);
    const timer = setTimeout(() => void running.stop(), limitMs);
    try {
      await closed;
    } finally {
      clearTimeout(timer);
    }
    if (child.exitCode === 0) return said;
    const how =
      child.exitCode === null ? `was ended after ${limitMs} ms at the latest` : `ended with ${child.exitCode}`;
    throw new Error(`${command[0]} ${how}: ${said.slice(-2000)}`);
  }

  /** Ends all; none can be started any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running].map((each) => each.stop()));
  }

  #spawn(command: readonly string[], cores: readonly number[], stdio: ('ignore' | 'pipe' | number)[]): ChildProcess {
    if (this.#isClosed) throw new Error('the benchmark is ending');
    // taskset becomes the program, so the process has its id.
    return spawn('taskset', ['-c', cores.join(','), ...command], { stdio, detached: true });
  }

  async #own(child: ChildProcess, said: () => string): Promise<Running> {
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const running: Running = {
      pid,
      get hasEnded() {
        return child.exitCode !== null || child.signalCode !== null;
      },
      said,
      stop: async () => {
        if (!running.hasEnded) child.kill('SIGTERM');
        await Promise.race([ended, delay(POLITE_MS, undefined, { ref: false })]);
        // Children whose parent has gone without them, too.
        killGroup(pid);
        await ended;
      },
    };
    this.#running.add(running);
    void ended.then(() => this.#running.delete(running));
    guard(child);
    return running;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}

/**
 * Ends the group also when this process is killed without a word: then the pipe closes, and the shell that reads from
 * it kills the group it was given.
 */
function guard(child: ChildProcess): void {
  // dash takes no `--` after `-9`.
  const script = 'read _; kill -s KILL -- "-$1"';
  const watcher = spawn('sh', ['-c', script, 'guard', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A terminal's Ctrl-C is for us.
    detached: true,
  });
  watcher.once('error', () => {});
  watcher.stdin.once('error', () => {});
  child.once('exit', () => watcher.kill('SIGKILL'));
}

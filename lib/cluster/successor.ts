import { type ChildProcess, spawn } from 'node:child_process';
import { namedForStarter } from './inherited.ts';
import type { HandedSocket } from './sockets.ts';

/** What a master says to the one it takes over from. Older and newer versions of the program understand it. */
export interface ToPredecessor {
  readonly type: 'upgraded';
}

/** Another master, started from the files on disk as this one was, with our sockets. */
export class Successor {
  readonly #child: ChildProcess;
  /** Resolves when it serves. Rejects with why it does not. */
  readonly ready: Promise<void>;

  /** @param limitMs it is ended when it does not serve by then */
  constructor(sockets: readonly HandedSocket[], limitMs: number) {
    const fds = sockets.map(({ fd }) => fd);
    const env: NodeJS.ProcessEnv = { ...process.env, SERVER_STARTER_PORT: namedForStarter(sockets) };
    // It was said of us.
    delete env['WATCHDOG_PID'];
    const [program, ...args] = process.argv;
    this.#child = spawn(program as string, [...process.execArgv, ...args], {
      env,
      stdio: ['inherit', 'inherit', 'inherit', ...fds, 'ipc'],
    });
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.kill();
        reject(new Error(`it did not serve within ${limitMs / 1000} s`));
      }, limitMs);
      const settle = (act: () => void) => (): void => {
        clearTimeout(timer);
        act();
      };
      this.#child.once('message', settle(resolve));
      this.#child.once('error', (error) => settle(() => reject(error))());
      this.#child.once('exit', (code, signal) => settle(() => reject(new Error(`it ended (${signal ?? code})`)))());
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Lets it go its own way. */
  release(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }
}

/** Tells whoever started us, if it waits for that, that its work is ours now. */
export function tellPredecessor(): void {
  if (!process.connected) return;
  process.send?.({ type: 'upgraded' } satisfies ToPredecessor, undefined, undefined, () => process.disconnect());
}

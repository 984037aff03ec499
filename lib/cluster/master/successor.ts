import { type ChildProcess, spawn } from 'node:child_process';
import { handCertificates, PAIRS_ENVIRONMENT } from './handed-certificates.ts';
import { type Inheritance, HANDOVER, handOverSnapshot } from './snapshot-handover.ts';
import { namedForStarter } from './inherited.ts';
import type { LastGoodCertificate } from './last-good-certificates.ts';
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

  /**
   * @param known what it is to know of Redis, and certificates that were good last
   * @param limitMs it is ended when it does not serve by then
   */
  constructor(
    sockets: readonly HandedSocket[],
    { estate, pairs }: { readonly estate: Inheritance; readonly pairs: readonly LastGoodCertificate[] },
    limitMs: number,
  ) {
    const fds = sockets.map(({ fd }) => fd);
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...HANDOVER,
      ...PAIRS_ENVIRONMENT,
      SERVER_STARTER_PORT: namedForStarter(sockets),
    };
    // It was said of us.
    delete env['WATCHDOG_PID'];
    const [program, ...args] = process.argv;
    this.#child = spawn(program as string, [...process.execArgv, ...args], {
      env,
      stdio: ['inherit', 'inherit', 'inherit', ...fds, 'ipc'],
    });
    handCertificates(this.#child, pairs);
    void handOverSnapshot(this.#child, estate);
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.kill();
        reject(new Error(`the new program did not serve within ${limitMs / 1000} s`));
      }, limitMs);
      const settle = (act: () => void) => (): void => {
        clearTimeout(timer);
        act();
      };
      this.#child.once('message', settle(resolve));
      this.#child.once('error', (error) => settle(() => reject(error))());
      this.#child.once('exit', (code, signal) => {
        const how = signal ? `was killed by ${signal}` : `exited with code ${code}`;
        settle(() => reject(new Error(`the new program ${how}: its own lines on standard error say why`)))();
      });
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

import { type ChildProcess, spawn } from 'node:child_process';
import { handCertificates, PAIRS_ENVIRONMENT } from './handed-certificates.ts';
import { type Inheritance, HANDOVER, handOverSnapshot } from './snapshot-handover.ts';
import { namedForStarter } from './inherited.ts';
import type { LastGoodCertificate } from './last-good-certificates.ts';
import type { HandedSocket } from './sockets.ts';

/** What a master sends to its predecessor. Other versions of the program understand it. */
export interface ToPredecessor {
  readonly type: 'upgraded';
}

/** A new master process, started from disk with the same arguments and the listening sockets. */
export class Successor {
  readonly #child: ChildProcess;
  /** Resolves when the new program serves. Rejects with the reason when it does not. */
  readonly ready: Promise<void>;

  /**
   * @param known the snapshot and the last good certificates for it
   * @param limitMs it is killed when it does not serve by then
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
    // WATCHDOG_PID names this process.
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
        settle(() => reject(new Error(`the new program ${how}: see its output on standard error`)))();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Disconnects from it, so that this process can exit. */
  release(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }
}

/** Informs the predecessor, if there is one, that this program serves. */
export function tellPredecessor(): void {
  if (!process.connected) return;
  process.send?.({ type: 'upgraded' } satisfies ToPredecessor, undefined, undefined, () => process.disconnect());
}

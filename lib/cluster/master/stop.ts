import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import type { Generations } from './generations.ts';
import type { Sockets } from './sockets.ts';

/** How long after the workers' own limits they are killed, ms. */
const GRACE_MS = 5_000;

/** Stops all workers: within their limits, or at once. */
export class Stop {
  readonly #generations: Generations;
  readonly #sockets: Sockets;
  /** Aborted to stop at once. */
  readonly #patience = new AbortController();

  constructor(generations: Generations, sockets: Sockets) {
    this.#generations = generations;
    this.#sockets = sockets;
  }

  /** Kills what still runs. */
  force(): void {
    this.#generations.kill();
    this.#patience.abort();
  }

  /**
   * Resolves when all workers have exited. Those that exceed their limits by GRACE_MS are killed.
   * @param isLast no other program takes over: load balancers are informed first, and idle clients get less time
   */
  async finish({ server }: Config, isLast: boolean): Promise<void> {
    const { delay: delaySeconds, requests, tunnels } = server.drain;
    if (isLast && delaySeconds > 0) {
      this.#generations.tell({ type: 'unready' });
      await delay(delaySeconds * 1000, undefined, { signal: this.#patience.signal }).catch(() => {});
    }
    const ended = this.#generations.stop(isLast);
    // Workers have copies of the sockets. Without the master's, clients are refused once no worker listens, instead of
    // waiting.
    this.#sockets.keep([]);
    const force = setTimeout(() => this.force(), Math.max(requests, tunnels) * 1000 + GRACE_MS);
    await ended;
    clearTimeout(force);
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import type { Generations } from './generations.ts';
import type { Sockets } from './sockets.ts';

/** Added to the workers' own limits before they are ended by force, ms. */
const GRACE_MS = 5_000;

/** The end of all workers: within their limits, or at once. */
export class Stop {
  readonly #generations: Generations;
  readonly #sockets: Sockets;
  /** Aborted by who wants the end at once. */
  readonly #patience = new AbortController();

  constructor(generations: Generations, sockets: Sockets) {
    this.#generations = generations;
    this.#sockets = sockets;
  }

  /** Ends what has not ended. */
  force(): void {
    this.#generations.kill();
    this.#patience.abort();
  }

  /**
   * Resolves when all has ended; what outlasts the limits by far is ended.
   * @param isLast nobody takes over: load balancers are told first, and idle clients are not waited for
   */
  async finish({ server }: Config, isLast: boolean): Promise<void> {
    const { delay: delaySeconds, requests, tunnels } = server.drain;
    if (isLast && delaySeconds > 0) {
      this.#generations.tell({ type: 'unready' });
      await delay(delaySeconds * 1000, undefined, { signal: this.#patience.signal }).catch(() => {});
    }
    const ended = this.#generations.stop(isLast);
    // Workers have their own; whoever connects from now on is not left waiting in a queue that nobody empties.
    this.#sockets.keep([]);
    const force = setTimeout(() => this.force(), Math.max(requests, tunnels) * 1000 + GRACE_MS);
    await ended;
    clearTimeout(force);
  }
}

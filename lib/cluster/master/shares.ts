import { type Demand, shareOf, SILENT_MS } from '../../core/limits/demand.ts';
import type { Share, ShareDemand } from '../../store/shares.ts';

/** Divides the limits of sites among all workers when routes come from a file. With Redis, routers do it there. */
export class WorkerShares {
  readonly #now: () => number;
  /** What each worker is asked for, by limit. */
  readonly #limits = new Map<string, Map<string, Demand>>();
  #sweptAt = 0;

  /** @param now ms; only differences count */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes what a worker is asked for. @returns its share of each */
  exchange(worker: string, demands: readonly ShareDemand[]): readonly Share[] {
    const now = this.#now();
    this.#sweep(now);
    return demands.map(({ key, asked }) => {
      const workers = this.#limits.get(key) ?? new Map<string, Demand>();
      this.#limits.set(key, workers.set(worker, { asked, at: now }));
      return shareOf(worker, workers, now);
    });
  }

  /** Forgets limits and workers that are silent, once in SILENT_MS. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < SILENT_MS) return;
    this.#sweptAt = now;
    for (const [key, workers] of this.#limits) {
      for (const [worker, { at }] of workers) if (now - at > SILENT_MS) workers.delete(worker);
      if (workers.size === 0) this.#limits.delete(key);
    }
  }
}

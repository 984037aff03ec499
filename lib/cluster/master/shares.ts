import { type Demand, shareOf, SILENT_MS } from '../../core/limits/demand.ts';
import { type PermitShare, permitsOf, type PermitUse } from '../../core/limits/permits.ts';
import type { PermitNeed, Share, ShareDemand } from '../../store/shares.ts';

/** Divides the limits of sites among all workers when routes come from a file. With Redis, routers do it there. */
export class WorkerShares {
  readonly #now: () => number;
  /** What each worker is asked for, by limit. */
  readonly #limits = new Map<string, Map<string, Demand>>();
  /** What each worker uses, by limit of requests in flight. */
  readonly #permits = new Map<string, Map<string, PermitUse>>();
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

  /** Notes what a worker needs. @returns its permits under each limit */
  lease(worker: string, needs: readonly PermitNeed[]): readonly PermitShare[] {
    const now = this.#now();
    this.#sweep(now);
    return needs.map(({ key, limit, wanted, used }) => {
      const workers = this.#permits.get(key) ?? new Map<string, PermitUse>();
      this.#permits.set(key, workers.set(worker, { wanted, taken: used, at: now }));
      const found = permitsOf(worker, limit, workers, now);
      workers.set(worker, { wanted, taken: Math.max(used, found.permits), at: now });
      return found;
    });
  }

  /** Forgets limits and workers that are silent, once in SILENT_MS. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < SILENT_MS) return;
    this.#sweptAt = now;
    forgetSilent(this.#limits, now);
    forgetSilent(this.#permits, now);
  }
}

function forgetSilent(limits: Map<string, Map<string, { readonly at: number }>>, now: number): void {
  for (const [key, workers] of limits) {
    for (const [worker, { at }] of workers) if (now - at > SILENT_MS) workers.delete(worker);
    if (workers.size === 0) limits.delete(key);
  }
}

import { Shares } from '../core/limits/shares.ts';

/** Retries of a site are always granted up to this many at a time: a quiet worker has too few requests to take a share of. */
const ALWAYS = 3;

/**
 * Bounds the retries in flight to a share of the active requests of a worker, so that one tenant whose backends all fail cannot
 * multiply everybody's load. A site may have that share; while some have retries, others have as much as is left of twice that (see `Shares`).
 */
export class RetryBudget {
  readonly #share: number;
  readonly #retrying = new Shares(0);
  #active = 0;

  /** @param share 0.2 lets one in five active requests be a retry */
  constructor(share: number) {
    this.#share = share;
  }

  requestStarted(): void {
    this.#active++;
  }

  requestEnded(): void {
    this.#active--;
  }

  /** Takes one retry out of a site's budget; false when there is none left. A taken one must be given back. */
  take(site: string): boolean {
    this.#retrying.total = 2 * Math.max(ALWAYS, this.#share * this.#active);
    if (this.#retrying.isSpent(site)) return false;
    this.#retrying.add(site, 1);
    return true;
  }

  giveBack(site: string): void {
    this.#retrying.add(site, -1);
  }
}

import { Shares } from '../core/limits/shares.ts';

/** A site may always have this many retries at a time: a share of few requests would be none. */
const ALWAYS = 3;

/**
 * Limits retries in flight to a share of a worker's active requests, so that one site whose backends all fail cannot
 * multiply the load. One site may have that share; several sites together have at most twice as much (see `Shares`).
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

  /** Takes one retry from a site's budget; false when there is none left. Give it back with `giveBack`. */
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

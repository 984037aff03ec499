/** Retries are always granted up to this many at a time: a quiet worker has too few requests to take a share of. */
const ALWAYS = 3;

/**
 * Bounds the retries in flight to a share of the active requests of a worker,
 * so that one tenant whose backends all fail cannot multiply everybody's load.
 */
export class RetryBudget {
  readonly #share: number;
  #active = 0;
  #retrying = 0;

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

  /** Takes one retry out of the budget; false when there is none left. A taken one must be given back. */
  take(): boolean {
    if (this.#retrying >= Math.max(ALWAYS, this.#share * this.#active)) return false;
    this.#retrying++;
    return true;
  }

  giveBack(): void {
    this.#retrying--;
  }
}

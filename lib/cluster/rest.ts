/** A worker that is too fat again this soon after it replaced another, ms, was probably born so. */
const FIRST_REST_MS = 300_000;
const LAST_REST_MS = 3_600_000;

/**
 * How often a worker may be replaced for its size. Where the limit is below what any worker needs, replacing them
 * helps nobody and costs a start each time: then the rests between two replacements grow.
 */
export class Rest {
  #until = -Infinity;
  #lengthMs = FIRST_REST_MS;
  #isAnnounced = false;

  /**
   * The worker is too fat.
   * @param now a clock's ms; only differences count
   * @returns 0 when it is to be replaced now; for how long it is not, ms; null when that has been said already
   */
  ask(now: number): number | null {
    if (now < this.#until) {
      if (this.#isAnnounced) return null;
      this.#isAnnounced = true;
      return this.#until - now;
    }
    this.#lengthMs = this.#isAnnounced ? Math.min(LAST_REST_MS, this.#lengthMs * 2) : FIRST_REST_MS;
    this.#isAnnounced = false;
    this.#until = now + this.#lengthMs;
    return 0;
  }
}

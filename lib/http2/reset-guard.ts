/** Streams that a client may break off at once: a browser that leaves a page breaks off all of its hundred. */
const BURST = 200;
/** And so many per second after that. */
const PER_SECOND = 33;

/**
 * Tells clients that change their mind from those that only want work done for nothing (CVE-2023-44487): counts streams
 * that were broken off before they were answered.
 */
export class ResetGuard {
  readonly #now: () => number;
  #left = BURST;
  #at: number;

  /** @param now ms; only differences count */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** One was broken off. @returns whether that was one too many */
  count(): boolean {
    const now = this.#now();
    this.#left = Math.min(BURST, this.#left + ((now - this.#at) * PER_SECOND) / 1000);
    this.#at = now;
    this.#left--;
    return this.#left < 0;
  }
}

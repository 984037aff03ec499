/** A token bucket: a burst at once, and a rate per second after that. */
export class Allowance {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** @param now ms; only differences count */
  constructor(burst: number, perSecond: number, now: () => number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#left = burst;
    this.#at = now();
  }

  /** Takes one. @returns false when that was one too many */
  take(): boolean {
    this.#fill();
    this.#left--;
    return this.#left >= 0;
  }

  /** Takes one if there is one. @returns whether there was */
  takeOne(): boolean {
    this.#fill();
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Gives back one that was not needed. */
  giveBack(): void {
    this.#left = Math.min(this.#burst, this.#left + 1);
  }

  #fill(): void {
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) * this.#perSecond) / 1000);
    this.#at = now;
  }
}

/** How long after a request of another one several are assumed to use a backend, ms. */
const SHARED_MS = 60_000;

/** Whether several sites, or clients, have used a backend lately. */
export class RecentUsers {
  #last: string | null = null;
  #severalUntil = -Infinity;

  /** @param now ms; only differences count */
  saw(name: string, now: number): void {
    if (name === this.#last) return;
    if (this.#last !== null) this.#severalUntil = now + SHARED_MS;
    this.#last = name;
  }

  areSeveral(now: number): boolean {
    return now < this.#severalUntil;
  }
}

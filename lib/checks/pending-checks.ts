/** With so many, no list is taken from the store: another router has its turn. */
const MAX_PENDING = 5_000;

/** Checks that wait for their time, for their turn, or for their result. */
export class PendingChecks {
  readonly #max: number;
  readonly #names = new Set<string>();
  readonly #counts = new Map<string, number>();

  constructor(max = MAX_PENDING) {
    this.#max = max;
  }

  /** @returns false when the last check of the same backend is still pending: another one would only wait behind it */
  add(site: string, name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    this.#counts.set(site, (this.#counts.get(site) ?? 0) + 1);
    return true;
  }

  delete(site: string, name: string): void {
    if (!this.#names.delete(name)) return;
    const count = (this.#counts.get(site) ?? 0) - 1;
    if (count > 0) this.#counts.set(site, count);
    else this.#counts.delete(site);
  }

  /** A site counts for at most half of all, so that one alone does not keep the lists of others in the store. */
  get isFull(): boolean {
    let sum = 0;
    for (const count of this.#counts.values()) sum += Math.min(count, this.#max / 2);
    return sum >= this.#max;
  }

  clear(): void {
    this.#names.clear();
    this.#counts.clear();
  }
}

/** Up to this many holders, the one with the most names is searched for; beyond, the largest one seen is used. */
const MAX_SEARCHED = 64;

/**
 * Limits the number of names kept, by holder: the hosts of a wildcard belong to its site, and clients can invent any
 * number of them. At the limit, the holder with the most names loses its oldest, so that no holder evicts the others'
 * names.
 */
export class FairRoom {
  readonly #max: number;
  readonly #holders = new Map<string, string>();
  /** Names by holder, oldest first. Holders in order of arrival. */
  readonly #names = new Map<string, Set<string>>();
  /** The holder with the most names seen. */
  #largest = '';

  /** @param max names of all holders */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#holders.size;
  }

  /** Makes a name its holder's latest. @returns the name that was dropped for it; null for none */
  enter(name: string, holder: string): string | null {
    this.leave(name);
    const names = this.#names.get(holder) ?? new Set<string>();
    this.#names.delete(holder);
    this.#names.set(holder, names.add(name));
    this.#holders.set(name, holder);
    if (names.size >= this.#sizeOf(this.#largest)) this.#largest = holder;
    return this.size > this.#max ? this.drop() : null;
  }

  /** Removes a name. Idempotent. */
  leave(name: string): void {
    const holder = this.#holders.get(name);
    if (holder === undefined) return;
    this.#holders.delete(name);
    const names = this.#names.get(holder);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(holder);
  }

  /**
   * Drops the oldest name of the holder with the most; if each has one, of the first holder. Null when there is none.
   */
  drop(): string | null {
    if (this.#names.size <= MAX_SEARCHED) this.#findLargest();
    const [first = ''] = this.#names.keys();
    const loser = this.#sizeOf(this.#largest) > 1 ? this.#largest : first;
    for (const oldest of this.#names.get(loser) ?? []) {
      this.leave(oldest);
      return oldest;
    }
    return null;
  }

  clear(): void {
    this.#holders.clear();
    this.#names.clear();
  }

  #findLargest(): void {
    for (const [holder, { size }] of this.#names) if (size > this.#sizeOf(this.#largest)) this.#largest = holder;
  }

  #sizeOf(holder: string): number {
    return this.#names.get(holder)?.size ?? 0;
  }
}

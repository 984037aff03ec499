/** Among so many holders the one with the most is searched for; among more it is the one that was seen to have the most. */
const MAX_SEARCHED = 64;

/**
 * Bounds how many names are kept, by holder: the hosts of a wildcard are its site's, and clients can think of any number of
 * them. Where there is no room left, the holder with the most names loses its oldest, so that none pushes the others' out.
 */
export class FairRoom {
  readonly #max: number;
  readonly #holders = new Map<string, string>();
  /** Of each holder, the oldest first. The holder that came last is the last. */
  readonly #names = new Map<string, Set<string>>();
  /** The holder with the most, as far as was seen. */
  #largest = '';

  /** @param max names of all holders */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#holders.size;
  }

  /** Makes a name its holder's latest. @returns a name that has to go for it, and has left; null for none */
  enter(name: string, holder: string): string | null {
    this.leave(name);
    const names = this.#names.get(holder) ?? new Set<string>();
    this.#names.delete(holder);
    this.#names.set(holder, names.add(name));
    this.#holders.set(name, holder);
    if (names.size >= this.#sizeOf(this.#largest)) this.#largest = holder;
    return this.size > this.#max ? this.drop() : null;
  }

  /** A name is not kept any more; one that is not there is no fault. */
  leave(name: string): void {
    const holder = this.#holders.get(name);
    if (holder === undefined) return;
    this.#holders.delete(name);
    const names = this.#names.get(holder);
    names?.delete(name);
    if (names?.size === 0) this.#names.delete(holder);
  }

  /** Makes room: the oldest name of who has the most; where each has one, of who came first. Null when there is none. */
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

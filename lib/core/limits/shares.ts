/**
 * A bound that holders share: sites, clients. A holder may have as much as is left for all others, so that none takes all of
 * it and a next one finds some: half for one alone, a third each for two, and so on.
 */
export class Shares {
  /** It may change: what is held beyond it stays until it is given back. */
  total: number;
  #used = 0;
  readonly #held = new Map<string, number>();

  /** @param total bytes, requests or whatever is counted */
  constructor(total: number) {
    this.total = total;
  }

  /** Held now, by all. */
  get used(): number {
    return this.#used;
  }

  /** What is left for others. */
  get left(): number {
    return this.total - this.#used;
  }

  /** Held now by one. */
  heldBy(holder: string): number {
    return this.#held.get(holder) ?? 0;
  }

  /** Whether a holder has as much as it may. */
  isSpent(holder: string): boolean {
    return this.heldBy(holder) >= this.left;
  }

  /** @param amount negative: so much is held no more */
  add(holder: string, amount: number): void {
    this.#used += amount;
    const held = this.heldBy(holder) + amount;
    if (held > 0) this.#held.set(holder, held);
    else this.#held.delete(holder);
  }
}

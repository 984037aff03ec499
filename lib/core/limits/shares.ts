/**
 * A limit shared by holders, such as sites or clients. A holder may have as much as is left for all others, so that a
 * new one always finds some: one alone has at most half, two a third each, and so on.
 */
export class Shares {
  /** May change: amounts held beyond it stay until they are given back. */
  total: number;
  #used = 0;
  readonly #held = new Map<string, number>();

  /** @param total bytes, requests or whatever is counted */
  constructor(total: number) {
    this.total = total;
  }

  /** Held by all. */
  get used(): number {
    return this.#used;
  }

  /** What is left for others. */
  get left(): number {
    return this.total - this.#used;
  }

  /** Held by one. */
  heldBy(holder: string): number {
    return this.#held.get(holder) ?? 0;
  }

  /** Whether a holder has as much as it may. */
  isSpent(holder: string): boolean {
    return this.heldBy(holder) >= this.left;
  }

  /** @param amount negative to give back */
  add(holder: string, amount: number): void {
    this.#used += amount;
    const held = this.heldBy(holder) + amount;
    if (held > 0) this.#held.set(holder, held);
    else this.#held.delete(holder);
  }
}

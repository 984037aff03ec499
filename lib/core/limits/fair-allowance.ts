import { Allowance } from './allowance.ts';

/** Up to so many holders are remembered; then the one remembered longest is forgotten, and begins anew. */
const MAX_HOLDERS = 10_000;

/** An allowance shared by holders, such as clients: each may take half of it, so that none takes all. */
export class FairAllowance {
  readonly #all: Allowance;
  readonly #makeOwn: () => Allowance;
  /** In the order in which they came. */
  readonly #own = new Map<string, Allowance>();

  /**
   * @param burst of all
   * @param perSecond of all
   * @param now ms; only differences count
   */
  constructor(burst: number, perSecond: number, now: () => number) {
    this.#all = new Allowance(burst, perSecond, now);
    this.#makeOwn = () => new Allowance(burst / 2, perSecond / 2, now);
  }

  /** Takes one for a holder. @returns false when all, or this holder's half, is spent */
  takeOne(holder: string): boolean {
    const own = this.#ownOf(holder);
    if (!own.takeOne()) return false;
    if (this.#all.takeOne()) return true;
    own.giveBack();
    return false;
  }

  /** Gives back one that a holder did not need. */
  giveBack(holder: string): void {
    this.#own.get(holder)?.giveBack();
    this.giveBackToAll();
  }

  /** Gives back one that counts for its holder only. */
  giveBackToAll(): void {
    this.#all.giveBack();
  }

  #ownOf(holder: string): Allowance {
    let own = this.#own.get(holder);
    if (own === undefined) {
      const [oldest] = this.#own.keys();
      if (oldest !== undefined && this.#own.size >= MAX_HOLDERS) this.#own.delete(oldest);
      own = this.#makeOwn();
      this.#own.set(holder, own);
    }
    return own;
  }
}

import { Shares } from '../core/limits/shares.ts';

/** Checks at a time. */
const MAX_RUNNING = 512;

/**
 * Checks whose time has come. Sites have their turns, and one may have as many at a time as is left for all others: a list
 * of many backends that do not respond must not keep those of other sites unchecked.
 */
export class CheckQueue {
  readonly #running: Shares;
  /** By site, in the order of their turns, without empty ones. */
  readonly #ready = new Map<string, (() => void)[]>();

  constructor(max = MAX_RUNNING) {
    this.#running = new Shares(max);
  }

  /** @param begin called when it is the check's turn; call `ended` after that */
  add(site: string, begin: () => void): void {
    const ready = this.#ready.get(site);
    if (ready === undefined) this.#ready.set(site, [begin]);
    else ready.push(begin);
    this.#runNext();
  }

  /** A check has ended. */
  ended(site: string): void {
    this.#running.add(site, -1);
    this.#runNext();
  }

  /** Drops all that have not begun. */
  clear(): void {
    this.#ready.clear();
  }

  #runNext(): void {
    for (let site = this.#next(); site !== null; site = this.#next()) {
      const ready = this.#ready.get(site) ?? [];
      this.#ready.delete(site);
      const begin = ready.shift();
      if (ready.length > 0) this.#ready.set(site, ready);
      this.#running.add(site, 1);
      begin?.();
    }
  }

  #next(): string | null {
    for (const site of this.#ready.keys()) if (!this.#running.isSpent(site)) return site;
    return null;
  }
}

/** Coarse time limits: one interval timer for all connections of a worker, and setting one is a mere assignment. */

/** How late one may ring, ms. Limits are whole seconds, so this is noise. */
const TICK_MS = 100;

/** Something that may last only so long. */
export interface Timed {
  /** On the clock's scale, ms; Infinity while nothing is awaited. */
  due: number;
  /** It has lasted too long. Called once for each `due`. */
  ring(): void;
}

export class Deadlines {
  readonly #now: () => number;
  readonly #timed = new Set<Timed>();
  #timer: NodeJS.Timeout | null = null;

  /** @param now ms; only differences count */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Watches over it from now on, until it is removed. */
  add(timed: Timed): void {
    this.#timed.add(timed);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.check(), TICK_MS);
    // A limit is no reason for a worker to live on.
    this.#timer.unref();
  }

  remove(timed: Timed): void {
    this.#timed.delete(timed);
    if (this.#timed.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  /** When something that may last `limitMs` from now is due; 0 is for ever. */
  after(limitMs: number): number {
    return limitMs === 0 ? Infinity : this.#now() + limitMs;
  }

  /** Rings what is due. */
  check(): void {
    const now = this.#now();
    for (const timed of this.#timed) {
      if (timed.due > now) continue;
      timed.due = Infinity;
      timed.ring();
    }
  }
}

/** Coarse time limits: one interval timer for all of a worker, of both lanes, instead of several timers for each request. */

/** How late a limit may be noticed, ms. Limits are whole seconds, so this is noise. */
const TICK_MS = 100;

/** What may last only so long, and sets its own limit again and again: that is a mere assignment. See `add`. */
export interface Timed {
  /** On the clock's scale, ms; Infinity while nothing is awaited. */
  due: number;
  /** It has lasted too long. Called once for each `due`. */
  onTimeout(): void;
}

/** What must happen once, unless it is put off or called off. See `set`. */
export class Timer implements Timed {
  due = 0;
  readonly onTimeout: () => void;

  constructor(onTimeout: () => void) {
    this.onTimeout = onTimeout;
  }
}

export class TimeLimits {
  readonly #now: () => number;
  readonly #timed = new Set<Timed>();
  #timer: NodeJS.Timeout | null = null;

  /** @param now ms; only differences count */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Calls `alarm` once, `limitMs` from now; called again it puts it off. A limit of 0 calls it off. */
  set(timer: Timer, limitMs: number): void {
    if (limitMs === 0) return this.clear(timer);
    // Not the time of the last tick: on a busy worker that may be long ago, and an alarm must not be early.
    timer.due = this.#now() + limitMs;
    this.add(timer);
  }

  /** Calls it off. */
  clear(timer: Timer): void {
    this.#timed.delete(timer);
  }

  /** Looks at it from now on, until it is removed. */
  add(timed: Timed): void {
    this.#timed.add(timed);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.check(), TICK_MS);
    // A limit is no reason for a worker to live on.
    this.#timer.unref();
  }

  remove(timed: Timed): void {
    this.#timed.delete(timed);
  }

  /** When something that may last `limitMs` from now is due; 0 is for ever. */
  after(limitMs: number): number {
    return limitMs === 0 ? Infinity : this.#now() + limitMs;
  }

  /** How many are looked at: an exchange that ended leaves none behind. */
  get size(): number {
    return this.#timed.size;
  }

  /** Calls what is due. */
  check(): void {
    const now = this.#now();
    for (const timed of this.#timed) {
      if (timed.due > now) continue;
      timed.due = Infinity;
      if (timed instanceof Timer) this.#timed.delete(timed);
      timed.onTimeout();
    }
    if (this.#timed.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

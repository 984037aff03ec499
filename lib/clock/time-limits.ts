/** Coarse time limits: one interval timer for all of a worker, of both lanes, instead of several timers for each request. */

/** How late a time-out may be, ms. Limits are whole seconds, so this does not matter. */
const TICK_MS = 100;
/** So many time-outs in one turn of the event loop: what follows from each may take a millisecond. */
const AT_ONCE = 8;

/** An object with a time limit that it changes often: that is one assignment to `due`. See `add`. */
export interface Timed {
  /** On the clock's scale, ms; Infinity while nothing is awaited. */
  due: number;
  /** `due` has passed. Called once for each `due`. */
  onTimeout(): void;
}

/** A callback that is due once, unless it is postponed or cancelled. See `set`. */
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
  /** Those that are not checked yet; null while none are. */
  #rest: Iterator<Timed> | null = null;

  /** @param now ms; only differences count */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Calls the timer once, `limitMs` from now. A second call postpones it; a limit of 0 cancels it. */
  set(timer: Timer, limitMs: number): void {
    if (limitMs === 0) return this.clear(timer);
    // Not the time of the last tick: on a busy worker that may be long ago, and a timer must not be early.
    timer.due = this.#now() + limitMs;
    this.add(timer);
  }

  /** Cancels the timer. */
  clear(timer: Timer): void {
    this.#timed.delete(timer);
  }

  /** Checks the object's `due` from now on, until `remove`. */
  add(timed: Timed): void {
    this.#timed.add(timed);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.check(), TICK_MS);
    // A time limit must not keep the process alive.
    this.#timer.unref();
  }

  remove(timed: Timed): void {
    this.#timed.delete(timed);
  }

  /** When something that may last `limitMs` from now is due; 0 is for ever. */
  after(limitMs: number): number {
    return limitMs === 0 ? Infinity : this.#now() + limitMs;
  }

  /** Number of objects and timers. An exchange that ended leaves none behind. */
  get size(): number {
    return this.#timed.size;
  }

  /** Calls `onTimeout` of all that are due: of many in several turns of the event loop, between which others are served. */
  check(): void {
    if (this.#rest !== null) return;
    this.#rest = this.#timed.values();
    this.#goOn();
  }

  readonly #goOn = (): void => {
    const now = this.#now();
    let called = 0;
    for (let next = this.#rest?.next(); next?.done === false; next = this.#rest?.next()) {
      const timed = next.value;
      if (timed.due > now) continue;
      timed.due = Infinity;
      if (timed instanceof Timer) this.#timed.delete(timed);
      timed.onTimeout();
      called++;
      if (called < AT_ONCE) continue;
      setImmediate(this.#goOn);
      return;
    }
    this.#rest = null;
    if (this.#timed.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  };
}

/** Coarse alarms: one interval timer for all exchanges of a worker, instead of several timers for each request. */

/** How late an alarm may ring, ms. Limits are whole seconds, so this is noise. */
const TICK_MS = 100;

/** Something that must happen unless it is put off or called off. */
export class Alarm {
  /** On the clock's scale, ms. */
  due = 0;
  readonly ring: () => void;

  constructor(ring: () => void) {
    this.ring = ring;
  }
}

export class AlarmClock {
  readonly #set = new Set<Alarm>();
  #timer: NodeJS.Timeout | null = null;

  /** Rings `alarm` once, `limitMs` from now; called again it puts it off. A limit of 0 calls it off. */
  set(alarm: Alarm, limitMs: number): void {
    if (limitMs === 0) {
      this.#set.delete(alarm);
      return;
    }
    if (this.#timer === null) {
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
      // An alarm is no reason for a worker to live on.
      this.#timer.unref();
    }
    // Not the time of the last tick: that may be long ago on a busy worker, and an alarm must not ring early.
    alarm.due = performance.now() + limitMs;
    this.#set.add(alarm);
  }

  /** Calls it off. */
  clear(alarm: Alarm): void {
    this.#set.delete(alarm);
  }

  /** How many are set: an exchange that ended leaves none behind. */
  get size(): number {
    return this.#set.size;
  }

  #tick(): void {
    const now = performance.now();
    for (const alarm of this.#set) {
      if (alarm.due > now) continue;
      this.#set.delete(alarm);
      alarm.ring();
    }
    if (this.#set.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

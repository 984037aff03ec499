/** Which workers hang, and how often one that takes too much memory may be replaced. */

/** How often everybody is looked at within the limit. */
const LOOKS = 4;

/** Tells which workers have not said for too long that they live: their event loop is blocked. */
export class Heartbeats<Worker> {
  readonly #limitMs: number;
  readonly #onStuck: (worker: Worker, silentMs: number) => void;
  readonly #now: () => number;
  readonly #heard = new Map<Worker, number>();
  readonly #timer: NodeJS.Timeout;
  #lookedAt: number;

  /** @param onStuck told once of each. @param now a clock's ms; only differences count */
  constructor(limitMs: number, onStuck: (worker: Worker, silentMs: number) => void, now: () => number) {
    this.#limitMs = limitMs;
    this.#onStuck = onStuck;
    this.#now = now;
    this.#lookedAt = now();
    this.#timer = setInterval(() => this.#look(), limitMs / LOOKS).unref();
  }

  /** A worker has said something. */
  beat(worker: Worker): void {
    this.#heard.set(worker, this.#now());
  }

  /** It has ended, or is to be looked at no more. */
  forget(worker: Worker): void {
    this.#heard.delete(worker);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#now();
    // Whoever looks late was not running itself, and has not heard what was said meanwhile.
    const isLate = now - this.#lookedAt > this.#limitMs / 2;
    this.#lookedAt = now;
    for (const [worker, at] of this.#heard) {
      if (isLate) this.#heard.set(worker, now);
      else if (now - at > this.#limitMs) {
        this.#heard.delete(worker);
        this.#onStuck(worker, now - at);
      }
    }
  }
}

/** A worker that is too fat again this soon after it replaced another, ms, was probably born so. */
const FIRST_REST_MS = 300_000;
const LAST_REST_MS = 3_600_000;

/**
 * How often a worker may be replaced for its size. Where the limit is below what any worker needs, replacing them
 * helps nobody and costs a start each time: then the rests between two replacements grow.
 */
export class ReplacementPause {
  #until = -Infinity;
  #lengthMs = FIRST_REST_MS;
  #isAnnounced = false;

  /** Whether one was replaced only just now. @param now as in `ask` */
  isResting(now: number): boolean {
    return now < this.#until;
  }

  /**
   * The worker is too fat.
   * @param now a clock's ms; only differences count
   * @returns 0 when it is to be replaced now; for how long it is not, ms; null when that has been said already
   */
  ask(now: number): number | null {
    if (this.isResting(now)) {
      if (this.#isAnnounced) return null;
      this.#isAnnounced = true;
      return this.#until - now;
    }
    this.#lengthMs = this.#isAnnounced ? Math.min(LAST_REST_MS, this.#lengthMs * 2) : FIRST_REST_MS;
    this.#isAnnounced = false;
    this.#until = now + this.#lengthMs;
    return 0;
  }
}

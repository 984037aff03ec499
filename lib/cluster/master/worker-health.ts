/** Detects workers that hang, and limits how often a worker is replaced for its memory. */

/** How many checks there are within the limit. */
const LOOKS = 4;

/** Detects workers whose event loop is blocked: they send no heartbeat. */
export class Heartbeats<Worker> {
  readonly #limitMs: number;
  readonly #onStuck: (worker: Worker, silentMs: number) => void;
  readonly #now: () => number;
  readonly #heard = new Map<Worker, number>();
  readonly #timer: NodeJS.Timeout;
  #lookedAt: number;

  /** @param onStuck called once per worker. @param now the current time, ms; only differences matter */
  constructor(limitMs: number, onStuck: (worker: Worker, silentMs: number) => void, now: () => number) {
    this.#limitMs = limitMs;
    this.#onStuck = onStuck;
    this.#now = now;
    this.#lookedAt = now();
    this.#timer = setInterval(() => this.#look(), limitMs / LOOKS).unref();
  }

  /** A worker has sent a message. */
  beat(worker: Worker): void {
    this.#heard.set(worker, this.#now());
  }

  /** Stops watching a worker. */
  forget(worker: Worker): void {
    this.#heard.delete(worker);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#now();
    // A late check means that this process was blocked, too: it has not read the messages that came meanwhile.
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

/**
 * A worker that uses too much memory again this soon after it replaced another, ms, needs more than the limit from the
 * start.
 */
const FIRST_REST_MS = 300_000;
const LAST_REST_MS = 3_600_000;

/**
 * Limits how often a worker is replaced for its memory. If the limit is below what every worker needs, replacing does
 * not help and costs a start each time: then the pause between two replacements doubles.
 */
export class ReplacementPause {
  #until = -Infinity;
  #lengthMs = FIRST_REST_MS;
  #isAnnounced = false;

  /** Whether a worker was replaced shortly before. @param now as in `ask` */
  isResting(now: number): boolean {
    return now < this.#until;
  }

  /**
   * A worker uses too much memory.
   * @param now the current time, ms; only differences matter
   * @returns 0: replace it now; otherwise for how long it is kept, ms, or null when that was returned before
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

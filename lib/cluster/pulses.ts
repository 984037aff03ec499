/** How often everybody is looked at within the limit. */
const LOOKS = 4;

/** Tells which workers have not said for too long that they live: their event loop is blocked. */
export class Pulses<Worker> {
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

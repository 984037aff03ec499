/** A worker that used a limit so lately keeps a part in it, ms. */
const WARM_MS = 5_000;
/** What a worker wants that used a limit lately, and does not now. */
const WARM_WANT = 0.05;
/** How much of the last turn's want counts, when less is wanted now. */
const KEPT = 0.6;

/** One limit in this worker: of the requests in flight of a site, or of those at one of its backends. */
export class InFlightLimit {
  readonly name: string;
  /** For all workers of all routers. */
  max = 0;
  inFlight = 0;
  /** Requests that wait for it. */
  waiting = 0;
  /** What the store has given to this worker; null before it has replied. */
  permits: number | null = null;
  /** This worker's part of what is wanted. */
  share = 1;
  /** More permits are wanted than there are. */
  isScarce = false;
  /** When it was used last, ms. */
  usedAt = -Infinity;
  #peak = 0;
  #wanted = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Something about it has changed. @param missed requests that found no permit, and do not wait yet */
  note(now: number, missed = 0): void {
    this.usedAt = now;
    this.#peak = Math.max(this.#peak, this.inFlight + this.waiting + missed);
  }

  /** Nothing uses it, nor has lately. */
  isCold(now: number): boolean {
    return this.inFlight === 0 && this.waiting === 0 && now - this.usedAt > WARM_MS;
  }

  /** The store forgets this worker's part in it. */
  chill(): void {
    this.permits = null;
    this.isScarce = false;
    this.#wanted = 0;
  }

  /** A turn has passed. */
  turn(): void {
    this.#wanted = Math.max(this.#peak, this.#wanted * KEPT, WARM_WANT);
    this.#peak = this.inFlight + this.waiting;
  }

  /** How many permits it would use. */
  get wanted(): number {
    return Math.max(this.#wanted, this.#peak, WARM_WANT);
  }
}

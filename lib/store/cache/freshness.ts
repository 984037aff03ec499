/** Decides whether a remembered reading is still valid; one class per cache mode. */
import type { Remembered } from './host-memory.ts';
import type { Stamp } from './reads.ts';

/** Decides when a store must be asked. */
export interface Freshness {
  /** Identifies the period in which readings are valid. The same object as long as they are. */
  readonly stamp: Stamp;
  /** False where the store is always asked: then the memory need not be searched. */
  readonly isEver: boolean;
  /** Whether a reading is still valid. */
  isFresh(known: Remembered, now: number): boolean;
  /** When it was last known to be valid, ms of the same clock. */
  confirmedAt(known: Remembered, now: number): number;
}

const ALWAYS: Stamp = { era: 0, wildcards: 0 };

/**
 * `cache.mode: "request"`: the store is asked for each request; with a limit above 0 (`server.lruCache`), less often.
 */
export class AgeLimit implements Freshness {
  readonly stamp = ALWAYS;
  readonly #limitMs: number;

  /** @param limitMs how long a route that was found is used; 0: not at all */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  get isEver(): boolean {
    return this.#limitMs > 0;
  }

  /** A missing frontend is asked for each time, so that a new one works at once. */
  isFresh({ route, read }: Remembered, now: number): boolean {
    return !read.isDoubtful && route !== null && route.size > 0 && now - read.at < this.#limitMs;
  }

  confirmedAt({ read }: Remembered): number {
    return read.at;
  }
}

/** A stamp for no watch: readings belong to no era. */
const UNWATCHED: Stamp = { era: -1, wildcards: 0 };

/**
 * `cache.mode: "push"`: a reading is valid until the store reports a change of one of its keys, or until the watch over
 * the keys ends, which invalidates all earlier readings.
 */
export class Watch implements Freshness {
  readonly isEver = true;
  readonly #maxAgeMs: number;
  #stamp = UNWATCHED;
  /** The stamp of the last watch that ended, and the time of its end. */
  #last = UNWATCHED;
  #brokeAt = -Infinity;
  #eras = 0;

  /** @param maxAgeMs after this time the store is asked even if it reported no change */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  get stamp(): Stamp {
    return this.#stamp;
  }

  /** From now on every change is reported. Earlier readings are invalid. */
  begin(): void {
    this.#stamp = { era: ++this.#eras, wildcards: 0 };
  }

  /** Changes may go unreported from now on. */
  end(now: number): void {
    if (this.#stamp === UNWATCHED) return;
    this.#last = this.#stamp;
    this.#brokeAt = now;
    this.#stamp = UNWATCHED;
  }

  /** All earlier readings are invalid. Does nothing after the watch has ended. */
  allChanged(): void {
    if (this.#stamp !== UNWATCHED) this.begin();
  }

  /** A wildcard's list has changed: readings of all hosts without a list of their own are invalid. */
  wildcardChanged(): void {
    const { era, wildcards } = this.#stamp;
    if (this.#stamp !== UNWATCHED) this.#stamp = { era, wildcards: wildcards + 1 };
  }

  isFresh(known: Remembered, now: number): boolean {
    if (!this.#holds(known, this.#stamp) || this.#stamp === UNWATCHED) return false;
    return now < known.expiresAt && now - known.read.at < this.#maxAgeMs;
  }

  confirmedAt(known: Remembered, now: number): number {
    const { at } = known.read;
    if (this.#stamp !== UNWATCHED) return this.#holds(known, this.#stamp) ? now : at;
    return this.#holds(known, this.#last) ? Math.max(at, this.#brokeAt) : at;
  }

  #holds({ read, isOwn }: Remembered, stamp: Stamp): boolean {
    if (read.isDoubtful || read.stamp.era !== stamp.era) return false;
    return isOwn || read.stamp.wildcards === stamp.wildcards;
  }
}

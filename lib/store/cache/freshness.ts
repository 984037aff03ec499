/** Whether what was read is what would be read now: one answer for each mode of the cache. */
import type { Remembered } from './host-memory.ts';
import type { Stamp } from './reads.ts';

/** Decides when a store must be asked. */
export interface Freshness {
  /** What is sure now. The same object as long as it is. */
  readonly stamp: Stamp;
  /** False where the store is asked every time: what was read need not be looked up. */
  readonly isEver: boolean;
  /** Whether what was read may be taken for what is there now. */
  isFresh(known: Remembered, now: number): boolean;
  /** When it was last known to be right, ms of the same clock. */
  confirmedAt(known: Remembered, now: number): number;
}

const ALWAYS: Stamp = { era: 0, wildcards: 0 };

/** `cache.mode: "request"`: the store is asked each time. With a limit above 0, `server.lruCache`: not that often. */
export class AgeLimit implements Freshness {
  readonly stamp = ALWAYS;
  readonly #limitMs: number;

  /** @param limitMs how long a route that was found is not asked for again; 0 is not at all */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  get isEver(): boolean {
    return this.#limitMs > 0;
  }

  /** A frontend that was not found is asked for each time: a new one works at once. */
  isFresh({ route, read }: Remembered, now: number): boolean {
    return !read.isDoubtful && route !== null && route.size > 0 && now - read.at < this.#limitMs;
  }

  confirmedAt({ read }: Remembered): number {
    return read.at;
  }
}

/** No watch: what is read meanwhile belongs to no era. */
const UNWATCHED: Stamp = { era: -1, wildcards: 0 };

/**
 * `cache.mode: "push"`: what was read stays right until the store says that a key of it has changed (then the read is
 * put in doubt), or the watch over the keys breaks: then everything that was read before is in doubt.
 */
export class Watch implements Freshness {
  readonly isEver = true;
  readonly #maxAgeMs: number;
  #stamp = UNWATCHED;
  /** The stamp of the last watch that broke, and when it did. */
  #last = UNWATCHED;
  #brokeAt = -Infinity;
  #eras = 0;

  /** @param maxAgeMs after it the store is asked, whatever it did not say */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  get stamp(): Stamp {
    return this.#stamp;
  }

  /** From now on every change is told. What was read before is in doubt. */
  begin(): void {
    this.#stamp = { era: ++this.#eras, wildcards: 0 };
  }

  /** Changes may go by untold. */
  end(now: number): void {
    if (this.#stamp === UNWATCHED) return;
    this.#last = this.#stamp;
    this.#brokeAt = now;
    this.#stamp = UNWATCHED;
  }

  /** Nothing that was read before is sure any more. What is heard of a watch that has ended begins none. */
  allChanged(): void {
    if (this.#stamp !== UNWATCHED) this.begin();
  }

  /** A wildcard's list has changed: in doubt is whoever asked for it, and that is all who have no list of their own. */
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

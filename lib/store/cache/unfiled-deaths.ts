import { FairRoom } from '../../core/limits/fair-room.ts';
import type { Death } from '../../core/routing/types.ts';
import { DeadMarks, type DeadMark, type Entry, markOf } from '../dead-marks.ts';

/** Between two attempts to file what could not be filed, ms. */
const RETRY_MS = 500;
/** Deaths that wait to be filed; the oldest of the site with the most is forgotten first. Each is one backend of one host. */
const MAX_WAITING = 10_000;

interface Unfiled {
  readonly death: Death;
  /** When it is over, `Date.now()` ms. */
  readonly until: number;
}

/** Files a death; rejects when it could not be. */
export type FileDeath = (death: Death, ttlSeconds: number) => Promise<unknown>;

/** Deaths that the store did not take: they count here, and are filed when it takes them. */
export class UnfiledDeaths {
  readonly #file: FileDeath;
  readonly #now: () => number;
  readonly #marks: DeadMarks;
  readonly #waiting = new Map<string, Unfiled>();
  readonly #room = new FairRoom(MAX_WAITING);
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param now milliseconds since the epoch */
  constructor(file: FileDeath, now: () => number) {
    this.#file = file;
    this.#now = now;
    this.#marks = new DeadMarks(now);
  }

  /** Keeps a death that could not be filed, unless no other backend of the site lives. @returns whether it counts */
  add(death: Death, ttlSeconds: number): boolean {
    if (this.#isClosed || ttlSeconds <= 0) return true;
    const { backends, dead } = death.route;
    const mark = markOf(death, ttlSeconds, this.#now());
    if (!this.#marks.addUnlessLast(mark, backends, (id) => dead.has(id))) return false;
    const { until } = mark;
    const name = nameOf(death);
    this.#waiting.delete(name);
    this.#waiting.set(name, { death, until });
    const gone = this.#room.enter(name, mark.site);
    const forgotten = gone === null ? undefined : this.#waiting.get(gone);
    if (gone !== null && forgotten !== undefined) this.#forget(gone, forgotten.death);
    this.#retryLater();
    return true;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Which of these backends have died for this host, as far as only we know. */
  among(backends: readonly Entry[], frontend: string): ReadonlySet<number> {
    return this.#marks.among(backends, frontend).dead;
  }

  /** Those of a host, or all (null). */
  marks(frontend: string | null): readonly DeadMark[] {
    return this.#marks.list(frontend);
  }

  /** Forgets them all. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #retryLater(): void {
    this.#timer ??= setTimeout(() => void this.#retry(), RETRY_MS).unref();
  }

  async #retry(): Promise<void> {
    for (const [name, { death, until }] of this.#waiting) {
      const leftMs = until - this.#now();
      try {
        if (leftMs > 0) await this.#file(death, leftMs / 1000);
      } catch {
        // The next would fare no better.
        break;
      }
      // Told again meanwhile: that one is not filed yet.
      if (this.#waiting.get(name)?.until === until) this.#forget(name, death);
    }
    this.#timer = undefined;
    if (!this.#isClosed && !this.isEmpty) this.#retryLater();
  }

  #forget(name: string, { route, backend }: Death): void {
    this.#waiting.delete(name);
    this.#room.leave(name);
    this.#marks.remove(route.frontend, backend.id);
  }
}

function nameOf({ route, backend }: Death): string {
  return `${backend.id} ${route.frontend}`;
}

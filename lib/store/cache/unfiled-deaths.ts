import { FairRoom } from '../../core/limits/fair-room.ts';
import type { Death } from '../../core/routing/types.ts';
import { DeadMarks, type DeadMark, type Entry, markOf } from '../dead-marks.ts';

/** Between two attempts to mark backends dead, ms. */
const RETRY_MS = 500;
/**
 * How many deaths may wait. Beyond that, the oldest of the site with the most is dropped. Each is one backend of one
 * host.
 */
const MAX_WAITING = 10_000;

interface Unfiled {
  readonly death: Death;
  /** When it expires, ms as of `Date.now()`. */
  readonly until: number;
}

/** Marks a backend dead in the store; rejects when that fails. */
export type FileDeath = (death: Death, ttlSeconds: number) => Promise<unknown>;

/**
 * Backends that could not be marked dead in the store: they count as dead here, and are marked when the store replies.
 */
export class UnfiledDeaths {
  readonly #file: FileDeath;
  readonly #now: () => number;
  readonly #marks: DeadMarks;
  readonly #waiting = new Map<string, Unfiled>();
  readonly #room = new FairRoom(MAX_WAITING);
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param now returns milliseconds since 1970 */
  constructor(file: FileDeath, now: () => number) {
    this.#file = file;
    this.#now = now;
    this.#marks = new DeadMarks(now);
  }

  /** Keeps a death, unless no other backend of the site is alive. @returns whether it counts */
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

  /** Which of these backends are dead for this host, according to this worker alone. */
  among(backends: readonly Entry[], frontend: string): ReadonlySet<number> {
    return this.#marks.among(backends, frontend).dead;
  }

  /** The marks of a host, or all (null). */
  marks(frontend: string | null): readonly DeadMark[] {
    return this.#marks.list(frontend);
  }

  /** Drops all. */
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
        // The next one would fail, too.
        break;
      }
      // The same backend was found dead again meanwhile: that death is not in the store yet.
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

import type { Backend, Death } from '../core/types.ts';
import { DeadMarks, type DeadMark } from './dead-marks.ts';

/** Between two attempts to file what could not be filed, ms. */
const RETRY_MS = 500;
/** Deaths that wait to be filed; the oldest is forgotten first. Each is at most one backend of one host. */
const MAX_WAITING = 10_000;

interface Unfiled {
  readonly death: Death;
  /** When it is over, `Date.now()` ms. */
  readonly until: number;
}

/** Files a death; rejects when it could not be. */
export type FileDeath = (death: Death, ttlSeconds: number) => Promise<void>;

/** Deaths that the store did not take: they count here, and are filed when it takes them. */
export class UnfiledDeaths {
  readonly #file: FileDeath;
  readonly #now: () => number;
  readonly #marks: DeadMarks;
  readonly #waiting = new Map<string, Unfiled>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param now milliseconds since the epoch */
  constructor(file: FileDeath, now: () => number) {
    this.#file = file;
    this.#now = now;
    this.#marks = new DeadMarks(now);
  }

  /** Keeps a death that could not be filed. */
  add(death: Death, ttlSeconds: number): void {
    if (this.#isClosed || ttlSeconds <= 0) return;
    const { frontend, backend } = death;
    const until = this.#now() + ttlSeconds * 1000;
    this.#marks.add({ frontend, id: backend.id, url: backend.href, until });
    const name = nameOf(death);
    this.#waiting.delete(name);
    this.#waiting.set(name, { death, until });
    if (this.#waiting.size > MAX_WAITING) {
      for (const [oldest, { death: forgotten }] of this.#waiting) {
        this.#forget(oldest, forgotten);
        break;
      }
    }
    this.#retryLater();
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Which of these backends have died for this host, as far as only we know. */
  among(backends: readonly Backend[], frontend: string): ReadonlySet<number> {
    return this.#marks.among(backends, frontend);
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

  #forget(name: string, { frontend, backend }: Death): void {
    this.#waiting.delete(name);
    this.#marks.remove(frontend, backend.id);
  }
}

function nameOf({ frontend, backend }: Death): string {
  return `${backend.id} ${frontend}`;
}

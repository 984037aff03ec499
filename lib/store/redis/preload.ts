import { setTimeout as delay } from 'node:timers/promises';
import { candidates, mayBeAskedFor } from '../../core/routing/hostname.ts';
import { splitKey } from '../../core/routing/prefixes.ts';
import type { Route } from '../../core/routing/types.ts';
import type { Reading } from '../reading.ts';
import type { Stretch } from './walk.ts';

/**
 * How many keys are read together (some ms of Redis' time), and the pause after them, ms: several thousand hosts per
 * second.
 */
const BATCH = 50;
const PAUSE_MS = 20;
/** The pause after a walk that failed, ms. */
const RETRY_MS = 1_000;

/** What Preload needs. */
export interface PreloadParts {
  /**
   * Returns the keys of frontends from a cursor on, and the next cursor; null at the end. Rejects while Redis does not
   * reply.
   */
  readonly keys: (place: string | null, count: number) => Promise<Stretch>;
  readonly read: (candidates: readonly string[], path: string) => Promise<Reading>;
  readonly learn: (frontend: string, route: Route | null) => void;
  /** The maximum number of keys of a walk. */
  readonly max: number;
  /** From one walk to the next, ms: what is known must be confirmed. */
  readonly everyMs: number;
  /** Called after each walk with the number of routes. */
  readonly onDone: (frontends: number) => void;
}

/**
 * Reads all routes in the background, so that a router that was just started can serve without Redis. Hosts that a
 * wildcard matches are not known before they are requested.
 */
export class Preload {
  readonly #parts: PreloadParts;
  readonly #over = new AbortController();

  constructor(parts: PreloadParts) {
    this.#parts = parts;
    void this.#goOn();
  }

  /** Stops reading. */
  close(): void {
    this.#over.abort();
  }

  async #goOn(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const frontends = await this.#walk().catch(() => null);
      if (this.#over.signal.aborted) return;
      if (frontends !== null) this.#parts.onDone(frontends);
      await this.#rest(frontends === null ? RETRY_MS : this.#parts.everyMs);
    }
  }

  /** @returns how many were read. Rejects when Redis does not reply */
  async #walk(): Promise<number> {
    const { keys, max } = this.#parts;
    let place: string | null = null;
    let count = 0;
    do {
      const stretch: Stretch = await keys(place, BATCH);
      const wanted = stretch.keys.filter((key) => !key.startsWith('*') && mayBeAskedFor(splitKey(key).host));
      await Promise.all(wanted.map((key) => this.#read(key)));
      count += wanted.length;
      place = stretch.next;
      await this.#rest(PAUSE_MS);
    } while (place !== null && count < max && !this.#over.signal.aborted);
    return count;
  }

  async #read(key: string): Promise<void> {
    const { read, learn } = this.#parts;
    const { host, prefix } = splitKey(key);
    try {
      const { own, under } = await read(candidates(host), prefix === '' ? '/' : prefix);
      if (own !== undefined) learn(host, own);
      for (const each of under) learn(host + each.prefix, each.route);
    } catch {
      // A broken key must not stop the walk. If Redis is gone, the next call rejects.
    }
  }

  async #rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#over.signal, ref: false }).catch(() => {});
  }
}

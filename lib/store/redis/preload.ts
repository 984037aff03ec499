import { setTimeout as delay } from 'node:timers/promises';
import { candidates, mayBeAskedFor } from '../../core/routing/hostname.ts';
import { splitKey } from '../../core/routing/prefixes.ts';
import type { Route } from '../../core/routing/types.ts';
import type { Reading } from '../reading.ts';
import type { Stretch } from './walk.ts';

/** Keys read together, ms of Redis' time at most, and the pause after them, ms: some thousand hosts in a second. */
const BATCH = 50;
const PAUSE_MS = 20;
/** After a walk that could not be ended, ms. */
const RETRY_MS = 1_000;

/** What a Preload is made of. */
export interface PreloadParts {
  /** The keys of frontends from a place on, and the next place; null at the end. Rejects while Redis gives no answer. */
  readonly keys: (place: string | null, count: number) => Promise<Stretch>;
  readonly read: (candidates: readonly string[], path: string) => Promise<Reading>;
  readonly learn: (frontend: string, route: Route | null) => void;
  /** Keys read at most in one walk. */
  readonly max: number;
  /** From one walk to the next, ms: what is known has to be confirmed. */
  readonly everyMs: number;
  /** Told after each walk how many were read. */
  readonly onDone: (frontends: number) => void;
}

/**
 * Reads all routes in the background, so that a router that was just started survives the loss of Redis. What a wildcard
 * matches is not known before it is asked for.
 */
export class Preload {
  readonly #parts: PreloadParts;
  readonly #over = new AbortController();

  constructor(parts: PreloadParts) {
    this.#parts = parts;
    void this.#goOn();
  }

  /** Reads no more. */
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

  /** @returns how many were read. Rejects when Redis gives no answer */
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
      // A key that is broken keeps no other from being read; of a Redis that is gone the next stretch tells.
    }
  }

  async #rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#over.signal, ref: false }).catch(() => {});
  }
}

import { RouterError } from '../core/errors.ts';
import { candidates } from '../core/hostname.ts';
import type { Death, Route } from '../core/types.ts';
import type { DeadMark } from './dead-marks.ts';
import { RouteTable, type RouteEntry } from './route-table.ts';
import type { RouteStore } from './store.ts';

/**
 * A worker's half of the file driver: routes and dead marks it was told. The file itself is read by the master
 * (see routes-file.ts), which may have rights that workers gave up, and which passes dead marks among them.
 */
export class FileStore implements RouteStore {
  readonly hasHealthChecker = false;
  // Unusable URLs are reported once, where the file is read, not by every worker.
  readonly #table = new RouteTable(Date.now, () => {});
  readonly #share: (mark: DeadMark) => void;
  #closed = false;

  /**
   * @param entries the routes to begin with
   * @param share tells the other workers of a death; must not throw
   */
  constructor(entries: readonly RouteEntry[], share: (mark: DeadMark) => void) {
    this.#share = share;
    this.#table.replace(entries);
  }

  /**
   * The file has changed: these are the routes from now on. A dead mark stays only where the same URL still has the
   * same place in its list.
   */
  replace(entries: readonly RouteEntry[]): void {
    this.#table.replace(entries);
  }

  /** Another worker found a backend dead. Idempotent. */
  bury(mark: DeadMark): void {
    this.#table.bury(mark);
  }

  async find(keys: readonly string[]): Promise<Route | null> {
    if (this.#closed) throw new RouterError('store-unavailable', 'the store is closed');
    return this.#table.find(keys);
  }

  peek(frontend: string): Route | null | undefined {
    return this.#closed ? undefined : this.#table.find(candidates(frontend));
  }

  async markDead(death: Death, ttlSeconds: number): Promise<void> {
    this.#share(this.#table.mourn(death, ttlSeconds));
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true;
  }
}

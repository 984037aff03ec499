import { readList, type RouteList } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import { candidates } from '../core/hostname.ts';
import type { Death, Route } from '../core/types.ts';
import { RouteTable, urlFault } from './route-table.ts';
import type { DeadMark } from './dead-marks.ts';
import type { Notify, Recollection, RouteStore } from './store.ts';

/** What a MemoryStore may be given; all of it has a default. */
export interface MemoryStoreOptions {
  readonly notify?: Notify;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Routes of this process alone: the reference for all stores, and what tests route by. */
export class MemoryStore implements RouteStore {
  readonly hasHealthChecker = false;
  // A Map, not an object: `__proto__` is a host like any other.
  readonly #lists = new Map<string, RouteList>();
  readonly #table: RouteTable;
  readonly #notify: Notify;
  #closed = false;

  constructor({ notify = () => {}, now = Date.now }: MemoryStoreOptions = {}) {
    this.#notify = notify;
    this.#table = new RouteTable(this.#lists, now);
  }

  /** Puts a route in place: the identifier, then the backend URLs. An empty list removes it, as in Redis. */
  set(key: string, list: readonly string[]): void {
    if (list.length === 0) this.#lists.delete(key);
    else
      this.#lists.set(
        key,
        readList(list, (href, fault) => this.#report(key, urlFault(href, fault))),
      );
  }

  /** Removes a route; one that is not there is no fault. */
  remove(key: string): void {
    this.#lists.delete(key);
  }

  async find(keys: readonly string[]): Promise<Route | null> {
    if (this.#closed) throw new RouterError('store-unavailable', 'the store is closed');
    return this.#table.find(keys);
  }

  peek(frontend: string): Route | null | undefined {
    return this.#closed ? undefined : this.#table.find(candidates(frontend));
  }

  recollect(frontend: string): Recollection {
    return { route: this.#table.find(candidates(frontend)), isFresh: true, ageMs: 0 };
  }

  forget(): number {
    return 0;
  }

  ownMarks(frontend: string | null): readonly DeadMark[] {
    return this.#table.marks(frontend);
  }

  async markDead(death: Death, ttlSeconds: number): Promise<void> {
    this.#table.mourn(death, ttlSeconds);
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true;
  }

  #report(key: string, fault: string): void {
    this.#notify({ type: 'route-fault', key, fault });
  }
}

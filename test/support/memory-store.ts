import { RouterError } from '../../lib/core/errors.ts';
import { candidates } from '../../lib/core/routing/hostname.ts';
import type { Death, Route } from '../../lib/core/routing/types.ts';
import type { SiteFields, SiteHash } from '../../lib/core/routing/site.ts';
import type { DeadMark } from '../../lib/store/dead-marks.ts';
import { MemoryLists } from './memory-lists.ts';
import { RouteTable } from '../../lib/store/route-table.ts';
import { type Marking, type Notify, type Recollection, type RouteStore } from '../../lib/store/store.ts';

/** What a MemoryStore may be given; all of it has a default. */
export interface MemoryStoreOptions {
  readonly notify?: Notify;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Routes of this process alone: the reference for all stores, and what tests route by. */
export class MemoryStore implements RouteStore {
  readonly hasHealthChecker = false;
  /** No backend is ever on trial. */
  readonly trials = { take: () => Promise.resolve(Infinity), pass: () => Promise.resolve() };
  readonly remembered = { hosts: 0, bytes: 0 };
  readonly #lists = new MemoryLists();
  readonly #table: RouteTable;
  readonly #notify: Notify;
  #closed = false;

  constructor({ notify = () => {}, now = Date.now }: MemoryStoreOptions = {}) {
    this.#notify = notify;
    this.#table = new RouteTable(this.#lists, now);
  }

  /** Puts a route in place: the identifier, then the backend URLs. An empty list removes it, as in Redis. */
  set(key: string, list: readonly string[]): void {
    this.#lists.set(key, list, (faulty, fault) => this.#report(faulty, fault));
  }

  /** Removes a route; one that is not there is no fault. */
  remove(key: string): void {
    this.set(key, []);
  }

  /** Which prefixes of a host have routes of their own. */
  setPrefixes(key: string, names: readonly string[]): void {
    this.#lists.setPrefixes(key, names);
  }

  setSite(hash: SiteHash, key: string, fields: SiteFields): void {
    this.#lists.setSite(hash, key, fields);
    this.#table.replace(this.#lists);
  }

  setPages(key: string, pages: SiteFields): void {
    this.#lists.setPages(key, pages);
  }

  async find(keys: readonly string[], path: string): Promise<Route | null> {
    if (this.#closed) throw new RouterError('store-unavailable', 'the store is closed');
    return this.#table.find(keys, path);
  }

  peek(host: string, path: string): Route | null | undefined {
    return this.#closed ? undefined : this.#table.find(candidates(host), path);
  }

  async page(keys: readonly string[], status: number): Promise<string | null> {
    return this.#table.page(keys, status);
  }

  recollect(host: string, path: string): Recollection {
    return { route: this.#table.find(candidates(host), path), isFresh: true, ageMs: 0 };
  }

  /** All routes are in memory. */
  readonly hasLastKnown = true;

  forget(): number {
    return 0;
  }

  ownMarks(frontend: string | null): readonly DeadMark[] {
    return this.#table.marks(frontend);
  }

  async markDead(death: Death, ttlSeconds: number): Promise<Marking> {
    return this.#table.markDead(death, ttlSeconds) ? 'marked' : 'last';
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true;
  }

  #report(key: string, fault: string): void {
    this.#notify({ type: 'route-fault', key, fault });
  }
}

import type { Config } from '../../config/config.ts';
import type { ChangeOutcome } from '../../core/record/change-record.ts';
import { KnownRoutes, type KnownRun } from '../../store/cache/known-routes.ts';
import type { SnapshotUpdate } from '../../store/cache/snapshot-updates.ts';
import { isPageName } from '../../store/cache/last-known-pages.ts';
import { SnapshotFile } from '../../store/cache/snapshot-file.ts';
import type { Notify } from '../../store/store.ts';
import type { Inheritance } from './snapshot-handover.ts';
import type { SnapshotQuery, SnapshotReply } from '../messages.ts';

/** Characters of all routes together: some 100 bytes of memory more for each route. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** The same of error pages: large ones must not push routes out. */
const PAGES = { max: 10_000, maxCharacters: 8 * 1024 * 1024 };
/** Of one answer to a worker. */
const MAX_ANSWER = 1024 * 1024;

/**
 * The routes that workers know, for those that come after them: a worker, a generation or a program that starts while
 * Redis gives no answer serves what others have read. With `cache.snapshot` they are in a file, too.
 */
export class SnapshotKeeper {
  readonly #notify: Notify;
  /** By driver: during a reload there may be two. */
  readonly #known = new Map<string, KnownRoutes>();
  /** Error pages, likewise. */
  readonly #pages = new Map<string, KnownRoutes>();
  #driver = '';
  #file: SnapshotFile | null = null;

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  /** Makes room for what a configuration's workers read; they are about to start. What is known of their Redis stays. */
  open(config: Config): KnownRoutes {
    const { cache, driver } = config;
    const limits = { max: cache.max, maxCharacters: MAX_CHARACTERS, maxAgeMs: cache.maxStale * 1000 };
    const known = this.#known.get(driver.read) ?? new KnownRoutes(limits);
    this.#known.set(driver.read, known);
    const maxAgeMs = cache.maxStale * 1000;
    const pages = this.#pages.get(driver.read) ?? new KnownRoutes({ ...PAGES, maxAgeMs });
    pages.limits = { ...PAGES, maxAgeMs };
    this.#pages.set(driver.read, pages);
    return known;
  }

  /** This configuration serves: what is known of another's Redis is forgotten, and the file is where this one says. */
  async configure(config: Config): Promise<void> {
    const { cache, driver } = config;
    const known = this.open(config);
    this.#driver = driver.read;
    this.keepOnly(config);
    known.limits = { max: cache.max, maxCharacters: MAX_CHARACTERS, maxAgeMs: cache.maxStale * 1000 };
    const path = driver.read.startsWith('file:') ? null : cache.snapshot;
    if (this.#file?.path === (path ?? undefined) && this.#file?.known === known) return;
    await this.#file?.close();
    this.#file = path === null ? null : new SnapshotFile(path, known, this.#notify);
  }

  /** Forgets what is known of the Redis of other configurations. */
  keepOnly({ driver }: Config): void {
    for (const known of [this.#known, this.#pages]) {
      for (const other of known.keys()) if (other !== driver.read) known.delete(other);
    }
  }

  /** A worker of this configuration has read something from Redis. */
  learn({ driver }: Config, update: SnapshotUpdate): void {
    this.#known.get(driver.read)?.learn({ ...update, routes: update.routes.filter(([name]) => !isPageName(name)) });
    const pages = this.#pages.get(driver.read);
    for (const learnt of update.routes) if (isPageName(learnt[0])) pages?.add(learnt);
  }

  /** What a worker of this configuration asks for. */
  answer({ driver }: Config, { id, hosts }: SnapshotQuery): SnapshotReply {
    const known = this.#known.get(driver.read);
    const pages = this.#pages.get(driver.read);
    const now = Date.now();
    const lines: (readonly string[])[] = [];
    let characters = 0;
    for (const host of hosts) {
      if (characters > MAX_ANSWER) break;
      const found = (isPageName(host) ? pages : known)?.find(host, now) ?? [];
      for (const line of found) characters += line.length;
      lines.push(found);
    }
    return { id, lines };
  }

  /** What came of the last write of the snapshot; null before the first, and without one. */
  get snapshot(): ChangeOutcome | null {
    return this.#file?.lastWrite ?? null;
  }

  /** Of which run the routes are that a worker of this configuration will ask for. */
  run({ driver }: Config): KnownRun {
    return this.#known.get(driver.read)?.run ?? { runId: null, lostAt: null };
  }

  /** Whether a worker without Redis has something to ask for. */
  get hasRoutes(): boolean {
    return this.#known.get(this.#driver)?.hasRoutes(Date.now()) ?? false;
  }

  /** All that is known, for a successor. */
  get estate(): Inheritance {
    const known = this.#known.get(this.#driver);
    const run = known?.run ?? { runId: null, lostAt: null };
    // As it is now: workers go on learning while it is on its way.
    const pages = this.#pages.get(this.#driver)?.all() ?? [];
    return { driver: this.#driver, run, routes: [...(known?.all() ?? []), ...pages] };
  }

  /** Takes what a predecessor knew, if it is of this configuration's Redis. */
  inherit({ driver }: Config, estate: Inheritance): void {
    const known = this.#known.get(driver.read);
    if (known === undefined || estate.driver !== driver.read) return;
    known.resume(estate.run);
    const pages = this.#pages.get(driver.read);
    for (const learnt of estate.routes) (isPageName(learnt[0]) ? pages : known)?.add(learnt);
  }

  /** The operator wants a host forgotten, or all (null). */
  forget(host: string | null): void {
    for (const known of this.#known.values()) known.forget(host);
    // Pages of a host have many names.
    for (const pages of this.#pages.values()) pages.forget(null);
  }

  /** Resolves when all that is known is in the file. */
  async save(): Promise<void> {
    await this.#file?.save();
  }

  /** A successor keeps them from now on: what this one learns is older, and is not to take the place of that. */
  async leave(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.leave();
  }

  /** Saves for the last time. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}

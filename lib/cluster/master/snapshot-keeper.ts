import type { Config } from '../../config/config.ts';
import type { ChangeOutcome } from '../../core/record/change-record.ts';
import { KnownRoutes, type KnownRun } from '../../store/cache/known-routes.ts';
import type { SnapshotUpdate } from '../../store/cache/snapshot-updates.ts';
import { isPageName } from '../../store/cache/last-known-pages.ts';
import { SnapshotFile } from '../../store/cache/snapshot-file.ts';
import type { Notify } from '../../store/store.ts';
import type { Inheritance } from './snapshot-handover.ts';
import type { SnapshotQuery, SnapshotReply } from '../messages.ts';

/** The maximum size of all routes, characters. Each route takes about 100 bytes of memory more. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** The limits of error pages, kept apart so that large pages do not displace routes. */
const PAGES = { max: 10_000, maxCharacters: 8 * 1024 * 1024 };
/** The maximum size of a reply to a worker, characters. */
const MAX_ANSWER = 1024 * 1024;

/**
 * The routes that workers have read from Redis, in the master. A worker, generation or program that starts while Redis
 * does not reply serves these. With `cache.snapshot` they are also saved to a file.
 */
export class SnapshotKeeper {
  readonly #notify: Notify;
  /** By driver URL: during a reload there may be two. */
  readonly #known = new Map<string, KnownRoutes>();
  /** Error pages, likewise. */
  readonly #pages = new Map<string, KnownRoutes>();
  #driver = '';
  #file: SnapshotFile | null = null;

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  /** Prepares for the workers of a configuration, which are about to start. What is known of their Redis is kept. */
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

  /** This configuration serves now: drops what is known of another Redis, and opens its snapshot file. */
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

  /** Drops what is known of the Redis of other configurations. */
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

  /** The reply to a worker of this configuration. */
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

  /** The outcome of the last write of the snapshot file; null before the first, and without a file. */
  get snapshot(): ChangeOutcome | null {
    return this.#file?.lastWrite ?? null;
  }

  /** The run of Redis that the routes for this configuration come from. */
  run({ driver }: Config): KnownRun {
    return this.#known.get(driver.read)?.run ?? { runId: null, lostAt: null };
  }

  /** Whether a worker without Redis could get routes here. */
  get hasRoutes(): boolean {
    return this.#known.get(this.#driver)?.hasRoutes(Date.now()) ?? false;
  }

  /** Everything that is known, for a successor. */
  get estate(): Inheritance {
    const known = this.#known.get(this.#driver);
    const run = known?.run ?? { runId: null, lostAt: null };
    // A copy: workers report more while it is being sent.
    const pages = this.#pages.get(this.#driver)?.all() ?? [];
    return { driver: this.#driver, run, routes: [...(known?.all() ?? []), ...pages] };
  }

  /** Takes a predecessor's snapshot, if it is of this configuration's Redis. */
  inherit({ driver }: Config, estate: Inheritance): void {
    const known = this.#known.get(driver.read);
    if (known === undefined || estate.driver !== driver.read) return;
    known.resume(estate.run);
    const pages = this.#pages.get(driver.read);
    for (const learnt of estate.routes) (isPageName(learnt[0]) ? pages : known)?.add(learnt);
  }

  /** Drops a host at the operator's request, or all hosts (null). */
  forget(host: string | null): void {
    for (const known of this.#known.values()) known.forget(host);
    // The pages of a host have many names, so all pages are dropped.
    for (const pages of this.#pages.values()) pages.forget(null);
  }

  /** Resolves when the file has everything that is known. */
  async save(): Promise<void> {
    await this.#file?.save();
  }

  /** Stops writing the file, because a successor writes it now: what this program learns is older. */
  async leave(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.leave();
  }

  /** Writes the file for the last time. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}

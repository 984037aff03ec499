import { LRUCache } from 'lru-cache';
import { NO_MARKS, withMarks } from '../../core/routing/backend.ts';
import { isStoreSilent } from '../../core/errors.ts';
import { splitKey } from '../../core/routing/prefixes.ts';
import { withDead } from '../../core/routing/selection.ts';
import type { Death, Route } from '../../core/routing/types.ts';
import type { DeadMark } from '../dead-marks.ts';
import type { Freshness } from './freshness.ts';
import { type Get, HostMemory, type Remembered } from './host-memory.ts';
import { isOwn, isSame, isUnchanged, nearest } from './remembered-routes.ts';
import type { PageSource } from '../pages.ts';
import { type Reading, routeIn, type RouteSource } from '../reading.ts';
import { type Read, Reads } from './reads.ts';
import { restoreRoute, type SavedRoute } from './snapshot.ts';
import type { StoreCounts } from '../store-counts.ts';
import type { Asker, Marking, Recollection, RouteStore, TrialMarks } from '../store.ts';
import { UnknownHosts } from './unknown-hosts.ts';
import { UnfiledDeaths } from './unfiled-deaths.ts';

/** What RememberingStore needs. */
export interface RememberingParts {
  readonly source: RouteSource;
  readonly pages: PageSource;
  readonly counts: StoreCounts;
  readonly freshness: Freshness;
  /** How many hosts are remembered; see HostMemory. */
  readonly max: number;
  /** How long after its last confirmation a route is used while the source does not reply, ms. 0: not used. */
  readonly maxStaleMs: number;
  /** How long a dead mark counts that was read earlier, while the source does not reply, ms. */
  readonly deadMs: number;
  /** Called for reads whose result differs from the last one of the host, and for others from time to time. */
  readonly learn: ((frontend: string, route: Route | null) => void) | null;
  /** Requests what other workers know of a host and its prefixes, while the source does not reply. Null without others. */
  readonly recall: ((host: string) => Promise<readonly SavedRoute[]>) | null;
  /** The operator wants everything forgotten: what the source has now is meant, even if it is empty. */
  readonly believe: () => void;
  /** Closes what is not needed without the store. */
  readonly endsToo: () => Promise<unknown>;
}

/**
 * A store that remembers the results of another one. While they are fresh, the source is not asked. While the source
 * does not reply, the last results are used for a limited time, so that sites stay up. Backends that could not be
 * marked dead meanwhile count as dead here, and are marked later.
 */
export class RememberingStore implements RouteStore {
  readonly trials: TrialMarks;
  readonly #parts: RememberingParts;
  readonly #memory: HostMemory;
  readonly #get: Get = (frontend) => this.#memory.get(frontend);
  readonly #look: Get = (frontend) => this.#memory.peek(frontend);
  readonly #reads = new Reads();
  readonly #unfiled: UnfiledDeaths;
  readonly #unknownHosts = new UnknownHosts(() => performance.now());
  /** Hosts that other workers were asked for recently. */
  readonly #recalled = new LRUCache<string, true>({ max: MAX_RECALLED, ttl: RECALL_MS });

  constructor(parts: RememberingParts) {
    this.#parts = parts;
    const { trials } = parts.source;
    this.trials = {
      take: (frontend, backend, ms) => trials.take(frontend, backend, ms),
      pass: (frontend, backend) => trials.pass(frontend, backend).finally(() => this.doubt(frontend)),
    };
    this.#memory = new HostMemory(parts.max);
    this.#unfiled = new UnfiledDeaths((death, ttlSeconds) => this.#fileLate(death, ttlSeconds), Date.now);
  }

  get hasHealthChecker(): boolean {
    return this.#parts.source.hasHealthChecker;
  }

  get hasLastKnown(): boolean {
    const now = performance.now();
    return this.#memory.hasRoute((known) => this.#mayServeLate(known, now));
  }

  get remembered(): { readonly hosts: number; readonly bytes: number } {
    return { hosts: this.#memory.size, bytes: 0 };
  }

  peek(host: string, path: string): Route | null | undefined {
    const known = this.#known(host, path, this.#get);
    if (known === undefined) return undefined;
    this.#parts.counts.hits++;
    return this.#withUnfiled(known.route);
  }

  async page(keys: readonly string[], status: number): Promise<string | null> {
    return this.#parts.pages.find(keys, status);
  }

  recollect(host: string, path: string): Recollection | null {
    const fresh = this.#known(host, path, this.#look);
    const known = fresh ?? nearest(host, path, this.#look);
    if (known === undefined) return null;
    const ageMs = performance.now() - known.read.at;
    return { route: this.#withUnfiled(known.route), isFresh: fresh !== undefined, ageMs };
  }

  forget(host: string | null): number {
    this.#recalled.clear();
    if (host !== null) this.#reads.doubt(host);
    else this.#parts.believe();
    return host === null ? this.#memory.clear() : this.#memory.delete(host);
  }

  ownMarks(frontend: string | null): readonly DeadMark[] {
    const kept = frontend === null ? (this.#parts.source.wildcardMarks?.list() ?? []) : [];
    return [...this.#unfiled.marks(frontend), ...kept];
  }

  find(candidates: readonly string[], path: string, asker?: Asker): Promise<Route | null> {
    const [host = ''] = candidates;
    const route = this.peek(host, path);
    return route === undefined ? this.#ask(host, candidates, path, asker) : Promise.resolve(route);
  }

  async markDead(death: Death, ttlSeconds: number): Promise<Marking> {
    const { frontend } = death.route;
    this.doubt(frontend);
    try {
      return await this.#parts.source.markDead(death, ttlSeconds);
    } catch (error) {
      if (!this.#unfiled.add(death, ttlSeconds)) return 'last';
      throw error;
    } finally {
      // Once more: readings meanwhile may not have the change yet.
      this.doubt(frontend);
    }
  }

  /** A host, or one of its prefixes, has changed: reads it again. The old reading is still used if that fails. */
  doubt(frontend: string): void {
    this.#reads.doubt(splitKey(frontend).host);
    const known = this.#memory.peek(frontend);
    if (known !== undefined) known.read.isDoubtful = true;
  }

  /** Something that all prefixes of a host share has changed, or the set of prefixes. */
  doubtAll(host: string): void {
    this.doubt(host);
    // All remembered prefixes: the host itself may be forgotten, and a removed prefix may come back.
    for (const frontend of this.#memory.under(host)) this.doubt(frontend);
  }

  /** Takes a route that other workers know, unless this one has read it later. `agoMs`: time since its confirmation. */
  recall(route: Route, agoMs: number): void {
    const read = { at: performance.now() - agoMs, stamp: BEFORE, isDoubtful: true };
    const known = this.#memory.peek(route.frontend);
    if (known !== undefined && known.read.at >= read.at) return;
    const prefixes = route.prefix === '' ? SOME : null;
    const learntAt = -Infinity;
    this.#memory.set(route.frontend, { route, prefixes, isOwn: isOwn(route), read, expiresAt: Infinity, learntAt });
  }

  ready(): Promise<void> {
    return this.#parts.source.ready();
  }

  async close(): Promise<void> {
    this.#unfiled.close();
    await Promise.all([this.#parts.source.close(), this.#parts.endsToo()]);
    this.#memory.clear();
  }

  /** Marks a backend dead that could not be marked before. */
  async #fileLate(death: Death, ttlSeconds: number): Promise<void> {
    await this.#parts.source.markDead(death, ttlSeconds);
    // Readings since the source replies again do not have the mark, and from now on this worker has it nowhere else.
    this.doubt(death.route.frontend);
  }

  /** The fresh reading for the request's route; undefined when a part of it is not fresh. */
  #known(host: string, path: string, get: Get): Remembered | undefined {
    const { freshness } = this.#parts;
    if (!freshness.isEver) return undefined;
    const now = performance.now();
    const known = get(host);
    if (known === undefined || !freshness.isFresh(known, now)) return undefined;
    const { prefixes } = known;
    if (prefixes === null) return known;
    if (prefixes === SOME) return undefined;
    for (let limit = Infinity; ;) {
      const prefix = prefixes.longest(path, limit);
      if (prefix === null) return known;
      const under = get(host + prefix);
      if (under === undefined || !freshness.isFresh(under, now)) return undefined;
      if (under.route !== null) return under;
      limit = prefix.length;
    }
  }

  async #ask(host: string, candidates: readonly string[], path: string, asker?: Asker): Promise<Route | null> {
    const { source, freshness } = this.#parts;
    const read = this.#reads.begin(host, performance.now(), freshness.stamp);
    try {
      const look = (): Promise<Reading> => source.read(candidates, path);
      const isUnknown = this.#memory.peek(host) === undefined;
      const reading = await (isUnknown ? this.#unknownHosts.read(look, asker) : look());
      this.#remember(host, reading, read);
      return this.#withUnfiled(routeIn(reading));
    } catch (error) {
      if (!isStoreSilent(error)) throw error;
      await this.#recall(host);
      const known = this.#lastKnown(host, path);
      if (known === null) throw error;
      return known;
    } finally {
      this.#reads.end(host, read);
    }
  }

  /** Requests a host from other workers. */
  async #recall(host: string): Promise<void> {
    const { recall } = this.#parts;
    const known = this.#memory.peek(host);
    if (recall === null || (known !== undefined && known.route !== null && known.prefixes === null)) return;
    if (this.#recalled.has(host)) return;
    const saved = await recall(host);
    const now = Date.now();
    for (const each of saved) this.recall(restoreRoute(each), Math.max(0, now - each[3]));
    this.#recalled.set(host, true);
  }

  #remember(host: string, { own, prefixes, under, expiresMs }: Reading, read: Read): void {
    if (own !== undefined) this.#set(host, own, prefixes, read, expiresMs);
    else this.#hasPrefixes(host);
    for (const { prefix, route } of under) this.#set(host + prefix, route, null, read, expiresMs);
  }

  /** The reading of the host's own route is kept. */
  #hasPrefixes(host: string): void {
    const known = this.#memory.peek(host);
    if (known !== undefined && known.prefixes === null) this.#memory.set(host, { ...known, prefixes: SOME });
  }

  #set(frontend: string, route: Route | null, prefixes: Reading['prefixes'], read: Read, expiresMs: number): void {
    const known = this.#memory.get(frontend);
    const learntAt = this.#learn(frontend, known, route, read.at);
    const expiresAt = read.at + expiresMs;
    if (known !== undefined && isUnchanged(known, route, prefixes)) {
      // Most readings are unchanged. Keeping new objects would move them to V8's old generation, which costs far more.
      known.read = read;
      known.expiresAt = expiresAt;
      known.learntAt = learntAt;
    } else {
      this.#memory.set(frontend, { route, prefixes, isOwn: isOwn(route), read, expiresAt, learntAt });
    }
  }

  /** Passes on a changed reading, or one that was not passed on for long. @returns when this host was passed on last */
  #learn(frontend: string, known: Remembered | undefined, route: Route | null, now: number): number {
    const { learn, maxStaleMs } = this.#parts;
    if (learn === null) return 0;
    if (known && isSame(known.route, route) && now - known.learntAt < maxStaleMs / 10) return known.learntAt;
    // "No such route" is passed on, too: others may have one that was removed.
    learn(frontend, route);
    return now;
  }

  /** The last known route; null when there was none, or when it is too old. */
  #lastKnown(host: string, path: string): Route | null {
    const known = nearest(host, path, this.#get);
    if (known === undefined || known.route === null) return null;
    const now = performance.now();
    if (!this.#mayServeLate(known, now)) return null;
    this.#parts.counts.stale++;
    return this.#withUnfiled(this.#withoutOldMarks(known, known.route, now));
  }

  /** Whether a reading may still be used while the source does not reply. */
  #mayServeLate(known: Remembered, now: number): boolean {
    return now - this.#parts.freshness.confirmedAt(known, now) <= this.#parts.maxStaleMs;
  }

  /** In Redis a dead mark expires. A mark that was read long ago must not stay for ever. */
  #withoutOldMarks({ read, expiresAt }: Remembered, route: Route, now: number): Route {
    if (route.dead.size === 0 || now < Math.min(expiresAt, read.at + this.#parts.deadMs)) return route;
    return withMarks(route, NO_MARKS);
  }

  #withUnfiled(found: Route | null): Route | null {
    const route = this.#parts.source.wildcardMarks?.applied(found) ?? found;
    if (route === null || this.#unfiled.isEmpty) return route;
    return withDead(route, this.#unfiled.among(route.backends, route.frontend));
  }
}

/** How long other workers are not asked again for a host, ms: they learn nothing new while Redis does not reply. */
const RECALL_MS = 5_000;
const MAX_RECALLED = 10_000;

/** The host has prefixes, but not all are known. */
const SOME = 'some';

/** A stamp from before anything was confirmed. */
const BEFORE = { era: -1, wildcards: 0 } as const;

import { LRUCache } from 'lru-cache';
import { NO_MARKS, withMarks } from '../../core/routing/backend.ts';
import { RouterError } from '../../core/errors.ts';
import { splitKey } from '../../core/routing/prefixes.ts';
import { living } from '../../core/routing/selection.ts';
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
import type { Marking, Recollection, RouteStore } from '../store.ts';
import { UnfiledDeaths } from './unfiled-deaths.ts';

/** What a RememberingStore is made of. */
export interface RememberingParts {
  readonly source: RouteSource;
  readonly pages: PageSource;
  readonly counts: StoreCounts;
  readonly freshness: Freshness;
  /** Hosts remembered at most; see HostMemory. */
  readonly max: number;
  /** How long a route serves after it was last known to be right, while the source gives no answer. 0 is not at all. */
  readonly maxStaleMs: number;
  /** How long a dead mark that was read counts while the source cannot be asked whether it still is there. */
  readonly deadMs: number;
  /** Told of reads that brought something else than the last one of their host, and of others from time to time. */
  readonly learn: ((frontend: string, route: Route | null) => void) | null;
  /** What others know of a host and its prefixes. Asked while the source gives no answer. Null where there are none. */
  readonly recall: ((host: string) => Promise<readonly SavedRoute[]>) | null;
  /** The operator wants all forgotten: what the source holds now is what is meant. */
  readonly believe: () => void;
  /** Ends what has no use without the store. */
  readonly endsToo: () => Promise<unknown>;
}

/**
 * A store's answers, remembered. As long as they are fresh, nobody is asked. When the source gives no answer, the last
 * one serves, for a while: tenants' sites stay up. Deaths that could not be filed meanwhile count here, and are filed
 * later.
 */
export class RememberingStore implements RouteStore {
  readonly #parts: RememberingParts;
  readonly #memory: HostMemory;
  readonly #get: Get = (frontend) => this.#memory.get(frontend);
  readonly #look: Get = (frontend) => this.#memory.peek(frontend);
  readonly #reads = new Reads();
  readonly #unfiled: UnfiledDeaths;
  /** Hosts that others were asked for lately. */
  readonly #recalled = new LRUCache<string, true>({ max: MAX_RECALLED, ttl: RECALL_MS });

  constructor(parts: RememberingParts) {
    this.#parts = parts;
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

  find(candidates: readonly string[], path: string): Promise<Route | null> {
    const [host = ''] = candidates;
    const route = this.peek(host, path);
    return route === undefined ? this.#ask(host, candidates, path) : Promise.resolve(route);
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
      // Again: what was read meanwhile may not know of it.
      this.doubt(frontend);
    }
  }

  /** Something of a host, or of one of its prefixes, has changed: it has to be read again. What is known still may serve while that fails. */
  doubt(frontend: string): void {
    this.#reads.doubt(splitKey(frontend).host);
    const known = this.#memory.peek(frontend);
    if (known !== undefined) known.read.isDoubtful = true;
  }

  /** What all of a host's prefixes have in common has changed, or which of them count. */
  doubtAll(host: string): void {
    this.doubt(host);
    // All that are remembered: the host itself may be forgotten, and a prefix that it has no longer may come back.
    for (const frontend of this.#memory.under(host)) this.doubt(frontend);
  }

  /** Takes what was known to others. What was read here later stays. `agoMs`: for how long it was not confirmed. */
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

  /** Files a death that counts here until it is filed. */
  async #fileLate(death: Death, ttlSeconds: number): Promise<void> {
    await this.#parts.source.markDead(death, ttlSeconds);
    // What was read since the source answers again does not know of it, and from now on nothing else here does.
    this.doubt(death.route.frontend);
  }

  /** What is known for sure of the request's route; undefined when something of it is not. */
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

  async #ask(host: string, candidates: readonly string[], path: string): Promise<Route | null> {
    const { source, freshness } = this.#parts;
    const read = this.#reads.begin(host, performance.now(), freshness.stamp);
    try {
      const reading = await source.read(candidates, path);
      this.#remember(host, reading, read);
      return this.#withUnfiled(routeIn(reading));
    } catch (error) {
      if (!isSilence(error)) throw error;
      await this.#recall(host);
      const known = this.#lastKnown(host, path);
      if (known === null) throw error;
      return known;
    } finally {
      this.#reads.end(host, read);
    }
  }

  /** Asks others for what is not known here of a host. */
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

  /** What is known of a host's own route stays as it is. */
  #hasPrefixes(host: string): void {
    const known = this.#memory.peek(host);
    if (known !== undefined && known.prefixes === null) this.#memory.set(host, { ...known, prefixes: SOME });
  }

  #set(frontend: string, route: Route | null, prefixes: Reading['prefixes'], read: Read, expiresMs: number): void {
    const known = this.#memory.get(frontend);
    const learntAt = this.#learn(frontend, known, route, read.at);
    const expiresAt = read.at + expiresMs;
    if (known !== undefined && isUnchanged(known, route, prefixes)) {
      // Most reads bring what was known. To keep the new objects would make old ones of them, which costs far more.
      known.read = read;
      known.expiresAt = expiresAt;
      known.learntAt = learntAt;
    } else {
      this.#memory.set(frontend, { route, prefixes, isOwn: isOwn(route), read, expiresAt, learntAt });
    }
  }

  /** Passes on what is new, and what was not passed on for long. @returns when this host was passed on the last time */
  #learn(frontend: string, known: Remembered | undefined, route: Route | null, now: number): number {
    const { learn, maxStaleMs } = this.#parts;
    if (learn === null) return 0;
    if (known && isSame(known.route, route) && now - known.learntAt < maxStaleMs / 10) return known.learntAt;
    // What there is none of is told, too: others may know of one that there was.
    learn(frontend, route);
    return now;
  }

  /** The route as it was when it could be read; null when there was none, or that is too long ago. */
  #lastKnown(host: string, path: string): Route | null {
    const known = nearest(host, path, this.#get);
    if (known === undefined || known.route === null) return null;
    const now = performance.now();
    if (!this.#mayServeLate(known, now)) return null;
    this.#parts.counts.stale++;
    return this.#withUnfiled(this.#withoutOldMarks(known, known.route, now));
  }

  /** Whether it still serves while the source gives no answer. */
  #mayServeLate(known: Remembered, now: number): boolean {
    return now - this.#parts.freshness.confirmedAt(known, now) <= this.#parts.maxStaleMs;
  }

  /** In Redis a dead mark goes after its time; one that was read long ago would stay for ever. */
  #withoutOldMarks({ read, expiresAt }: Remembered, route: Route, now: number): Route {
    if (route.dead.size === 0 || now < Math.min(expiresAt, read.at + this.#parts.deadMs)) return route;
    return withMarks(route, NO_MARKS);
  }

  #withUnfiled(found: Route | null): Route | null {
    const route = this.#parts.source.wildcardMarks?.applied(found) ?? found;
    if (route === null || this.#unfiled.isEmpty) return route;
    const unfiled = this.#unfiled.among(route.backends, route.frontend);
    if (unfiled.size === 0) return route;
    const dead = new Set([...route.dead, ...unfiled]);
    const merged = withMarks(route, { dead, deadByRouters: new Set([...route.deadByRouters, ...unfiled]) });
    // Others have marked the rest meanwhile: what only this router knows does not take the last one.
    return living(merged).length === 0 ? route : merged;
  }
}

/** How long others are not asked again for the same host, ms: what they know grows no more while Redis is silent. */
const RECALL_MS = 5_000;
const MAX_RECALLED = 10_000;

/** It has prefixes, and nobody knows all of them. */
const SOME = 'some';

/** Read before there was anything to be sure of. */
const BEFORE = { era: -1, wildcards: 0 } as const;

/** Whether the source gave no answer, rather than a bad one. */
function isSilence(error: unknown): boolean {
  return error instanceof RouterError && error.code === 'store-unavailable';
}

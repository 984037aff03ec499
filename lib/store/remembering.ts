import { withDead } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import { cutsOf, pathOf, splitKey } from '../core/prefixes.ts';
import type { Death, Route } from '../core/types.ts';
import type { DeadMark } from './dead-marks.ts';
import type { Freshness } from './freshness.ts';
import { HostMemory, type Remembered } from './host-memory.ts';
import type { PageSource } from './pages.ts';
import { type Reading, routeIn, type RouteSource } from './reading.ts';
import { type Read, Reads } from './reads.ts';
import type { StoreCounts } from './store-counts.ts';
import type { Recollection, RouteStore } from './store.ts';
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

  constructor(parts: RememberingParts) {
    this.#parts = parts;
    this.#memory = new HostMemory(parts.max);
    this.#unfiled = new UnfiledDeaths((death, ttlSeconds) => this.#fileLate(death, ttlSeconds), Date.now);
  }

  get hasHealthChecker(): boolean {
    return this.#parts.source.hasHealthChecker;
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
    const known = fresh ?? this.#nearest(host, path, this.#look);
    if (known === undefined) return null;
    const ageMs = performance.now() - known.read.at;
    return { route: this.#withUnfiled(known.route), isFresh: fresh !== undefined, ageMs };
  }

  forget(host: string | null): number {
    if (host !== null) this.#reads.doubt(host);
    return host === null ? this.#memory.clear() : this.#memory.delete(host);
  }

  ownMarks(frontend: string | null): readonly DeadMark[] {
    return this.#unfiled.marks(frontend);
  }

  find(candidates: readonly string[], path: string): Promise<Route | null> {
    const [host = ''] = candidates;
    const route = this.peek(host, path);
    return route === undefined ? this.#ask(host, candidates, path) : Promise.resolve(route);
  }

  async markDead(death: Death, ttlSeconds: number): Promise<void> {
    this.doubt(death.frontend);
    try {
      await this.#parts.source.markDead(death, ttlSeconds);
    } catch (error) {
      this.#unfiled.add(death, ttlSeconds);
      throw error;
    } finally {
      // Again: what was read meanwhile may not know of it.
      this.doubt(death.frontend);
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

  /** Takes what was known before this program started. `agoMs`: for how long nobody has confirmed it. */
  recall(route: Route, agoMs: number): void {
    const read = { at: performance.now() - agoMs, stamp: BEFORE, isDoubtful: true };
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
    this.doubt(death.frontend);
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

  /** What was known of it, sure or not. */
  #nearest(host: string, path: string, get: Get): Remembered | undefined {
    const known = get(host);
    // A host of which nothing is known may have had routes by path all the same.
    if (known !== undefined && known.prefixes === null) return known;
    for (const prefix of cutsOf(pathOf(path))) {
      const under = get(host + prefix);
      if (under !== undefined && under.route !== null) return under;
    }
    return known;
  }

  async #ask(host: string, candidates: readonly string[], path: string): Promise<Route | null> {
    const { source, freshness } = this.#parts;
    const read = this.#reads.begin(host, performance.now(), freshness.stamp);
    try {
      const reading = await source.read(candidates, path);
      this.#remember(host, reading, read);
      return this.#withUnfiled(routeIn(reading));
    } catch (error) {
      const known = isSilence(error) ? this.#lastKnown(host, path) : null;
      if (known === null) throw error;
      return known;
    } finally {
      this.#reads.end(host, read);
    }
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
    // A host that nobody knew and nobody knows is no news.
    if (route !== null || known?.route) learn(frontend, route);
    return now;
  }

  /** The route as it was when it could be read; null when there was none, or that is too long ago. */
  #lastKnown(host: string, path: string): Route | null {
    const known = this.#nearest(host, path, this.#get);
    if (known === undefined || known.route === null) return null;
    const now = performance.now();
    if (now - this.#parts.freshness.confirmedAt(known, now) > this.#parts.maxStaleMs) return null;
    this.#parts.counts.stale++;
    return this.#withUnfiled(this.#withoutOldMarks(known, known.route, now));
  }

  /** In Redis a dead mark goes after its time; one that was read long ago would stay for ever. */
  #withoutOldMarks({ read, expiresAt }: Remembered, route: Route, now: number): Route {
    if (route.dead.size === 0 || now < Math.min(expiresAt, read.at + this.#parts.deadMs)) return route;
    return withDead(route, new Set());
  }

  #withUnfiled(route: Route | null): Route | null {
    if (route === null || this.#unfiled.isEmpty) return route;
    const dead = this.#unfiled.among(route.backends, route.frontend);
    return dead.size === 0 ? route : withDead(route, new Set([...route.dead, ...dead]));
  }
}

/** By frontend; whether asking makes it live longer is the asker's choice. */
type Get = (frontend: string) => Remembered | undefined;

/** It has prefixes, and nobody knows all of them. */
const SOME = 'some';

/** Read before there was anything to be sure of. */
const BEFORE = { era: -1, wildcards: 0 } as const;

/** Whether the source gave no answer, rather than a bad one. */
function isSilence(error: unknown): boolean {
  return error instanceof RouterError && error.code === 'store-unavailable';
}

/** Whether a route was found under the host's own key, so that no wildcard was asked for. */
function isOwn(route: Route | null): boolean {
  return route !== null && route.size > 0 && route.key === route.frontend;
}

/** Whether what was read now is what was read before. */
function isUnchanged(known: Remembered, route: Route | null, prefixes: Reading['prefixes']): boolean {
  // Where all prefixes are known, the store is asked when something has changed.
  if (known.prefixes !== prefixes || !isSame(known.route, route)) return false;
  return known.route === null || route === null || isSameSet(known.route.dead, route.dead);
}

function isSameSet(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const id of a) if (!b.has(id)) return false;
  return true;
}

/** Whether two readings name the same backends in the same way. Dead marks come and go. */
function isSame(a: Route | null, b: Route | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.key !== b.key || a.options !== b.options) return false;
  return a.backends === b.backends && a.name === b.name && a.size === b.size;
}

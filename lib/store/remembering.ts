import { routeOf } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import type { Death, Route } from '../core/types.ts';
import type { DeadMark } from './dead-marks.ts';
import type { Freshness } from './freshness.ts';
import { HostMemory, type Remembered } from './host-memory.ts';
import type { RouteSource } from './reading.ts';
import { type Read, Reads } from './reads.ts';
import type { StoreCounts } from './store-counts.ts';
import type { Recollection, RouteStore } from './store.ts';
import { UnfiledDeaths } from './unfiled-deaths.ts';

/** What a RememberingStore is made of. */
export interface RememberingParts {
  readonly source: RouteSource;
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
  readonly #reads = new Reads();
  readonly #unfiled: UnfiledDeaths;

  constructor(parts: RememberingParts) {
    this.#parts = parts;
    this.#memory = new HostMemory(parts.max);
    this.#unfiled = new UnfiledDeaths((death, ttlSeconds) => parts.source.markDead(death, ttlSeconds), Date.now);
  }

  get hasHealthChecker(): boolean {
    return this.#parts.source.hasHealthChecker;
  }

  peek(frontend: string): Route | null | undefined {
    const known = this.#memory.get(frontend);
    if (known === undefined || !this.#parts.freshness.isFresh(known, performance.now())) return undefined;
    this.#parts.counts.hits++;
    return this.#withUnfiled(known.route);
  }

  recollect(frontend: string): Recollection | null {
    const known = this.#memory.peek(frontend);
    if (known === undefined) return null;
    const now = performance.now();
    const isFresh = this.#parts.freshness.isFresh(known, now);
    return { route: this.#withUnfiled(known.route), isFresh, ageMs: now - known.read.at };
  }

  forget(frontend: string | null): number {
    if (frontend !== null) this.#reads.doubt(frontend);
    return frontend === null ? this.#memory.clear() : this.#memory.delete(frontend);
  }

  ownMarks(frontend: string | null): readonly DeadMark[] {
    return this.#unfiled.marks(frontend);
  }

  find(candidates: readonly string[]): Promise<Route | null> {
    const [frontend = ''] = candidates;
    const route = this.peek(frontend);
    return route === undefined ? this.#ask(frontend, candidates) : Promise.resolve(route);
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

  /** Something of this host has changed: it has to be read again. What is known still may serve while that fails. */
  doubt(frontend: string): void {
    this.#reads.doubt(frontend);
    const known = this.#memory.peek(frontend);
    if (known !== undefined) known.read.isDoubtful = true;
  }

  /** Takes what was known before this program started. `agoMs`: for how long nobody has confirmed it. */
  recall(route: Route, agoMs: number): void {
    const read = { at: performance.now() - agoMs, stamp: BEFORE, isDoubtful: true };
    this.#memory.set(route.frontend, { route, isOwn: isOwn(route), read, expiresAt: Infinity, learntAt: -Infinity });
  }

  ready(): Promise<void> {
    return this.#parts.source.ready();
  }

  async close(): Promise<void> {
    this.#unfiled.close();
    await Promise.all([this.#parts.source.close(), this.#parts.endsToo()]);
    this.#memory.clear();
  }

  async #ask(frontend: string, candidates: readonly string[]): Promise<Route | null> {
    const { source, freshness } = this.#parts;
    const read = this.#reads.begin(frontend, performance.now(), freshness.stamp);
    try {
      const { route, expiresMs } = await source.read(candidates);
      this.#remember(frontend, route, read, expiresMs);
      return this.#withUnfiled(route);
    } catch (error) {
      const known = isSilence(error) ? this.#lastKnown(frontend) : null;
      if (known === null) throw error;
      return known;
    } finally {
      this.#reads.end(frontend, read);
    }
  }

  #remember(frontend: string, route: Route | null, read: Read, expiresMs: number): void {
    const learntAt = this.#learn(frontend, route, read.at);
    this.#memory.set(frontend, { route, isOwn: isOwn(route), read, expiresAt: read.at + expiresMs, learntAt });
  }

  /** Passes on what is new, and what was not passed on for long. @returns when this host was passed on the last time */
  #learn(frontend: string, route: Route | null, now: number): number {
    const { learn, maxStaleMs } = this.#parts;
    if (learn === null) return 0;
    const known = this.#memory.peek(frontend);
    if (known && isSame(known.route, route) && now - known.learntAt < maxStaleMs / 10) return known.learntAt;
    // A host that nobody knew and nobody knows is no news.
    if (route !== null || known?.route) learn(frontend, route);
    return now;
  }

  /** The route as it was when it could be read; null when there was none, or that is too long ago. */
  #lastKnown(frontend: string): Route | null {
    const known = this.#memory.get(frontend);
    if (known === undefined || known.route === null) return null;
    const now = performance.now();
    if (now - this.#parts.freshness.confirmedAt(known, now) > this.#parts.maxStaleMs) return null;
    this.#parts.counts.stale++;
    return this.#withUnfiled(this.#withoutOldMarks(known, known.route, now));
  }

  /** In Redis a dead mark goes after its time; one that was read long ago would stay for ever. */
  #withoutOldMarks({ read, expiresAt }: Remembered, route: Route, now: number): Route {
    if (route.dead.size === 0 || now < Math.min(expiresAt, read.at + this.#parts.deadMs)) return route;
    return routeOf(route.frontend, route.key, route, new Set());
  }

  #withUnfiled(route: Route | null): Route | null {
    if (route === null || this.#unfiled.isEmpty) return route;
    const dead = this.#unfiled.among(route.backends, route.frontend);
    return dead.size === 0 ? route : routeOf(route.frontend, route.key, route, new Set([...route.dead, ...dead]));
  }
}

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

/** Whether two readings name the same backends in the same way. Dead marks come and go. */
function isSame(a: Route | null, b: Route | null): boolean {
  if (a === null || b === null) return a === b;
  return a.key === b.key && a.backends === b.backends && a.name === b.name && a.size === b.size;
}

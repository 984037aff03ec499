import { LRUCache } from 'lru-cache';
import { isLastLiving, withDead } from '../core/routing/selection.ts';
import type { Death, Route } from '../core/routing/types.ts';
import { DeadMarks, type DeadMark, markOf } from './dead-marks.ts';

/** How many hosts under one wildcard a worker may have `dead:` keys for. */
const MAX_HOSTS = 1_000;
/** How many wildcards are tracked. */
const MAX_WILDCARDS = 1_000;

/**
 * Bounds the keys in Redis of hosts under a wildcard. Marks are stored under the requested host, as Hipache and health
 * checkers expect, and clients can make up any number of hosts. Beyond the bound a mark is kept in this worker, under
 * the wildcard: then it counts for all hosts that the wildcard matches.
 */
export class WildcardMarks {
  readonly #now: () => number;
  readonly #marks: DeadMarks;
  /** By wildcard: when the marks of its hosts expire, ms; roughly in that order. */
  readonly #filed = new LRUCache<string, Map<string, number>>({ max: MAX_WILDCARDS });

  /** @param now returns milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
    this.#marks = new DeadMarks(now);
  }

  /** Whether a mark may be stored under the requested host; if so, it is counted. */
  mayFile({ frontend, key }: Route, ttlSeconds: number): boolean {
    if (frontend === key || ttlSeconds <= 0) return true;
    const now = this.#now();
    const hosts = this.#filed.get(key) ?? new Map<string, number>();
    for (const [host, until] of hosts) {
      if (until > now) break;
      hosts.delete(host);
    }
    if (!hosts.delete(frontend) && hosts.size >= MAX_HOSTS) return false;
    hosts.set(frontend, now + ttlSeconds * 1000);
    this.#filed.set(key, hosts);
    return true;
  }

  /** Keeps a mark here, unless no other backend of the list is alive. @returns whether it counts */
  keep({ route, backend }: Death, ttlSeconds: number): boolean {
    const { key, backends, dead } = route;
    const known = this.#marks.among(backends, key).dead;
    if (isLastLiving(backends, backend.id, (id) => known.has(id) || dead.has(id))) return false;
    this.#marks.add({ ...markOf({ route, backend }, ttlSeconds, this.#now()), frontend: key });
    return true;
  }

  /** A route with the marks that are kept here, unless they would remove its last living backends. */
  applied<T extends Route | null>(route: T): T | Route {
    if (route === null || this.#marks.isEmpty || route.frontend === route.key) return route;
    return withDead(route, this.#marks.among(route.backends, route.key).dead);
  }

  /** The marks kept here, of all wildcards. */
  list(): readonly DeadMark[] {
    return this.#marks.list(null);
  }
}

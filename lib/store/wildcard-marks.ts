import { LRUCache } from 'lru-cache';
import { withMarks } from '../core/routing/backend.ts';
import { isLastLiving, living } from '../core/routing/selection.ts';
import type { Death, Route } from '../core/routing/types.ts';
import { DeadMarks, type DeadMark, markOf } from './dead-marks.ts';

/** Hosts under one wildcard that a worker has `dead:` keys for at a time. */
const MAX_HOSTS = 1_000;
/** Wildcards whose hosts are counted. */
const MAX_WILDCARDS = 1_000;

/**
 * Bounds the keys that hosts under a wildcard have in Redis. Marks are filed under the host asked for, as Hipache and health
 * checkers read them, and clients can think of any number of hosts. Beyond the bound a death is kept in this worker, under the
 * wildcard: then it counts for all hosts that the wildcard matches.
 */
export class WildcardMarks {
  readonly #now: () => number;
  readonly #marks: DeadMarks;
  /** By wildcard: when the marks of its hosts end, ms; about in that order. */
  readonly #filed = new LRUCache<string, Map<string, number>>({ max: MAX_WILDCARDS });

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
    this.#marks = new DeadMarks(now);
  }

  /** Whether a death may be filed under the host asked for; if so, that is counted. */
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

  /** Keeps a death here, unless no other backend of the list lives. @returns whether it counts */
  keep({ route, backend }: Death, ttlSeconds: number): boolean {
    const { key, backends, dead } = route;
    const known = this.#marks.among(backends, key).dead;
    if (isLastLiving(backends, backend.id, (id) => known.has(id) || dead.has(id))) return false;
    this.#marks.add({ ...markOf({ route, backend }, ttlSeconds, this.#now()), frontend: key });
    return true;
  }

  /** A route with the marks that are kept here, unless they are those of its last living backends. */
  applied<T extends Route | null>(route: T): T | Route {
    if (route === null || this.#marks.isEmpty || route.frontend === route.key) return route;
    const here = this.#marks.among(route.backends, route.key).dead;
    if (here.size === 0) return route;
    const dead = new Set([...route.dead, ...here]);
    const merged = withMarks(route, { dead, deadByRouters: new Set([...route.deadByRouters, ...here]) });
    return living(merged).length === 0 ? route : merged;
  }

  /** Those kept here, of all wildcards. */
  list(): readonly DeadMark[] {
    return this.#marks.list(null);
  }
}

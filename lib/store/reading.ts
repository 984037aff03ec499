import type { Prefixes } from '../core/routing/prefixes.ts';
import type { Route } from '../core/routing/types.ts';
import type { HealthMarks, OpenStore, RouteLookups, TrialMarks } from './store.ts';
import type { WildcardMarks } from './wildcard-marks.ts';

/** The result of reading a host and path from a store, and how long it is valid if nothing is written. */
export interface Reading {
  /** The host's own route, whatever the path; undefined when it was not read. */
  readonly own: Route | null | undefined;
  /** `some`: the host has prefixes, but not all are known. */
  readonly prefixes: Prefixes | 'some' | null;
  /** The prefixes that match the path, the longest first: those without a route (null), then one with a route. */
  readonly under: readonly Under[];
  /** When the first of the read keys expires, ms after the reading began; Infinity when none does. */
  readonly expiresMs: number;
}

/** A prefix and its route. */
export interface Under {
  readonly prefix: string;
  readonly route: Route | null;
}

/** The route of the request that the reading was for. */
export function routeIn({ own, under }: Reading): Route | null {
  for (const { route } of under) if (route !== null) return route;
  return own ?? null;
}

/** A store whose results a RememberingStore can keep. */
export interface RouteSource extends RouteLookups, HealthMarks, OpenStore {
  readonly trials: TrialMarks;
  /** Marks that only this worker has. `find` applies them, `read` does not. */
  readonly wildcardMarks?: WildcardMarks;
  /** Like `find`, with everything that the cache needs. Fails like it. */
  read(candidates: readonly string[], path: string): Promise<Reading>;
}

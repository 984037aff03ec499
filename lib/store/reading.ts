import type { Prefixes } from '../core/routing/prefixes.ts';
import type { Route } from '../core/routing/types.ts';
import type { HealthMarks, OpenStore, RouteLookups } from './store.ts';
import type { WildcardMarks } from './wildcard-marks.ts';

/** What a look into a store brought for a host and a path, and how long it can stay right while nobody writes. */
export interface Reading {
  /** The host's own route, whatever the path; undefined where it was not looked at. */
  readonly own: Route | null | undefined;
  /** `some`: the host has prefixes, and nobody knows all of them. */
  readonly prefixes: Prefixes | 'some' | null;
  /** Of the prefixes that the path has, the longest first: those that lead nowhere (null), then one that does. */
  readonly under: readonly Under[];
  /** When the first of the keys that were read expires, ms after the reading began; Infinity when none does. */
  readonly expiresMs: number;
}

/** What a prefix leads to. */
export interface Under {
  readonly prefix: string;
  readonly route: Route | null;
}

/** Where the request goes that the look was for. */
export function routeIn({ own, under }: Reading): Route | null {
  for (const { route } of under) if (route !== null) return route;
  return own ?? null;
}

/** A store that others can remember the answers of. */
export interface RouteSource extends RouteLookups, HealthMarks, OpenStore {
  /** Marks that this worker keeps for itself; `find` applies them, `read` does not. */
  readonly wildcardMarks?: WildcardMarks;
  /** `find`, with what a memory has to know. Fails like it. */
  read(candidates: readonly string[], path: string): Promise<Reading>;
}

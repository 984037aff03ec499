import type { Route } from '../core/types.ts';
import type { RouteStore } from './store.ts';

/** What a look into a store brought, and how long it can stay right while nobody writes. */
export interface Reading {
  /** As `RouteStore.find` gives it. */
  readonly route: Route | null;
  /** When the first of the keys that were read expires, ms after the reading began; Infinity when none does. */
  readonly expiresMs: number;
}

/** A store that others can remember the answers of. */
export interface RouteSource extends RouteStore {
  /** `find`, with what a memory has to know. Fails like it. */
  read(candidates: readonly string[]): Promise<Reading>;
}

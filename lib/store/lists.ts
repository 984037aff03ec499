import type { RouteList } from '../core/backend.ts';

/** What stands under each key. A Map is one. */
export interface Lists {
  get(key: string): RouteList | undefined;
}

/** Finds the remembered route of a request, and compares readings. Pure functions. */
import { cutsOf, pathOf } from '../../core/routing/prefixes.ts';
import type { Route } from '../../core/routing/types.ts';
import type { Reading } from '../reading.ts';
import type { Get, Remembered } from './host-memory.ts';

/** What is remembered of a host and path, fresh or not. */
export function nearest(host: string, path: string, get: Get): Remembered | undefined {
  const known = get(host);
  // A host that is not remembered may still have routes by path.
  if (known !== undefined && known.prefixes === null) return known;
  for (const prefix of cutsOf(pathOf(path))) {
    const under = get(host + prefix);
    if (under !== undefined && under.route !== null) return under;
  }
  return known;
}

/** Whether a route was found under the host's own key, without a wildcard. */
export function isOwn(route: Route | null): boolean {
  return route !== null && route.size > 0 && route.key === route.frontend;
}

/** Whether a new reading equals the remembered one. */
export function isUnchanged(known: Remembered, route: Route | null, prefixes: Reading['prefixes']): boolean {
  // Where all prefixes are known, a change of them is reported.
  if (known.prefixes !== prefixes || !isSame(known.route, route)) return false;
  if (known.route === null || route === null) return true;
  const { dead, deadByRouters, onTrial } = known.route;
  return (
    isSameSet(dead, route.dead) && isSameSet(deadByRouters, route.deadByRouters) && isSameSet(onTrial, route.onTrial)
  );
}

/** Whether two sets, or maps, have the same ids. */
function isSameSet(a: Ids, b: Ids): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const id of a.keys()) if (!b.has(id)) return false;
  return true;
}

type Ids = Pick<ReadonlySet<number>, 'size' | 'has' | 'keys'>;

/** Whether two readings have the same backends. Dead marks are not compared. */
export function isSame(a: Route | null, b: Route | null): boolean {
  if (a === null || b === null) return a === b;
  if (a.key !== b.key || a.site !== b.site) return false;
  return a.backends === b.backends && a.name === b.name && a.size === b.size;
}

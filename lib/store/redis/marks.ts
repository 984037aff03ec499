/** Decides which members of a dead set count. Pure functions. */
import { type Marks, NO_MARKS, type RouteList } from '../../core/routing/backend.ts';
import { idsOf } from './codec.ts';

/**
 * A router's mark has the URL that it is for in the hash `marks:<host>`: the mark counts only while that URL is at that
 * position. Platforms remove a dead backend with LREM, and the next one moves to its id. A member without a URL was
 * added by a health checker, an operator or an older router: it counts whatever URL is there.
 * @param members of `dead:<host>`
 * @param urls fields and values of `marks:<host>` in turn
 */
export function countedMarks(members: readonly string[], urls: readonly string[], list: RouteList): Marks {
  const ids = idsOf(members, list.size);
  if (ids.size === 0) return NO_MARKS;
  if (urls.length === 0) return { dead: ids, deadByRouters: NO_MARKS.dead };
  const marked = urlsById(urls);
  const dead = new Set<number>();
  const deadByRouters = new Set<number>();
  const hrefs = new Map(list.backends.map(({ id, href }) => [id, href]));
  for (const id of ids) {
    const url = marked.get(id);
    if (url !== undefined && url !== hrefs.get(id)) continue;
    dead.add(id);
    if (url !== undefined) deadByRouters.add(id);
  }
  return { dead, deadByRouters };
}

/** The hash as a map. Fields that are no ids are left out. @param urls fields and values in turn */
export function urlsById(urls: readonly string[]): ReadonlyMap<number, string> {
  const byId = new Map<number, string>();
  for (let i = 0; i + 1 < urls.length; i += 2) {
    for (const id of idsOf([urls[i] ?? ''], Infinity)) byId.set(id, urls[i + 1] ?? '');
  }
  return byId;
}

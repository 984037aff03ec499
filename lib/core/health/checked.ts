/** What the active checks of a list mean for its backends, beside dead marks. Pure functions. */
import { isDialled, type Marks, type RouteList } from '../routing/backend.ts';

const NONE: readonly number[] = Object.freeze([]);

/** Ids of backends. */
export interface Checked {
  /** Those that fail their checks, where that is kept beside the list. */
  readonly down: readonly number[];
  /** Those that wait for their first good check: the rule `first`. */
  readonly unchecked: readonly number[];
}

/** The ids of the backends whose URL has passed no check. @param passed URLs */
export function uncheckedIds(
  passed: ReadonlySet<string>,
  { backends }: Pick<RouteList, 'backends'>,
): readonly number[] {
  let ids: number[] | null = null;
  for (const { id, href } of backends) if (!passed.has(href)) (ids ??= []).push(id);
  return ids ?? NONE;
}

/**
 * The marks, with backends that fail their checks, and those that wait for their first good one: they get no traffic, unless
 * no other backend lives. As with routers' marks, a request that has failed everywhere else may try one. Entries that are no
 * servers are not checked, and wait for nothing.
 */
export function withChecked(marks: Marks, { down, unchecked }: Checked, list: RouteList): Marks {
  const marked = withoutTraffic(marks, down, list);
  if (unchecked.length === 0) return marked;
  const servers = new Set(list.backends.filter(isDialled).map(({ id }) => id));
  return withoutTraffic(
    marked,
    unchecked.filter((id) => servers.has(id)),
    list,
  );
}

function withoutTraffic(marks: Marks, ids: readonly number[], { backends }: RouteList): Marks {
  if (ids.length === 0) return marks;
  const added = new Set(ids);
  if (backends.every(({ id }) => marks.dead.has(id) || added.has(id))) return marks;
  return {
    ...marks,
    dead: new Set([...marks.dead, ...added]),
    deadByRouters: new Set([...marks.deadByRouters, ...ids.filter((id) => !marks.dead.has(id))]),
  };
}

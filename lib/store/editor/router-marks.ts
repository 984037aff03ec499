import { hasSharedList } from '../checks.ts';
import type { RouteEditor, StoredCandidates, StoredChecks, StoredFrontend } from './route-editor.ts';

/** Dead marks, and the URLs that they are for. */
type Marked = Pick<StoredCandidates, 'dead' | 'marks'>;

/**
 * Adds marks of routers that are kept elsewhere. Without any, and beside a key of another type, nothing changes.
 * @param added ids and the URLs that are at their positions
 * @param secondsLeft until they expire; null: never
 */
export function withRouterMarks(
  { dead, marks }: Marked,
  added: readonly (readonly [id: number, url: string])[],
  secondsLeft: number | null,
): Marked {
  if (added.length === 0 || (dead.type !== 'set' && dead.type !== 'none')) return { dead, marks };
  const ids = new Set([...dead.holds, ...added.map(([id]) => String(id))]);
  const hasNoEnd = secondsLeft === null || (dead.type === 'set' && dead.secondsLeft === null);
  const left = hasNoEnd ? null : Math.max(dead.secondsLeft ?? 0, secondsLeft);
  const urls = added.flatMap(([id, url]) => [String(id), url]);
  return {
    dead: { ...dead, type: 'set', holds: [...ids], length: ids.size, secondsLeft: left },
    marks: [...marks, ...urls],
  };
}

/** Ids and URLs of the backends of a list that have one of these URLs. @param list the identifier, then the URLs */
export function placesOf(list: readonly string[], urls: readonly string[]): readonly (readonly [number, string])[] {
  const wanted = new Set(urls);
  return list.slice(1).flatMap((entry, id) => {
    const url = entry.trim();
    return wanted.has(url) ? [[id, url] as const] : [];
  });
}

/** A frontend with the marks of its active checks that are kept beside its list. */
export function withDown(frontend: StoredFrontend, { down, downSeconds }: StoredChecks): StoredFrontend {
  return { ...frontend, ...withRouterMarks(frontend, placesOf(frontend.list.holds, down), downSeconds) };
}

/** A frontend by its key, with all of its own marks; null where the key does not exist. @throws EditorError */
export async function storedFrontend(editor: RouteEditor, key: string): Promise<StoredFrontend | null> {
  const { lists, dead, marks, deaths } = await editor.look([key], key);
  const [list] = lists;
  if (list === undefined || list.type === 'none') return null;
  const frontend = { key, list, dead, marks, deaths };
  return hasSharedList(key) ? withDown(frontend, await editor.checks(key)) : frontend;
}

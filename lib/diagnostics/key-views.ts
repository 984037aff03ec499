/** The keys that a request's lookup may read, in order, with the result of each. */
import { cutsOf } from '../core/routing/prefixes.ts';
import type { StoredValue, RouteEditor } from '../store/editor/route-editor.ts';
import { MAX_LIST } from '../store/limits.ts';
import type { Lookup } from '../store/redis/codec.ts';
import type { Advice } from '../store/editor/advice.ts';
import type { KeyView, Verdict } from './explanation.ts';
import { faultsOfFrontend } from './frontend.ts';
import { unlistedFault } from './site-metadata-faults.ts';
import type { PathLook, Way } from './way.ts';

/** @param path without query */
export async function keyViews(
  editor: RouteEditor,
  keys: readonly string[],
  path: string,
  way: Way,
  advice: Advice,
): Promise<readonly KeyView[]> {
  const { look, own, paths, hit, passed } = way;
  const views: KeyView[] = [];
  for (const [i, held] of look.lists.entries()) {
    const key = keys[i] ?? '';
    if (i === paths) {
      for (const at of passed) views.push(pathView(at, 'names no backend', advice));
      if (hit !== null) views.push(pathView(hit, isUsable(hit.list) ? 'used' : 'unusable', advice));
    }
    if (i <= way.last)
      views.push(...(await unlistedViews(editor, key, path, [...passed, ...(hit ? [hit] : [])], advice)));
    views.push(keyView(key, held, verdictOf(i, held, own, hit !== null && i >= paths), advice));
  }
  return views;
}

/** Lists for the path that no request reaches, because their prefix is not in the host's set. */
async function unlistedViews(
  editor: RouteEditor,
  key: string,
  path: string,
  known: readonly PathLook[],
  advice: Advice,
): Promise<readonly KeyView[]> {
  const cuts = cutsOf(path);
  const members = new Set(await editor.prefixesAmong(key, cuts));
  const cut = cuts.filter((each) => !members.has(each) && !known.some((at) => at.key === key + each));
  if (cut.length === 0) return [];
  const { lists } = await editor.look(
    cut.map((each) => key + each),
    key,
  );
  return lists.flatMap((held, i) => {
    const prefix = cut[i] ?? '';
    if (held.type === 'none' || held.type === 'unknown') return [];
    const view = keyView(key + prefix, held, 'unlisted', advice);
    return [{ ...view, faults: [...view.faults, unlistedFault(editor.metadataKey('prefixes', key), prefix)] }];
  });
}

function isUsable({ type, length }: StoredValue): boolean {
  return type === 'list' && length <= MAX_LIST;
}

function pathView({ key, list }: PathLook, verdict: Verdict, advice: Advice): KeyView {
  return keyView(key, list, list.type === 'none' ? 'absent' : verdict, advice);
}

function verdictOf(index: number, held: StoredValue, own: Lookup, isElsewhere: boolean): Verdict {
  const isReached = own.type === 'none' || !isEnd(own, index);
  const isBroken = held.type !== 'none' && !isUsable(held);
  if (!isReached || (isElsewhere && !isBroken)) return 'not reached';
  if (held.type === 'none') return 'absent';
  if (isBroken) return 'unusable';
  return held.length === 1 ? 'names no backend' : 'used';
}

/** Whether the lookup ended before this key. If only identifiers were found, all keys were read. */
function isEnd(found: Exclude<Lookup, { type: 'none' }>, index: number): boolean {
  const wentOn = found.type === 'found' && found.list.length === 1;
  return !wentOn && index > found.index;
}

function keyView(key: string, held: StoredValue, verdict: Verdict, advice: Advice): KeyView {
  const { type, holds, secondsLeft } = held;
  const faults = faultsOfFrontend(key, held, advice);
  return { key: held.key, type, holds, secondsLeft, verdict, faults: type === 'none' ? [] : faults };
}

import { splitKey } from '../core/routing/prefixes.ts';
import { METADATA_KINDS } from '../store/editor/route-editor.ts';
import { CommandFailure } from './command.ts';
import { keyOf } from './route-key.ts';
import { type RouteRun, told } from './route-run.ts';
import { isSameBackend } from './same-backend.ts';
import { counted } from './show-fault.ts';

/** Removes a frontend, or one of its backends. @throws CommandFailure when it does not exist, or is the last backend */
export async function removeRoute(run: RouteRun): Promise<number> {
  const { editor, words, isForced } = run;
  const [word = '', url] = words;
  const key = keyOf(word, isForced, editor);
  if (url === undefined) {
    const { before } = await editor.remove(key, { isForced });
    if (before === null && !isForced) throw notThere(key);
    return await told(run, `${key}: removed`, [], null, key, await leftOf(run, key));
  }
  const { after } = await editor.change(
    key,
    (list) => {
      if (list.length === 0) throw notThere(key);
      const [name = '', ...urls] = list;
      const kept = urls.filter((each) => !isSameBackend(each, url));
      if (kept.length === urls.length) throw new CommandFailure('no-backend', `${key} has no backend ${url}`);
      if (kept.length === 0 && !isForced) throw last(key, url);
      return [name, ...kept];
    },
    { isForced },
  );
  const left = counted((after?.length ?? 1) - 1, 'backend');
  return await told(run, `${key}: backend removed, ${left} left`, [], after, key);
}

/**
 * The keys that are kept when a list is removed: options, header fields and error pages, which would apply again to a
 * new list of that key, and frontends of the host's paths, which are still served.
 */
async function leftOf({ editor }: RouteRun, key: string): Promise<readonly string[]> {
  const kinds = splitKey(key).prefix === '' ? METADATA_KINDS : METADATA_KINDS.filter((kind) => kind !== 'prefixes');
  const found = await Promise.all(kinds.map(async (kind) => (await editor.sides(kind, [key]))[0]));
  const left: string[] = [];
  for (const [i, side] of found.entries()) {
    // Keys of `*` apply to all frontends, not to this one.
    const isForAll = key === '*' && kinds[i] !== 'prefixes';
    if (side === undefined || isForAll || side.type === 'none' || side.type === 'unknown') continue;
    const paths = kinds[i] === 'prefixes' ? side.holds.map((prefix) => key + prefix) : [];
    left.push(...(paths.length > 0 ? paths : [side.key]));
  }
  return left;
}

function notThere(key: string): CommandFailure {
  return new CommandFailure('no-frontend', `there is no frontend ${key}`);
}

function last(key: string, url: string): CommandFailure {
  return new CommandFailure(
    'last-backend',
    `${url} is the last backend of ${key}: clients would get 502; --force removes it, "hipache route remove ${key}" the frontend`,
  );
}

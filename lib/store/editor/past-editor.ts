import { EditorError } from '../editor-error.ts';
import { splitKey } from '../../core/routing/prefixes.ts';
import type { SiteFields } from '../../core/routing/site.ts';
import type { SetHash } from './frontend-set.ts';
import { METADATA_TYPES, type MetadataKind, NO_DEATHS, type RouteEditor, type StoredValue } from './route-editor.ts';
import { MAX_LOG } from './route-log.ts';

/** The parts of a frontend that changed later, as they were before. */
interface PastParts {
  list?: readonly string[] | null;
  readonly hashes: Map<SetHash, SiteFields>;
}

/**
 * The routes of an editor as they were at a time, by the log of changes, for reading alone. What was changed by other
 * means than this program is as it is now. Dead marks are not known.
 * @param at ms since 1970
 * @throws EditorError `no-history` when the log does not reach back so far
 */
export async function editorAt(editor: RouteEditor, at: number): Promise<RouteEditor> {
  const { entries, begins } = await editor.log({ key: null, since: at, limit: 2 * MAX_LOG });
  if (begins === null || begins > at) {
    const start = begins === null ? 'is empty' : `begins at ${new Date(begins).toISOString()}`;
    throw new EditorError('no-history', `the log of changes ${start}`);
  }
  const past = new Map<string, PastParts>();
  // The newest first: the last one that is applied is the first after the time.
  for (const { key, change, at: when } of entries) {
    if (change === null) {
      const time = new Date(when).toISOString();
      throw new EditorError('no-history', `the change of ${key} at ${time} was too large to be logged`);
    }
    const parts = past.get(key) ?? { hashes: new Map<SetHash, SiteFields>() };
    past.set(key, parts);
    if (change.list !== undefined) parts.list = change.list[0];
    for (const [hash, pair] of Object.entries(change.hashes ?? {})) {
      parts.hashes.set(hash as SetHash, new Map(Object.entries(pair[0])));
    }
  }
  const read = readsOf(editor, past);
  return new Proxy(editor, {
    get: (target, name): unknown => {
      if (Object.hasOwn(read, name)) return read[name as keyof typeof read];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The methods that read what the log has. */
function readsOf(
  editor: RouteEditor,
  past: ReadonlyMap<string, PastParts>,
): Pick<RouteEditor, 'look' | 'sides' | 'prefixesAmong' | 'checks'> {
  return {
    look: async (keys, host) => {
      const { lists } = await editor.look(keys, host);
      const dead = { key: `dead:${host}`, type: 'none', holds: [], length: 0, secondsLeft: null };
      return {
        host,
        lists: lists.map((list, i) => valueAt(list, 'list', past.get(keys[i] ?? '')?.list)),
        dead,
        marks: [],
        deaths: NO_DEATHS,
      };
    },
    sides: async (kind, keys) => {
      const sides = await editor.sides(kind, keys);
      return sides.map((side, i) => sideAt(side, kind, keys[i] ?? '', past));
    },
    prefixesAmong: async (key, prefixes) => {
      const now = new Set(await editor.prefixesAmong(key, prefixes));
      return prefixes.filter((prefix) => {
        const list = past.get(key + prefix)?.list;
        return list === undefined ? now.has(prefix) : list !== null;
      });
    },
    checks: async () => ({ results: new Map(), checked: [], down: [], downSeconds: null }),
  };
}

function sideAt(side: StoredValue, kind: MetadataKind, key: string, past: ReadonlyMap<string, PastParts>): StoredValue {
  if (kind !== 'prefixes') {
    const fields = past.get(key)?.hashes.get(kind);
    const holds = fields === undefined ? undefined : fields.size === 0 ? null : [...fields].flat();
    return valueAt(side, METADATA_TYPES[kind], holds);
  }
  const prefixes = new Set(side.holds);
  for (const [each, { list }] of past) {
    const { host, prefix } = splitKey(each);
    if (host !== key || prefix === '' || list === undefined) continue;
    if (list === null) prefixes.delete(prefix);
    else prefixes.add(prefix);
  }
  return valueAt(side, 'set', prefixes.size === 0 ? null : [...prefixes]);
}

/** @param holds null where there was no such key; undefined where it has not changed */
function valueAt(value: StoredValue, type: string, holds: readonly string[] | null | undefined): StoredValue {
  if (holds === undefined) return value;
  const length = (holds?.length ?? 0) / (type === 'hash' ? 2 : 1);
  return { key: value.key, type: holds === null ? 'none' : type, holds: holds ?? [], length, secondsLeft: null };
}

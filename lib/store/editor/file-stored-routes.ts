/** The content of a routes file as that of keys. Pure functions. */
import { pathOfKey } from './edit-rules.ts';
import { METADATA_KINDS, type MetadataKind, NO_DEATHS, type StoredFrontend, type StoredValue } from './route-editor.ts';

/** The prefixes of hosts, by host, among the keys of frontends. */
export function prefixesIn(keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const key of keys) {
    const path = pathOfKey(key);
    if (path === null) continue;
    const names = found.get(path.host) ?? [];
    names.push(path.prefix);
    found.set(path.host, names);
  }
  return found;
}

/** The kind and key of a hash's name in the file. */
export function metadataKindOf(name: string): readonly [kind: MetadataKind, key: string] {
  const kind = METADATA_KINDS.find((each) => name.startsWith(`${each}:`)) ?? 'errors';
  return [kind, name.slice(kind.length + 1)];
}

/** A list of the file as the content of a key. */
export function storedValueOf(key: string, list: readonly string[] | undefined): StoredValue {
  if (list === undefined) return { key, type: 'none', holds: [], length: 0, secondsLeft: null };
  return { key, type: 'list', holds: list, length: list.length, secondsLeft: null };
}

/** A file has no dead marks. */
export function noMarks(host: string): Pick<StoredFrontend, 'dead' | 'marks' | 'deaths'> {
  const dead = { key: `dead:${host}`, type: 'none', holds: [], length: 0, secondsLeft: null };
  return { dead, marks: [], deaths: NO_DEATHS };
}

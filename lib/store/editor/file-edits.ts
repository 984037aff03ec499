/** Computes the new text of a routes file after an edit. Pure functions. */
import type { SiteFields } from '../../core/routing/site.ts';
import type { ListChange, Edit, FieldChanges, FieldsChange } from './route-editor.ts';
import { checkList, withFields } from './edit-rules.ts';
import { fieldsOf } from '../fields.ts';
import { type FrontendSet, isSameSet, SET_HASHES, type SetChange, type SetHashes } from './frontend-set.ts';
import type { RouteEntry } from '../route-table.ts';

/** The content of the file, in its order. */
export interface Contents {
  readonly signature: string;
  readonly entries: readonly RouteEntry[];
  readonly hashes: readonly RouteEntry[];
  readonly lists: ReadonlyMap<string, readonly string[]>;
  /** `hashes` by name. */
  readonly sides: ReadonlyMap<string, readonly string[]>;
  /** The prefixes of hosts' keys that have lists. */
  readonly prefixes: ReadonlyMap<string, readonly string[]>;
  /** The keys in page order, which does not depend on other keys. */
  readonly sorted: readonly string[];
}

/** The result of an edit, and the file's new text; null when it is unchanged. */
export interface Edited<T> {
  readonly done: T;
  readonly text: string | null;
}

/** Edits a list. @throws EditorError `bad-list` */
export function changed({ entries, hashes, lists }: Contents, key: string, edit: Edit): Edited<ListChange> {
  const standing = lists.get(key);
  const before = standing ?? [];
  const after = edit(before);
  if (after === before || (after === null && standing === undefined)) {
    return { done: { before: standing ?? null, after: standing ?? null }, text: null };
  }
  if (after !== null) checkList(after);
  return { done: { before: standing ?? null, after }, text: textOf(withList(entries, key, after), hashes) };
}

/** Changes fields of a hash. @param name as the file spells it: `options:www.x.io` */
export function withHash(
  { entries, hashes, sides }: Contents,
  name: string,
  changes: FieldChanges,
): Edited<FieldsChange> {
  const before: SiteFields = fieldsOf(sides.get(name) ?? []);
  const after = withFields(before, changes);
  const isSame = after.size === before.size && [...after].every(([field, text]) => before.get(field) === text);
  if (isSame) return { done: { before, after }, text: null };
  const list = after.size === 0 ? null : [...after].flat();
  return { done: { before, after }, text: textOf(entries, withList(hashes, name, list)) };
}

/**
 * Writes whole frontends, those that are as expected.
 * @returns one per change: false for one that has changed
 */
export function withSets(contents: Contents, changes: readonly SetChange[]): Edited<readonly boolean[]> {
  const lists = new Map(contents.entries);
  const hashes = new Map(contents.hashes);
  const done = changes.map(({ key, before, after }) => {
    if (!isSameSet(setIn(lists, hashes, key), before)) return false;
    if (after.list === null) lists.delete(key);
    else lists.set(key, after.list);
    for (const kind of SET_HASHES) {
      const fields = after.hashes[kind];
      if (fields.size === 0) hashes.delete(`${kind}:${key}`);
      else hashes.set(`${kind}:${key}`, [...fields].flat());
    }
    return true;
  });
  return { done, text: done.includes(true) ? textOf([...lists], [...hashes]) : null };
}

/** A frontend of the file. */
export function setIn(
  lists: ReadonlyMap<string, readonly string[]>,
  hashes: ReadonlyMap<string, readonly string[]>,
  key: string,
): FrontendSet {
  const read = SET_HASHES.map((kind) => [kind, fieldsOf(hashes.get(`${kind}:${key}`) ?? [])] as const);
  return { list: lists.get(key) ?? null, hashes: Object.fromEntries(read) as SetHashes, odd: [] };
}

/** The file's text: a line per frontend and per hash. */
function textOf(entries: readonly RouteEntry[], hashes: readonly RouteEntry[]): string {
  if (entries.length + hashes.length === 0) return '{}\n';
  const lines = entries.map(([key, list]) => {
    return `  ${JSON.stringify(key)}: [${list.map((element) => JSON.stringify(element)).join(', ')}]`;
  });
  const others = hashes.map(([key, flat]) => {
    const fields = Array.from(fieldsOf(flat), ([field, text]) => `${JSON.stringify(field)}: ${JSON.stringify(text)}`);
    return `  ${JSON.stringify(key)}: { ${fields.join(', ')} }`;
  });
  return `{\n${[...lines, ...others].join(',\n')}\n}\n`;
}

/** The entries with one replaced at its position, appended, or removed. */
function withList(entries: readonly RouteEntry[], key: string, list: readonly string[] | null): readonly RouteEntry[] {
  const place = entries.findIndex(([each]) => each === key);
  if (list === null) return entries.toSpliced(place, 1);
  return place < 0 ? [...entries, [key, list]] : entries.with(place, [key, list]);
}

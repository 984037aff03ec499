/** What an edit of a frontend comes to: commands out, replies in. Pure. */
import type { ListChange, Edit, StoredValue } from './route-editor.ts';
import { changedPlaces, checkList } from './edit-rules.ts';
import { MAX_LIST } from '../limits.ts';
import { deadCommands, storedValueOf, listCommands, refusedBy } from './redis-stored-routes.ts';
import { isReplyError } from '../redis-client/link.ts';
import { EditorError } from '../editor-error.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';

/** A frontend's keys. */
export interface EditKeys {
  readonly list: string;
  readonly dead: string;
  /** Where its prefix is to stand; null for a frontend that is a host. */
  readonly path: { readonly set: string; readonly prefix: string } | null;
}

/** Reads what an edit starts from. */
export function editCommands({ list, dead, path }: EditKeys): readonly RedisCommand[] {
  const lists = [...listCommands(list), ...deadCommands(dead)];
  return path === null ? lists : [...lists, ['type', path.set], ['sismember', path.set, path.prefix]];
}

/** What an edit comes to, and what stood there. */
export interface WholePlan extends Plan {
  readonly list: StoredValue;
  /** Whether the list is to be written. */
  readonly isNew: boolean;
  /** What is to be done about the prefix. */
  readonly paths: readonly RedisCommand[];
}

/** From the replies to `editCommands`. @throws EditorError as `plan` does */
export function planOf(keys: EditKeys, replies: readonly unknown[], edit: Edit, isForced: boolean): WholePlan {
  const list = storedValueOf(keys.list, replies.slice(0, 4));
  const planned = plan(list, storedValueOf(keys.dead, replies.slice(4, 7)), edit, isForced);
  const { change, marks } = planned ?? { change: unchanged(list), marks: [] };
  const paths = pathWrites(keys.path, replies.slice(7), change.after !== null, isForced);
  return { change, marks, list, isNew: planned !== null, paths };
}

/** @param isThere whether the frontend is there afterwards */
function pathWrites(
  path: EditKeys['path'],
  [type, isMember]: readonly unknown[],
  isThere: boolean,
  isForced: boolean,
): readonly RedisCommand[] {
  if (path === null) return [];
  if (isReplyError(type)) throw refusedBy(type);
  const { set, prefix } = path;
  if (!isThere) return isMember === 1 ? [['srem', set, prefix]] : [];
  if (isMember === 1) return [];
  const held = { key: set, type: String(type) };
  return [...(mustGo(held, 'set', isForced) ? [['del', set] as const] : []), ['sadd', set, prefix]];
}

/** What an edit of the list comes to. */
interface Plan {
  readonly change: ListChange;
  /** What is to be done about the dead marks. */
  readonly marks: readonly RedisCommand[];
}

/**
 * What is to be written; null when nothing is.
 * @throws EditorError `wrong-type` when keys stand in the way, unless that does not matter; `bad-list`
 */
function plan(list: StoredValue, dead: StoredValue, edit: Edit, isForced: boolean): Plan | null {
  const isOdd = mustGo(list, 'list', isForced);
  const isDeadOdd = mustGo(dead, 'set', isForced);
  const before = isOdd ? [] : list.holds;
  const after = edit(before);
  if (after === before && !isOdd) return null;
  if (after !== null) checkList(after);
  else if (list.type === 'none' && dead.type === 'none') return null;
  const change: ListChange = { before: list.type === 'none' ? null : before, after };
  // Marks of a frontend that was not there were made for a wildcard's backends.
  const isAll = after === null || before.length === 0 || list.length > MAX_LIST;
  if (isAll || isDeadOdd) return { change, marks: dead.type === 'none' ? [] : [['del', dead.key]] };
  const places = new Set(changedPlaces(before, after).map(String));
  const marked = dead.holds.filter((member) => places.has(member));
  return { change, marks: marked.length === 0 ? [] : [['srem', dead.key, ...marked]] };
}

/** What an edit that changes nothing has done. */
function unchanged({ type, holds }: StoredValue): ListChange {
  const same = type === 'list' ? holds : null;
  return { before: same, after: same };
}

/** Whether what stands there is of another type and is to be overwritten. */
export function mustGo({ key, type }: Pick<StoredValue, 'key' | 'type'>, wanted: string, isForced: boolean): boolean {
  if (type === wanted || type === 'none') return false;
  if (type === 'unknown') throw new EditorError('store-refused', `Redis does not let this user look at ${key}`);
  if (!isForced) throw new EditorError('wrong-type', `${key} holds a ${type}, not a ${wanted}`);
  return true;
}

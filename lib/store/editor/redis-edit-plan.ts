/** Plans an edit of a frontend: the commands for it, from the replies to earlier ones. Pure functions. */
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
  /** The set of its prefix; null for a frontend without a path. */
  readonly path: { readonly set: string; readonly prefix: string } | null;
}

/** The commands that read what an edit starts from. */
export function editCommands({ list, dead, path }: EditKeys): readonly RedisCommand[] {
  const lists = [...listCommands(list), ...deadCommands(dead)];
  return path === null ? lists : [...lists, ['type', path.set], ['sismember', path.set, path.prefix]];
}

/** The plan of an edit, and the former content. */
export interface WholePlan extends Plan {
  readonly list: StoredValue;
  /** Whether the list is written. */
  readonly isNew: boolean;
  /** The commands for the prefix. */
  readonly paths: readonly RedisCommand[];
}

/** Makes the plan from the replies to `editCommands`. @throws EditorError as `plan` does */
export function planOf(keys: EditKeys, replies: readonly unknown[], edit: Edit, isForced: boolean): WholePlan {
  const list = storedValueOf(keys.list, replies.slice(0, 4));
  const planned = plan(list, storedValueOf(keys.dead, replies.slice(4, 7)), edit, isForced);
  const { change, marks } = planned ?? { change: unchanged(list), marks: [] };
  const paths = pathWrites(keys.path, replies.slice(7), change.after !== null, isForced);
  return { change, marks, list, isNew: planned !== null, paths };
}

/** @param isThere whether the frontend exists after the edit */
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

/** The part of a plan about the list. */
interface Plan {
  readonly change: ListChange;
  /** The commands for the dead marks. */
  readonly marks: readonly RedisCommand[];
}

/**
 * What to write; null when nothing is written.
 * @throws EditorError `wrong-type` when a key has another type, unless the edit is forced; `bad-list`
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
  // Marks of a frontend that did not exist were made for a wildcard's backends.
  const isAll = after === null || before.length === 0 || list.length > MAX_LIST;
  if (isAll || isDeadOdd) return { change, marks: dead.type === 'none' ? [] : [['del', dead.key]] };
  const places = new Set(changedPlaces(before, after).map(String));
  const marked = dead.holds.filter((member) => places.has(member));
  return { change, marks: marked.length === 0 ? [] : [['srem', dead.key, ...marked]] };
}

/** The result of an edit that changes nothing. */
function unchanged({ type, holds }: StoredValue): ListChange {
  const same = type === 'list' ? holds : null;
  return { before: same, after: same };
}

/** Whether the key has another type and is to be overwritten. */
export function mustGo({ key, type }: Pick<StoredValue, 'key' | 'type'>, wanted: string, isForced: boolean): boolean {
  if (type === wanted || type === 'none') return false;
  if (type === 'unknown') throw new EditorError('store-refused', `Redis does not allow this user to read ${key}`);
  if (!isForced) throw new EditorError('wrong-type', `${key} holds a ${type}, not a ${wanted}`);
  return true;
}

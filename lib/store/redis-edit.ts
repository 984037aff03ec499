import { setTimeout as delay } from 'node:timers/promises';
import { type BookChange, BookError, type Edit, type EditOptions, type Held } from './book.ts';
import { changedPlaces, checkList } from './book-rules.ts';
import { MAX_LIST } from './limits.ts';
import type { RedisCommand } from './redis-codec.ts';
import { deadCommands, heldOf, listCommands, notUnderstood, refusedBy } from './redis-held.ts';
import { isReplyError } from './redis-link.ts';
import type { RedisSession, Session } from './redis-session.ts';

/** A frontend's two keys. */
export interface EditKeys {
  readonly list: string;
  readonly dead: string;
}

/** How often an edit begins anew because somebody else was faster. */
const MAX_ATTEMPTS = 50;
/** Before it does, at most, ms: two that always meet must not go on meeting. */
const MAX_PAUSE_MS = 10;

/**
 * Edits a list and the dead marks that go with it in one transaction. Nobody ever sees something in between, and when
 * somebody else writes to either key meanwhile, the edit is made anew from what stands there then.
 * @param keepsEnd whether a list that expires goes on doing so
 */
export async function editOnOneServer(
  session: RedisSession,
  keys: EditKeys,
  edit: Edit,
  { isForced = false, keepsEnd }: EditOptions & { readonly keepsEnd: boolean },
): Promise<BookChange> {
  for (let isFirst = true; ; isFirst = false) {
    const progress = { isSent: false };
    try {
      return await session.run((own) => repeat(own, keys, edit, { isForced, keepsEnd, progress }));
    } catch (error) {
      if (isReplyError(error)) throw refusedBy(error);
      if (!(error instanceof BookError) || error.code !== 'store-unavailable') throw error;
      if (progress.isSent) {
        throw new BookError(error.code, `${error.message}; look whether the change was made`, { cause: error });
      }
      // A connection that nobody used for long may be dead without a word.
      if (!isFirst) throw error;
    }
  }
}

/** How an edit is to be made. */
interface Manner {
  readonly isForced: boolean;
  readonly keepsEnd: boolean;
  /** Told when something was sent that writes. */
  readonly progress: { isSent: boolean };
}

async function repeat(session: Session, keys: EditKeys, edit: Edit, manner: Manner): Promise<BookChange> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const change = await attemptEdit(session, keys, edit, manner);
    if (change !== null) return change;
    manner.progress.isSent = false;
    await delay(Math.random() * MAX_PAUSE_MS);
  }
  throw tooBusy(keys.list);
}

/** Null when somebody else was faster. */
async function attemptEdit(
  session: Session,
  keys: EditKeys,
  edit: Edit,
  { isForced, keepsEnd, progress }: Manner,
): Promise<BookChange | null> {
  await session.send(['watch', keys.list, keys.dead]);
  const replies = await session.sendAll([...listCommands(keys.list), ...deadCommands(keys.dead)]);
  const list = heldOf(keys.list, replies.slice(0, 4));
  const dead = heldOf(keys.dead, replies.slice(4));
  const planned = plan(list, dead, edit, isForced);
  if (planned === null) return unchanged(list);
  const { change } = planned;
  const end = keepsEnd && list.secondsLeft !== null ? Math.ceil(list.secondsLeft * 1000) : null;
  progress.isSent = true;
  const results = await session.sendAll([
    ['multi'],
    ...listWrites(keys.list, change.after, end),
    ...planned.marks,
    ['exec'],
  ]);
  const outcome = results.at(-1);
  if (outcome === null) return null;
  const fault = [...results, ...(Array.isArray(outcome) ? (outcome as unknown[]) : [])].find(isReplyError);
  if (fault !== undefined) throw fault;
  if (!Array.isArray(outcome)) throw notUnderstood(outcome);
  return change;
}

/** What an edit comes to. */
export interface Plan {
  readonly change: BookChange;
  /** What is to be done about the dead marks. */
  readonly marks: readonly RedisCommand[];
}

/**
 * What is to be written; null when nothing is.
 * @throws BookError `wrong-type` when keys stand in the way, unless that does not matter; `bad-list`
 */
export function plan(list: Held, dead: Held, edit: Edit, isForced: boolean): Plan | null {
  const isOdd = mustGo(list, 'list', isForced);
  const isDeadOdd = mustGo(dead, 'set', isForced);
  const before = isOdd ? [] : list.holds;
  const after = edit(before);
  if (after === before && !isOdd) return null;
  if (after !== null) checkList(after);
  else if (list.type === 'none' && dead.type === 'none') return null;
  const change: BookChange = { before: list.type === 'none' ? null : before, after };
  // Marks of a frontend that was not there were made for a wildcard's backends.
  const isAll = after === null || before.length === 0 || list.length > MAX_LIST;
  if (isAll || isDeadOdd) return { change, marks: dead.type === 'none' ? [] : [['del', dead.key]] };
  const places = new Set(changedPlaces(before, after).map(String));
  const marked = dead.holds.filter((member) => places.has(member));
  return { change, marks: marked.length === 0 ? [] : [['srem', dead.key, ...marked]] };
}

/** What an edit that changes nothing has done. */
export function unchanged({ type, holds }: Held): BookChange {
  const same = type === 'list' ? holds : null;
  return { before: same, after: same };
}

/** Commands that put a list in the place of another. @param endMs how long it shall live; null is for ever */
function listWrites(key: string, list: readonly string[] | null, endMs: number | null): readonly RedisCommand[] {
  if (list === null) return [['del', key]];
  const writes: readonly RedisCommand[] = [
    ['del', key],
    ['rpush', key, ...list],
  ];
  return endMs === null ? writes : [...writes, ['pexpire', key, String(endMs)]];
}

/** Whether what stands there is of another type and is to be overwritten. */
function mustGo({ key, type }: Held, wanted: string, isForced: boolean): boolean {
  if (type === wanted || type === 'none') return false;
  if (type === 'unknown') throw new BookError('store-refused', `Redis does not let this user look at ${key}`);
  if (!isForced) throw new BookError('wrong-type', `${key} holds a ${type}, not a ${wanted}`);
  return true;
}

export function tooBusy(key: string): BookError {
  return new BookError('busy', `others changed ${key} ${MAX_ATTEMPTS} times in between; nothing was written`);
}

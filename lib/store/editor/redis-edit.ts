import { setTimeout as delay } from 'node:timers/promises';
import type { ListChange, Edit, EditOptions, FieldChanges, OptionsChange } from './route-editor.ts';
import { withFields } from './edit-rules.ts';
import { fieldsOf } from '../fields.ts';
import { flatOf } from '../redis/site-metadata.ts';
import { editCommands, type EditKeys, mustGo, planOf } from './redis-edit-plan.ts';
import { storedValueOf, refusedBy } from './redis-stored-routes.ts';
import { isReplyError } from '../redis-client/link.ts';
import type { RedisSession, Session } from '../redis-client/session.ts';
import { EditorError } from '../editor-error.ts';
import { type RedisCommand, notUnderstood } from '../redis-client/protocol.ts';

/** How often an edit begins anew because somebody else was faster. */
const MAX_ATTEMPTS = 50;
/** Before it does, at most, ms: two that always meet must not go on meeting. */
const MAX_PAUSE_MS = 10;

/**
 * Edits a list, and the dead marks and the prefix that go with it, in one transaction. Nobody ever sees something in
 * between, and when somebody else writes to one of the keys meanwhile, the edit is made anew from what stands there then.
 * @param keepsEnd whether a list that expires goes on doing so
 */
export async function editOnOneServer(
  session: RedisSession,
  keys: EditKeys,
  edit: Edit,
  { isForced = false, keepsEnd }: EditOptions & { readonly keepsEnd: boolean },
): Promise<ListChange> {
  return await transact(session, keys.list, (own, progress) =>
    attemptEdit(own, keys, edit, { isForced, keepsEnd, progress }),
  );
}

/** Changes fields of a hash in one transaction. */
export async function changeFieldsOnOneServer(
  session: RedisSession,
  key: string,
  changes: FieldChanges,
  isForced: boolean,
): Promise<OptionsChange> {
  return await transact(session, key, async (own, progress) => {
    await own.send(['watch', key]);
    const [type, flat] = await own.sendAll([
      ['type', key],
      ['hgetall', key],
    ]);
    const held = storedValueOf(key, [type, isReplyError(flat) ? flat : flatOf(flat)]);
    const isOdd = mustGo(held, 'hash', isForced);
    const before = fieldsOf(isOdd ? [] : held.holds);
    const writes = fieldWrites(key, changes);
    if (writes.length === 0) return { before, after: before };
    progress.isSent = true;
    const results = await own.sendAll([['multi'], ...(isOdd ? [['del', key] as const] : []), ...writes, ['exec']]);
    return isMade(results) ? { before, after: withFields(before, changes) } : null;
  });
}

function fieldWrites(key: string, changes: FieldChanges): readonly RedisCommand[] {
  const pairs = [...changes].flatMap(([field, text]) => (text === null ? [] : [field, text]));
  const gone = [...changes].flatMap(([field, text]) => (text === null ? [field] : []));
  const writes: RedisCommand[] = [];
  if (gone.length > 0) writes.push(['hdel', key, ...gone]);
  if (pairs.length > 0) writes.push(['hset', key, ...pairs]);
  return writes;
}

/** Told when something was sent that writes. */
interface Progress {
  isSent: boolean;
}

/** Tries until nobody else was faster. @param attempt null when somebody was */
async function transact<T>(
  session: RedisSession,
  key: string,
  attempt: (own: Session, progress: Progress) => Promise<T | null>,
): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    const progress = { isSent: false };
    try {
      return await session.run((own) => repeat(() => attempt(own, progress), key, progress));
    } catch (error) {
      if (isReplyError(error)) throw refusedBy(error);
      if (!(error instanceof EditorError) || error.code !== 'store-unavailable') throw error;
      if (progress.isSent) {
        throw new EditorError(error.code, `${error.message}; look whether the change was made`, { cause: error });
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
  readonly progress: Progress;
}

async function repeat<T>(attempt: () => Promise<T | null>, key: string, progress: Progress): Promise<T> {
  for (let count = 1; count <= MAX_ATTEMPTS; count++) {
    const made = await attempt();
    if (made !== null) return made;
    progress.isSent = false;
    await delay(Math.random() * MAX_PAUSE_MS);
  }
  throw tooBusy(key);
}

/** Null when somebody else was faster. */
async function attemptEdit(
  session: Session,
  keys: EditKeys,
  edit: Edit,
  { isForced, keepsEnd, progress }: Manner,
): Promise<ListChange | null> {
  await session.send(['watch', keys.list, keys.dead, ...(keys.path === null ? [] : [keys.path.set])]);
  const replies = await session.sendAll(editCommands(keys));
  const planned = planOf(keys, replies, edit, isForced);
  const { change, list } = planned;
  if (!planned.isNew && planned.paths.length === 0) return change;
  const end = keepsEnd && list.secondsLeft !== null ? Math.ceil(list.secondsLeft * 1000) : null;
  progress.isSent = true;
  const writes = planned.isNew ? [...listWrites(keys.list, change.after, end), ...planned.marks] : [];
  const results = await session.sendAll([['multi'], ...writes, ...planned.paths, ['exec']]);
  return isMade(results) ? change : null;
}

/** Whether a transaction was made: somebody else may have been faster. @throws the error of a command in it */
function isMade(results: readonly unknown[]): boolean {
  const outcome = results.at(-1);
  if (outcome === null) return false;
  const fault = [...results, ...(Array.isArray(outcome) ? (outcome as unknown[]) : [])].find(isReplyError);
  if (fault !== undefined) throw fault;
  if (!Array.isArray(outcome)) throw notUnderstood(outcome);
  return true;
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

export function tooBusy(key: string): EditorError {
  return new EditorError('busy', `others changed ${key} ${MAX_ATTEMPTS} times in between; nothing was written`);
}

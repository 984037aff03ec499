import { setTimeout as delay } from 'node:timers/promises';
import type { ListChange, Edit, EditOptions, FieldChanges, FieldsChange } from './route-editor.ts';
import { withFields } from './edit-rules.ts';
import { fieldsOf } from '../fields.ts';
import { flatOf } from '../redis/site-metadata.ts';
import { editCommands, type EditKeys, mustGo, planOf } from './redis-edit-plan.ts';
import { storedValueOf, refusedBy } from './redis-stored-routes.ts';
import type { LogOfEdit } from './redis-route-log.ts';
import type { LogEntry } from './route-log.ts';
import { isReplyError } from '../redis-client/link.ts';
import type { RedisSession, Session } from '../redis-client/session.ts';
import { EditorError } from '../editor-error.ts';
import { type RedisCommand, notUnderstood } from '../redis-client/protocol.ts';

/** How often an edit is tried when others change the same keys. */
const MAX_ATTEMPTS = 50;
/** The maximum random pause before the next attempt, ms, so that two editors do not collide again and again. */
const MAX_PAUSE_MS = 10;

/**
 * Edits a list with its dead marks and its prefix in one transaction. Readers never see an intermediate state. If
 * another client writes one of the keys meanwhile, the edit is made again from the new content.
 * @param keepsEnd whether the list keeps its TTL
 */
export async function editOnOneServer(
  session: RedisSession,
  keys: EditKeys,
  edit: Edit,
  { isForced = false, keepsEnd }: EditOptions & { readonly keepsEnd: boolean },
  log: LogOfEdit,
): Promise<ListChange> {
  return await transact(session, keys.list, (own, progress) =>
    attemptEdit(own, keys, edit, { isForced, keepsEnd, progress, log }),
  );
}

/** Changes fields of a hash in one transaction. */
export async function changeFieldsOnOneServer(
  session: RedisSession,
  key: string,
  changes: FieldChanges,
  isForced: boolean,
  log: LogOfEdit,
): Promise<FieldsChange> {
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
    const after = withFields(before, changes);
    const all = [...(isOdd ? [['del', key] as const] : []), ...writes];
    return (await isExecuted(own, all, log, log.entryOfHash(before, after))) ? { before, after } : null;
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

/** Called when a command that writes was sent. */
interface Progress {
  isSent: boolean;
}

/** Repeats an attempt until no other client interferes. @param attempt resolves to null when one did */
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
        throw new EditorError(error.code, `${error.message}; check whether the change was made`, { cause: error });
      }
      // A connection that was idle for long may be dead without notice.
      if (!isFirst) throw error;
    }
  }
}

/** Options of an edit. */
interface Manner {
  readonly isForced: boolean;
  readonly keepsEnd: boolean;
  readonly progress: Progress;
  readonly log: LogOfEdit;
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

/** Null when another client has interfered. */
async function attemptEdit(
  session: Session,
  keys: EditKeys,
  edit: Edit,
  { isForced, keepsEnd, progress, log }: Manner,
): Promise<ListChange | null> {
  await session.send(['watch', keys.list, keys.dead, ...(keys.path === null ? [] : [keys.path.set])]);
  const replies = await session.sendAll(editCommands(keys));
  const planned = planOf(keys, replies, edit, isForced);
  const { change, list } = planned;
  if (!planned.isNew && planned.paths.length === 0) return change;
  const end = keepsEnd && list.secondsLeft !== null ? Math.ceil(list.secondsLeft * 1000) : null;
  progress.isSent = true;
  const writes = planned.isNew ? [...listWrites(keys.list, change.after, end), ...planned.marks] : [];
  const entry = planned.isNew ? log.entryOfList(change) : null;
  return (await isExecuted(session, [...writes, ...planned.paths], log, entry)) ? change : null;
}

/**
 * Executes a transaction, with an entry of the log. Not if another client has interfered, or if the log is refused: the
 * edit is then repeated without.
 */
async function isExecuted(
  session: Session,
  writes: readonly RedisCommand[],
  { log }: LogOfEdit,
  entry: LogEntry | null,
): Promise<boolean> {
  if (entry === null) return isMade(await session.sendAll([['multi'], ...writes, ['exec']]));
  const results = [...(await session.sendAll([['multi'], ...writes, log.command(entry), ['exec']]))];
  const [queued] = results.splice(-2, 1);
  // Refused before the transaction, which Redis has then discarded.
  if (isReplyError(queued) && log.isRefused(queued)) return false;
  const outcome = results.at(-1);
  // Refused within the transaction: the rest was executed.
  if (Array.isArray(outcome) && isReplyError(outcome.at(-1))) results.splice(-1, 1, outcome.slice(0, -1));
  return isMade(results);
}

/** Whether a transaction was executed; not if another client has interfered. @throws the error of a command in it */
function isMade(results: readonly unknown[]): boolean {
  const outcome = results.at(-1);
  if (outcome === null) return false;
  const fault = [...results, ...(Array.isArray(outcome) ? (outcome as unknown[]) : [])].find(isReplyError);
  if (fault !== undefined) throw fault;
  if (!Array.isArray(outcome)) throw notUnderstood(outcome);
  return true;
}

/** The commands that replace a list. @param endMs its TTL; null is none */
function listWrites(key: string, list: readonly string[] | null, endMs: number | null): readonly RedisCommand[] {
  if (list === null) return [['del', key]];
  const writes: readonly RedisCommand[] = [
    ['del', key],
    ['rpush', key, ...list],
  ];
  return endMs === null ? writes : [...writes, ['pexpire', key, String(endMs)]];
}

/** The error of an edit that others interfered with too often. */
export function tooBusy(key: string): EditorError {
  return new EditorError(
    'busy',
    `other clients changed ${key} during each of ${MAX_ATTEMPTS} attempts; nothing was written`,
  );
}

/** Reads the content of Redis keys: makes commands, parses replies. Pure functions. */
import type { StoredFrontend, StoredCandidates, StoredDeaths, StoredValue } from './route-editor.ts';
import { flatOf } from '../redis/site-metadata.ts';
import { isTexts } from '../texts.ts';
import { MAX_LIST } from '../limits.ts';
import { EditorError } from '../editor-error.ts';
import { notUnderstood, type RedisCommand } from '../redis-client/protocol.ts';

/** The number of commands for one list. */
const WIDTH = 4;

/** Reads a frontend's list, at most one element more than allowed. */
export function listCommands(key: string): readonly RedisCommand[] {
  return [
    ['type', key],
    ['lrange', key, '0', String(MAX_LIST)],
    ['pttl', key],
    ['llen', key],
  ];
}

/** Reads a dead set. */
export function deadCommands(key: string): readonly RedisCommand[] {
  // The router's own user may not call SCARD, but may read the members.
  return [
    ['type', key],
    ['smembers', key],
    ['pttl', key],
  ];
}

/** Parses the replies to `listCommands` or `deadCommands`; each may be an Error, as Redis replied it. */
export function storedValueOf(key: string, replies: readonly unknown[]): StoredValue {
  const [type, elements, msLeft, length] = replies;
  if (typeof type !== 'string') {
    // The permission is missing only for this key: the view shows that.
    if (isRefusal(type)) return { key, type: 'unknown', holds: [], length: 0, secondsLeft: null };
    throw type instanceof Error ? refusedBy(type) : notUnderstood(type);
  }
  const holds = isTexts(elements) ? elements : [];
  const isRead = isTexts(elements) || type === 'none' || isWrongType(elements);
  if (!isRead) throw elements instanceof Error ? refusedBy(elements) : notUnderstood(elements);
  return {
    key,
    // The key may have been created or removed between two of the commands.
    type: type === 'none' && holds.length > 0 ? 'list' : type,
    holds,
    length: Math.max(holds.length, typeof length === 'number' ? length : 0),
    secondsLeft: typeof msLeft === 'number' && msLeft >= 0 ? msLeft / 1000 : null,
  };
}

/** The commands for all of a host's keys. */
export function lookCommands(lists: readonly string[], dead: string, marks: string): readonly RedisCommand[] {
  return [...lists.flatMap(listCommands), ...deadCommands(dead), ['hgetall', marks]];
}

/** Parses the replies to `lookCommands`. */
export function lookOf(
  host: string,
  lists: readonly string[],
  dead: string,
  replies: readonly unknown[],
  deaths: StoredDeaths,
): StoredCandidates {
  const held = lists.map((key, i) => storedValueOf(key, replies.slice(i * WIDTH, (i + 1) * WIDTH)));
  return {
    host,
    lists: held,
    dead: storedValueOf(dead, replies.slice(lists.length * WIDTH, -1)),
    marks: flatOf(replies.at(-1)),
    deaths,
  };
}

/** A frontend with its dead marks, from a lookup of its own key only. */
export function entryOf(key: string, { lists, dead, marks, deaths }: StoredCandidates): StoredFrontend | null {
  const [list] = lists;
  return list === undefined ? null : { key, list, dead, marks, deaths };
}

/** The error for a permanent refusal. */
export function refusedBy(error: Error): EditorError {
  const hint = error.message.startsWith('NOPERM') ? ' (docs/redis.md, "Rights", has what a user needs)' : '';
  return new EditorError('store-refused', `Redis refuses: ${error.message}${hint}`, { cause: error });
}

function isRefusal(reply: unknown): boolean {
  return reply instanceof Error && /^NOPERM .*\bkeys?\b/.test(reply.message);
}

function isWrongType(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('WRONGTYPE');
}

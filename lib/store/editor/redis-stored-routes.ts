/** What stands at keys of Redis: commands out, replies in. Pure. */
import type { StoredFrontend, StoredCandidates, StoredValue } from './route-editor.ts';
import { flatOf } from '../redis/site-metadata.ts';
import { isTexts } from '../texts.ts';
import { MAX_LIST } from '../limits.ts';
import { EditorError } from '../editor-error.ts';
import { notUnderstood, type RedisCommand } from '../redis-client/protocol.ts';

/** Commands for one list. */
const WIDTH = 4;

/** Reads a frontend's list, at most one element more than it may have. */
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
  // The router's own user may not count a set's members; reading them is what it does anyway.
  return [
    ['type', key],
    ['smembers', key],
    ['pttl', key],
  ];
}

/** Reads the replies to `listCommands` or `deadCommands`; each may be an Error, as Redis replied it. */
export function storedValueOf(key: string, replies: readonly unknown[]): StoredValue {
  const [type, elements, msLeft, length] = replies;
  if (typeof type !== 'string') {
    // A right that is missing for this key alone: whoever asks is told that it is so.
    if (isRefusal(type)) return { key, type: 'unknown', holds: [], length: 0, secondsLeft: null };
    throw type instanceof Error ? refusedBy(type) : notUnderstood(type);
  }
  const holds = isTexts(elements) ? elements : [];
  const isRead = isTexts(elements) || type === 'none' || isWrongType(elements);
  if (!isRead) throw elements instanceof Error ? refusedBy(elements) : notUnderstood(elements);
  return {
    key,
    // The key may have come or gone between two of the commands.
    type: type === 'none' && holds.length > 0 ? 'list' : type,
    holds,
    length: Math.max(holds.length, typeof length === 'number' ? length : 0),
    secondsLeft: typeof msLeft === 'number' && msLeft >= 0 ? msLeft / 1000 : null,
  };
}

/** Commands for all of a host's keys. */
export function lookCommands(lists: readonly string[], dead: string, marks: string): readonly RedisCommand[] {
  return [...lists.flatMap(listCommands), ...deadCommands(dead), ['hgetall', marks]];
}

/** Reads the replies to `lookCommands`. */
export function lookOf(
  host: string,
  lists: readonly string[],
  dead: string,
  replies: readonly unknown[],
): StoredCandidates {
  const held = lists.map((key, i) => storedValueOf(key, replies.slice(i * WIDTH, (i + 1) * WIDTH)));
  return {
    host,
    lists: held,
    dead: storedValueOf(dead, replies.slice(lists.length * WIDTH, -1)),
    marks: flatOf(replies.at(-1)),
  };
}

/** A frontend with its dead marks, from a look for its own key alone. */
export function entryOf(key: string, { lists, dead, marks }: StoredCandidates): StoredFrontend | null {
  const [list] = lists;
  return list === undefined ? null : { key, list, dead, marks };
}

/** An error reply that no repetition will mend. */
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

/** Reads whole frontends from Redis: makes commands, parses replies. Pure functions. */
import { EditorError } from '../editor-error.ts';
import { fieldsOf } from '../fields.ts';
import { MAX_LIST } from '../limits.ts';
import { isReplyError } from '../redis-client/link.ts';
import { notUnderstood, type RedisCommand } from '../redis-client/protocol.ts';
import { flatOf } from '../redis/site-metadata.ts';
import { isTexts } from '../texts.ts';
import { pathOfKey } from './edit-rules.ts';
import { type FrontendSet, SET_HASHES, type SetHashes } from './frontend-set.ts';
import { refusedBy } from './redis-stored-routes.ts';

/** The keys of a frontend, as Redis spells them. */
export interface SetKeys {
  readonly list: string;
  readonly dead: string;
  /** In the order of SET_HASHES. */
  readonly hashes: readonly string[];
  /** The set of its prefix; null for a frontend without a path. */
  readonly path: { readonly set: string; readonly prefix: string } | null;
}

/** The keys of a frontend. */
export function keysOfSet(prefix: string, key: string): SetKeys {
  const path = pathOfKey(key);
  return {
    list: `${prefix}frontend:${key}`,
    dead: `${prefix}dead:${key}`,
    hashes: SET_HASHES.map((hash) => `${prefix}${hash}:${key}`),
    path: path && { set: `${prefix}prefixes:${path.host}`, prefix: path.prefix },
  };
}

/** Reads a frontend. */
export function readCommands({ list, hashes }: SetKeys): readonly RedisCommand[] {
  return [['lrange', list, '0', String(MAX_LIST)], ...hashes.map((hash) => ['hgetall', hash] as const)];
}

/** Parses the replies to `readCommands` of each. @throws EditorError */
export function setsOf(names: readonly SetKeys[], replies: readonly unknown[]): readonly FrontendSet[] {
  const width = 1 + SET_HASHES.length;
  if (replies.length !== width * names.length) throw new EditorError('store-unavailable', 'Redis sent too few replies');
  return names.map((name, at) => setOf(name, replies.slice(at * width, (at + 1) * width)));
}

function setOf({ list, hashes }: SetKeys, [elements, ...flats]: readonly unknown[]): FrontendSet {
  const odd: string[] = [];
  const contentOf = (key: string, reply: unknown): readonly string[] => {
    if (isReplyError(reply)) {
      if (!reply.message.startsWith('WRONGTYPE')) throw refusedBy(reply);
      odd.push(key);
      return [];
    }
    return key === list ? textsOf(reply) : flatOf(reply);
  };
  const found = contentOf(list, elements);
  const read = SET_HASHES.map((hash, i) => [hash, fieldsOf(contentOf(hashes[i] ?? '', flats[i]))] as const);
  return {
    list: found.length === 0 ? null : found,
    hashes: Object.fromEntries(read) as SetHashes,
    odd,
  };
}

function textsOf(reply: unknown): readonly string[] {
  if (!isTexts(reply)) throw notUnderstood(reply);
  return reply;
}

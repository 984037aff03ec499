import type { StoredChecks, StoredValue, MetadataKind } from './route-editor.ts';
import { hasSharedList } from '../checks.ts';
import { fieldsOf } from '../fields.ts';
import { isTexts } from '../texts.ts';
import { flatOf } from '../redis/site-metadata.ts';
import { HASH_RULES } from '../../sites/hashes.ts';
import { CHECK_BOUNDS } from '../../sites/healthcheck.ts';
import { MAX_NAMES } from '../limits.ts';
import { storedValueOf, refusedBy } from './redis-stored-routes.ts';
import { isReplyError, type RedisLink } from '../redis-client/link.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { EditorError } from '../editor-error.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';

/** How a kind is measured and read, and its maximum size. */
const READ: Readonly<Record<MetadataKind, readonly [measure: string, read: string, most: number]>> = {
  prefixes: ['scard', 'smembers', MAX_NAMES],
  options: ['hlen', 'hgetall', HASH_RULES.options.maxFields],
  headers: ['hlen', 'hgetall', HASH_RULES.headers.maxFields],
  weights: ['hlen', 'hgetall', HASH_RULES.weights.maxFields],
  healthcheck: ['hlen', 'hgetall', CHECK_BOUNDS.fields],
  // There are 200 statuses.
  errors: ['hlen', 'hgetall', 200],
};

/**
 * Reads what belongs to lists: first the size of each, then those that are not too large. May reject with Redis' error
 * reply.
 */
export async function readMetadata(
  link: RedisLink,
  kind: MetadataKind,
  names: readonly string[],
): Promise<readonly StoredValue[]> {
  const [measure, read, most] = READ[kind];
  const deadline = link.deadline();
  const sizes = await link.sendAll(
    names.flatMap((name): RedisCommand[] => [
      ['type', name],
      [measure, name],
      ['pttl', name],
    ]),
    deadline,
  );
  const isReadable = (i: number): boolean => {
    const size = sizes[3 * i + 1];
    return typeof size === 'number' && size > 0 && size <= most;
  };
  const readable = names.filter((_, i) => isReadable(i));
  const contents = await link.sendAll(
    readable.map((name) => [read, name] as const),
    deadline,
  );
  return names.map((name, i) => {
    const [type, size, left] = sizes.slice(3 * i, 3 * i + 3);
    if (!isReadable(i)) return storedValueOf(name, [type, isReplyError(size) ? size : [], left, size]);
    const content = contents[readable.indexOf(name)];
    const held = storedValueOf(name, [type, isReplyError(content) ? content : flatOf(content), left]);
    return typeof size === 'number' ? { ...held, length: size } : held;
  });
}

/** Which of these are members of a set. @throws EditorError when Redis refuses */
export async function membersAmong(
  link: RedisLink,
  name: string,
  wanted: readonly string[],
): Promise<readonly string[]> {
  const commands = wanted.map((member) => ['sismember', name, member] as const);
  const replies = await link.sendAll(commands, link.deadline());
  const refusal = replies.find(isReplyError);
  if (refusal !== undefined) {
    if (refusal.message.startsWith('WRONGTYPE') || isCommandRefused(refusal)) return [];
    throw refusedBy(refusal);
  }
  if (replies.length !== wanted.length) throw new EditorError('store-unavailable', 'Redis sent too few replies');
  return wanted.filter((_, i) => replies[i] === 1);
}

/** What active checks have found of a frontend. To a user who may not read that, nothing is known. */
export async function readChecks(link: RedisLink, prefix: string, key: string): Promise<StoredChecks> {
  const commands = [
    ['hgetall', `${prefix}check:${key}`],
    ['smembers', `${prefix}checked:${key}`],
    ['smembers', `${prefix}down:${key}`],
    ['pttl', `${prefix}down:${key}`],
  ] as const;
  const [results, checked, down, left] = await link.sendAll(commands, link.deadline());
  return {
    results: fieldsOf(flatOf(results)),
    checked: isTexts(checked) ? checked : [],
    down: isTexts(down) && hasSharedList(key) ? down : [],
    downSeconds: typeof left === 'number' && left >= 0 ? left / 1000 : null,
  };
}

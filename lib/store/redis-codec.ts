/** Between Redis and our types: keys and commands out, replies in. Pure; every reply is checked here and nowhere else. */
import { originOf } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import type { Death } from '../core/types.ts';
import { NOBODY } from './dead-marks.ts';
import { MAX_LIST } from './limits.ts';

/** A command's name in lower case, then its arguments. */
export type RedisCommand = readonly [name: string, ...args: string[]];

/** What reading a host's keys came to. `index` is the candidate's place. */
export type Lookup =
  | { readonly type: 'none' }
  /** `dead` is the set's members, or the type of what stands at the `dead:` key and is no set. */
  | { readonly type: 'found'; readonly index: number; readonly list: readonly string[]; readonly dead: Dead }
  | { readonly type: 'wrong-type'; readonly index: number; readonly found: string }
  | { readonly type: 'too-long'; readonly index: number };

type Dead = readonly string[] | string;

/** Reads what the script of redis-script.ts returned. @throws RouterError `store-unavailable` when it is none of its replies */
export function lookupOfScript(reply: unknown): Lookup {
  if (reply === null) return { type: 'none' };
  if (!Array.isArray(reply)) throw unexpected(reply);
  const [type, index, third, dead]: unknown[] = reply;
  if (typeof index !== 'number') throw unexpected(reply);
  if (type === 'too-long') return { type, index };
  if (type === 'wrong-type' && typeof third === 'string') return { type, index, found: third };
  if (type !== 'found' || !isStrings(third)) throw unexpected(reply);
  if (typeof dead !== 'string' && !isStrings(dead)) throw unexpected(reply);
  return { type, index, list: third, dead };
}

/** What the script does, as commands for one pipeline, for servers that refuse scripts. */
export function lookupCommands(frontendKeys: readonly string[], deadKey: string): readonly RedisCommand[] {
  const commands: RedisCommand[] = [
    ['type', deadKey],
    ['smembers', deadKey],
  ];
  for (const key of frontendKeys) {
    // One element more than allowed is enough to know that there are too many.
    commands.push(['type', key], ['lrange', key, '0', String(MAX_LIST)]);
  }
  return commands;
}

/**
 * Reads the replies to `lookupCommands`. Each may be an Error, as Redis replied it.
 * @throws the Error of a reply that was needed and is one for another reason than the key's type
 */
export function lookupOfPipeline(replies: readonly unknown[]): Lookup {
  let bare: Lookup = { type: 'none' };
  for (let at = 2; at + 1 < replies.length; at += 2) {
    const index = at / 2 - 1;
    const list = valueOf(replies[at], replies[at + 1], 'list');
    if (typeof list === 'string') return { type: 'wrong-type', index, found: list };
    if (list.length > MAX_LIST) return { type: 'too-long', index };
    if (list.length > 1) return { type: 'found', index, list, dead: valueOf(replies[0], replies[1], 'set') };
    if (list.length === 1 && bare.type === 'none') bare = { type: 'found', index, list, dead: [] };
  }
  return bare;
}

/** The elements, or the type of what stands there instead. */
function valueOf(type: unknown, value: unknown, wanted: string): readonly string[] | string {
  if (isStrings(value)) return value;
  if (!(value instanceof Error)) throw unexpected(value);
  if (typeof type !== 'string' || type === wanted || type === 'none') throw value;
  return type;
}

/** Ids of a dead set. What is no place in a list of `size` backends is left out: scripts and people write there too. */
export function idsOf(members: readonly string[], size: number): ReadonlySet<number> {
  if (members.length === 0) return NOBODY;
  const ids = new Set<number>();
  for (const member of members) {
    const id = Number(member);
    if (id < size && /^(?:0|[1-9][0-9]*)$/.test(member)) ids.add(id);
  }
  return ids;
}

/** What is published on the channel `dead`: `host;scheme://host:port;id;len`. */
export function announcement({ frontend, backend, of }: Death): string {
  return `${frontend};${originOf(backend)};${backend.id};${of}`;
}

/** Whether an active checker's `hchecker_ping`, in unix seconds, is younger than 30 s. */
export function isFresh(ping: unknown, nowMs: number): boolean {
  return typeof ping === 'string' && /^[0-9]{1,15}$/.test(ping) && nowMs / 1000 - Number(ping) < 30;
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

function unexpected(reply: unknown): RouterError {
  return new RouterError(
    'store-unavailable',
    `Redis replied what nobody understands: ${(JSON.stringify(reply) ?? 'nothing').slice(0, 200)}`,
  );
}

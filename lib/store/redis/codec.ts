/** Between Redis and our types: keys and commands out, replies in. Pure; every reply is checked here and nowhere else. */
import { originOf } from '../../core/routing/backend.ts';
import { RouterError } from '../../core/errors.ts';
import type { Death } from '../../core/routing/types.ts';
import { type SiteMetadata, siteMetadataOf } from './site-metadata.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import { MAX_LIST } from '../limits.ts';
import { isTexts } from '../texts.ts';

/** What reading a host's keys came to. `index` is the candidate's place. */
export type Lookup =
  | { readonly type: 'none' }
  /** `dead` is the set's members, or the type of what stands at the `dead:` key and is no set. */
  | Found
  | { readonly type: 'wrong-type'; readonly index: number; readonly found: string }
  | { readonly type: 'too-long'; readonly index: number };

export interface Found {
  readonly type: 'found';
  readonly index: number;
  readonly list: readonly string[];
  readonly dead: Dead;
  /** Fields and values of `marks:<host>` in turn; empty where nobody is marked, or only by others than routers. */
  readonly marks: readonly string[];
  /** How long it takes until the first of the keys expires, ms; negative when none does, or nobody asked. */
  readonly leftMs: number;
}

type Dead = readonly string[] | string;

/** What reading a host's keys came to, and what stands beside them: null where nothing does, as with most. */
export interface Looked {
  /** Null where nobody looked, since a prefix has the path. */
  readonly own: Lookup | null;
  readonly beside: SiteMetadata | null;
}

/**
 * What the script of lookup-script.ts returned for each host: for `lookedOfScript`.
 * @throws RouterError `store-unavailable` when it is none of its replies
 */
export function repliesOfScript(reply: unknown, hosts: number): readonly unknown[] {
  const replies: unknown = typeof reply === 'string' ? parseJson(reply) : null;
  if (!Array.isArray(replies) || replies.length !== hosts) throw unexpected(reply);
  return replies;
}

/**
 * Reads what it returned for one host.
 * @throws Error as Redis replied it; RouterError `store-unavailable` when it is none of its replies
 */
export function lookedOfScript(reply: unknown): Looked {
  if (!Array.isArray(reply) || reply[0] !== 'beside') return { own: lookupOfScript(reply), beside: null };
  const [, own, beside]: unknown[] = reply;
  return { own: own === true ? null : lookupOfScript(own), beside: siteMetadataOf(beside) };
}

function lookupOfScript(reply: unknown): Lookup {
  if (reply === false) return { type: 'none' };
  if (!Array.isArray(reply)) throw isError(reply) ? new Error(reply.err) : unexpected(reply);
  const [type, index, third, dead, leftMs, marks = []]: unknown[] = reply;
  if (typeof index !== 'number') throw unexpected(reply);
  if (type === 'too-long') return { type, index };
  if (type === 'wrong-type' && typeof third === 'string') return { type, index, found: third };
  if (type !== 'found' || !isTexts(third) || typeof leftMs !== 'number' || !isTexts(marks)) throw unexpected(reply);
  if (typeof dead === 'string' || isTexts(dead)) return { type, index, list: third, dead, marks, leftMs };
  // Lua has one kind of empty table.
  if (typeof dead !== 'object' || dead === null || Array.isArray(dead)) throw unexpected(reply);
  return { type, index, list: third, dead: [], marks: [], leftMs };
}

function isError(reply: unknown): reply is { readonly err: string } {
  return typeof reply === 'object' && reply !== null && 'err' in reply && typeof reply.err === 'string';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * What the script does for one host, as commands for one pipeline, for servers that refuse scripts.
 * @param keys the candidates' keys, then the host's dead set
 */
export function lookupCommands(keys: readonly string[], wantsExpiry: boolean): readonly RedisCommand[] {
  const commands: RedisCommand[] = [];
  for (const [i, key] of keys.entries()) {
    // One element more than allowed is enough to know that there are too many.
    const read: RedisCommand = i === keys.length - 1 ? ['smembers', key] : ['lrange', key, '0', String(MAX_LIST)];
    commands.push(['type', key], read);
    if (wantsExpiry) commands.push(['pttl', key]);
  }
  return commands;
}

/**
 * Reads the replies to `lookupCommands`. Each may be an Error, as Redis replied it.
 * @throws the Error of a reply that was needed and is one for another reason than the key's type
 */
export function lookupOfPipeline(replies: readonly unknown[], wantsExpiry: boolean): Lookup {
  const width = wantsExpiry ? 3 : 2;
  const keys: (readonly unknown[])[] = [];
  for (let at = 0; at < replies.length; at += width) keys.push(replies.slice(at, at + width));
  const [deadType, members, deadLeft] = keys.pop() ?? [];
  let bare: Lookup = { type: 'none' };
  let left = -1;
  for (const [index, [type, elements, keyLeft]] of keys.entries()) {
    const list = valueOf(type, elements, 'list');
    if (typeof list === 'string') return { type: 'wrong-type', index, found: list };
    if (list.length > MAX_LIST) return { type: 'too-long', index };
    if (list.length > 0) left = sooner(left, keyLeft);
    if (list.length > 1) {
      const dead = valueOf(deadType, members, 'set');
      return { type: 'found', index, list, dead, marks: [], leftMs: sooner(left, deadLeft) };
    }
    if (list.length === 1 && bare.type === 'none') {
      bare = { type: 'found', index, list, dead: [], marks: [], leftMs: -1 };
    }
  }
  return bare.type === 'found' ? { ...bare, leftMs: left } : bare;
}

/** The less of two times; negative or no number is never. */
function sooner(a: number, b: unknown): number {
  if (typeof b !== 'number' || b < 0) return a;
  return a < 0 ? b : Math.min(a, b);
}

/** The elements, or the type of what stands there instead. */
function valueOf(type: unknown, value: unknown, wanted: string): readonly string[] | string {
  if (isTexts(value)) return value;
  if (!(value instanceof Error)) throw unexpected(value);
  if (typeof type !== 'string' || type === wanted || type === 'none') throw value;
  return type;
}

/** Ids of a dead set. What is no place in a list of `size` backends is left out: scripts and people write there too. */
export function idsOf(members: readonly string[], size: number): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const member of members) {
    const id = Number(member);
    if (id < size && /^(?:0|[1-9][0-9]*)$/.test(member)) ids.add(id);
  }
  return ids;
}

/**
 * What is published on the channel `dead`: `host;entry;id;len`. The entry is spelled as in the list, path and all:
 * PlanB's monitor compares it with the list's elements, and hipache-hchecker cuts it to `scheme://host:port` by itself.
 * An entry with a ';' would forge a field, so that only its scheme, host and port are named.
 */
export function announcement({ route: { frontend, size }, backend }: Death): string {
  const entry = backend.href.includes(';') ? originOf(backend) : backend.href;
  return `${frontend};${entry};${backend.id};${size}`;
}

/** Whether an active checker's `hchecker_ping`, in unix seconds, is younger than 30 s. */
export function isFresh(ping: unknown, nowMs: number): boolean {
  return typeof ping === 'string' && /^[0-9]{1,15}$/.test(ping) && nowMs / 1000 - Number(ping) < 30;
}

function unexpected(reply: unknown): RouterError {
  return new RouterError(
    'store-unavailable',
    `Redis replied what nobody understands: ${(JSON.stringify(reply) ?? 'nothing').slice(0, 200)}`,
  );
}

/**
 * Converts between Redis and our types: makes keys and commands, parses replies. Pure; every reply is validated here.
 */
import { originOf } from '../../core/routing/backend.ts';
import { RouterError } from '../../core/errors.ts';
import type { Death } from '../../core/routing/types.ts';
import { idsIn, type SiteMetadata, siteMetadataOf } from './site-metadata.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';
import { MAX_LIST } from '../limits.ts';
import { isTexts } from '../texts.ts';

/** The result of reading a host's keys. `index` is the candidate's position. */
export type Lookup =
  | { readonly type: 'none' }
  /** `dead` has the set's members, or the type of a `dead:` key that is not a set. */
  | Found
  | { readonly type: 'wrong-type'; readonly index: number; readonly found: string }
  | { readonly type: 'too-long'; readonly index: number };

/** What is wrong with a list that cannot be used. */
export function faultOf(
  lookup: { readonly type: 'wrong-type'; readonly found: string } | { readonly type: 'too-long' },
): string {
  return lookup.type === 'too-long' ? `is longer than ${MAX_LIST} elements` : `holds a ${lookup.found}, not a list`;
}

/** A list that was found, with the host's dead marks. */
export interface Found {
  readonly type: 'found';
  readonly index: number;
  readonly list: readonly string[];
  readonly dead: Dead;
  /** Fields and values of `marks:<host>` in turn; empty if no router has marked a backend. */
  readonly marks: readonly string[];
  /** URLs and records of `trial:<host>` in turn, then the time of Redis; empty without one. See trials.ts. */
  readonly records: readonly string[];
  /** Ids of backends without a good check, where only those with one get traffic. */
  readonly unchecked: readonly number[];
  /** Ids of backends that fail their checks, of a list that hosts of other names have. */
  readonly down: readonly number[];
  /** When the first of the keys expires, ms from now; negative when none does, or when that was not requested. */
  readonly leftMs: number;
}

type Dead = readonly string[] | string;

/** The result of reading a host's keys, and what belongs to them; null when nothing does, as with most hosts. */
export interface Looked {
  /** Null when it was not read, because a prefix matches the path. */
  readonly own: Lookup | null;
  readonly beside: SiteMetadata | null;
}

/**
 * The script's replies for each host (lookup-script.ts), as input of `lookedOfScript`.
 * @throws RouterError `store-unavailable` for an invalid reply
 */
export function repliesOfScript(reply: unknown, hosts: number): readonly unknown[] {
  const replies: unknown = typeof reply === 'string' ? parseJson(reply) : null;
  if (!Array.isArray(replies) || replies.length !== hosts) throw unexpected(reply);
  return replies;
}

/**
 * Parses the script's reply for one host.
 * @throws Error as Redis replied it; RouterError `store-unavailable` for an invalid reply
 */
export function lookedOfScript(reply: unknown): Looked {
  if (!Array.isArray(reply) || reply[0] !== 'beside') return { own: lookupOfScript(reply), beside: null };
  const [, own, beside]: unknown[] = reply;
  return { own: own === true ? null : lookupOfScript(own), beside: siteMetadataOf(beside) };
}

function lookupOfScript(reply: unknown): Lookup {
  if (reply === false) return { type: 'none' };
  if (!Array.isArray(reply)) throw isError(reply) ? new Error(reply.err) : unexpected(reply);
  const [type, index, third, dead, leftMs, urls = [], records = [], unchecked, down]: unknown[] = reply;
  if (typeof index !== 'number') throw unexpected(reply);
  if (type === 'too-long') return { type, index };
  if (type === 'wrong-type' && typeof third === 'string') return { type, index, found: third };
  if (type !== 'found' || !isTexts(third) || typeof leftMs !== 'number') throw unexpected(reply);
  const marks = listOf(urls);
  const deaths = listOf(records);
  const members = typeof dead === 'string' ? dead : listOf(dead);
  if (marks === null || members === null || deaths === null) throw unexpected(reply);
  const checks = { unchecked: idsIn(unchecked), down: idsIn(down) };
  return { type, index, list: third, dead: members, marks, records: deaths, ...checks, leftMs };
}

/** Lua has one empty table for both lists and maps. Null for anything else. */
function listOf(reply: unknown): readonly string[] | null {
  if (isTexts(reply)) return reply;
  return typeof reply === 'object' && reply !== null && !Array.isArray(reply) ? [] : null;
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
 * The script's lookup of one host as commands for one pipeline, for servers that refuse scripts.
 * @param keys the candidates' keys, then the host's dead set
 */
export function lookupCommands(keys: readonly string[], wantsExpiry: boolean): readonly RedisCommand[] {
  const commands: RedisCommand[] = [];
  for (const [i, key] of keys.entries()) {
    // One element more than allowed shows that a list is too long.
    const read: RedisCommand = i === keys.length - 1 ? ['smembers', key] : ['lrange', key, '0', String(MAX_LIST)];
    commands.push(['type', key], read);
    if (wantsExpiry) commands.push(['pttl', key]);
  }
  return commands;
}

/**
 * Parses the replies to `lookupCommands`. Each may be an Error, as Redis replied it.
 * @throws the Error of a required reply, unless it is about the key's type
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
      return {
        type: 'found',
        index,
        list,
        dead,
        marks: [],
        records: [],
        unchecked: [],
        down: [],
        leftMs: sooner(left, deadLeft),
      };
    }
    if (list.length === 1 && bare.type === 'none') {
      bare = { type: 'found', index, list, dead: [], marks: [], records: [], unchecked: [], down: [], leftMs: -1 };
    }
  }
  return bare.type === 'found' ? { ...bare, leftMs: left } : bare;
}

/** The smaller of two times; negative, or not a number, means never. */
function sooner(a: number, b: unknown): number {
  if (typeof b !== 'number' || b < 0) return a;
  return a < 0 ? b : Math.min(a, b);
}

/** The elements, or the key's actual type. */
function valueOf(type: unknown, value: unknown, wanted: string): readonly string[] | string {
  if (isTexts(value)) return value;
  if (!(value instanceof Error)) throw unexpected(value);
  if (typeof type !== 'string' || type === wanted || type === 'none') throw value;
  return type;
}

/**
 * The ids of a dead set. Members that are no position in a list of `size` backends are dropped: scripts and people
 * write there, too.
 */
export function idsOf(members: readonly string[], size: number): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const member of members) {
    const id = Number(member);
    if (id < size && /^(?:0|[1-9][0-9]*)$/.test(member)) ids.add(id);
  }
  return ids;
}

/**
 * A message of the channel `dead`: `host;entry;id;len`. The entry is spelled as in the list, with its path: PlanB's
 * monitor compares it with the list's elements, and hipache-hchecker cuts it to `scheme://host:port` itself. An entry
 * with a ';' would forge a field, so only its scheme, host and port are sent.
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
    `Redis sent an invalid reply: ${(JSON.stringify(reply) ?? 'nothing').slice(0, 200)}`,
  );
}

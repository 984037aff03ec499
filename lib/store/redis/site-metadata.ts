/** Parses what belongs to a host's lists: prefixes, and the hashes of sites. Validates every reply. Pure functions. */
import { RouterError } from '../../core/errors.ts';
import { cutsOf, pathOf } from '../../core/routing/prefixes.ts';
import type { SiteHash } from '../../core/routing/site.ts';
import { HASH_RULES, SITE_HASHES } from '../../sites/hashes.ts';
import { MAX_LIST } from '../limits.ts';
import { isTexts } from '../texts.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';

/** The hashes of one key that make a site, each as fields and values in turn. */
export type FlatHashes = Readonly<Record<SiteHash, readonly string[]>>;

/** The hashes of most keys. One object, so that it can be compared by reference. */
export const NO_HASHES: FlatHashes = Object.freeze({ options: [], headers: [], weights: [] });

/** What is read in addition to the list. */
export interface SiteMetadata {
  /** The candidate whose prefixes count; -1 when no candidate has prefixes. */
  readonly paths: number;
  /** All prefixes; null when they were not requested, or when there are too many. */
  readonly names: readonly string[] | null;
  readonly hit: Hit | null;
  /** Longer matching prefixes whose lists have no backend. */
  readonly missing: readonly string[];
  /** The hashes of `*`, and of the key of the host's own list. */
  readonly all: FlatHashes;
  readonly host: FlatHashes;
  /** Keys of another type, and that type. */
  readonly faults: readonly (readonly [key: string, fault: string])[];
  /** As `Found.leftMs`. */
  readonly leftMs: number;
  /** Why nothing of this could be read; null when it could. */
  readonly shut: string | null;
}

/** The longest matching prefix whose list has a backend, or is broken. */
export type Hit =
  | {
      readonly type: 'found';
      readonly prefix: string;
      readonly list: readonly string[];
      /** As `Found.dead`. */
      readonly dead: readonly string[] | string;
      /** As `Found.marks`. */
      readonly marks: readonly string[];
      /** As `Found.records`. */
      readonly records: readonly string[];
      /** As `Found.unchecked`. */
      readonly unchecked: readonly number[];
      /** As `Found.down`. */
      readonly down: readonly number[];
      /** The hashes of the host's key, and of the prefix. */
      readonly host: FlatHashes;
      readonly site: FlatHashes;
    }
  | { readonly type: 'wrong-type'; readonly prefix: string; readonly found: string }
  | { readonly type: 'too-long'; readonly prefix: string };

/** Parses the third element of a reply `['beside', own, beside]`. @throws RouterError `store-unavailable` */
export function siteMetadataOf(reply: unknown): SiteMetadata {
  if (!isObject(reply)) throw unexpected();
  const { paths, names, hit, missing, all, host, faults, left, shut } = reply;
  return {
    paths: typeof paths === 'number' ? paths : -1,
    names: names === undefined ? null : textsOf(names),
    hit: hit === undefined ? null : hitOf(hit),
    missing: textsOf(missing),
    all: hashesOf(all),
    host: hashesOf(host),
    faults: faultsOf(faults),
    leftMs: typeof left === 'number' ? left : -1,
    shut: typeof shut === 'string' ? shut : null,
  };
}

function hitOf(reply: unknown): Hit {
  if (!isObject(reply) || typeof reply['prefix'] !== 'string') throw unexpected();
  const { type = 'found', prefix, list, dead, marks, unchecked, down, host, site, found, records } = reply;
  if (type === 'too-long') return { type, prefix };
  if (type === 'wrong-type' && typeof found === 'string') return { type, prefix, found };
  if (type !== 'found') throw unexpected();
  return {
    type,
    prefix,
    list: textsOf(list),
    dead: typeof dead === 'string' ? dead : textsOf(dead),
    marks: textsOf(marks),
    records: textsOf(records),
    unchecked: idsIn(unchecked),
    down: idsIn(down),
    host: hashesOf(host),
    site: hashesOf(site),
  };
}

function hashesOf(reply: unknown): FlatHashes {
  if (reply === undefined) return NO_HASHES;
  if (!isObject(reply)) throw unexpected();
  return hashesBy((hash) => textsOf(reply[hash]));
}

function faultsOf(reply: unknown): SiteMetadata['faults'] {
  if (!Array.isArray(reply)) return [];
  return reply.map((fault) => {
    const [key = '', what = ''] = textsOf(fault);
    return [key, what];
  });
}

/** Lua has one empty table for both lists and maps. */
function textsOf(reply: unknown): readonly string[] {
  if (reply === undefined || (isObject(reply) && Object.keys(reply).length === 0)) return [];
  if (!isTexts(reply)) throw unexpected();
  return reply;
}

/** A list of ids. */
export function idsIn(reply: unknown): readonly number[] {
  return Array.isArray(reply) ? reply.filter((id) => typeof id === 'number') : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unexpected(): RouterError {
  return new RouterError('store-unavailable', 'Redis sent an invalid reply about prefixes or options');
}

function hashesBy(fieldsIn: (hash: SiteHash, index: number) => readonly string[]): FlatHashes {
  const [options = [], headers = [], weights = []] = SITE_HASHES.map(fieldsIn);
  return options.length + headers.length + weights.length === 0 ? NO_HASHES : { options, headers, weights };
}

/** Without scripts: commands that tell whether anything belongs to the lists, for one pipeline. */
export function siteMetadataCommands(prefix: string, candidates: readonly string[]): readonly RedisCommand[] {
  return [
    ...hashCommands(prefix, '*'),
    ...candidates.flatMap((key) => [...hashCommands(prefix, key), ['scard', `${prefix}prefixes:${key}`] as const]),
  ];
}

function hashCommands(prefix: string, key: string): readonly RedisCommand[] {
  return SITE_HASHES.map((hash) => ['hgetall', `${prefix}${hash}:${key}`] as const);
}

/** The parsed replies to `siteMetadataCommands`. */
export interface SiteMetadataReplies {
  readonly all: FlatHashes;
  /** Of each candidate. */
  readonly hashes: readonly FlatHashes[];
  /** The number of prefixes of each candidate. */
  readonly sizes: readonly number[];
  readonly faults: SiteMetadata['faults'];
  readonly shut: string | null;
}

/** Parses them. Each may be an Error, as Redis replied it: then the key has nothing that can be used. */
export function metadataOf(
  prefix: string,
  candidates: readonly string[],
  replies: readonly unknown[],
): SiteMetadataReplies {
  const faults: (readonly [string, string])[] = [];
  let shut: string | null = null;
  /** Hashes that this user may not read, and why. */
  const denied = new Map<SiteHash, string>();
  const fault = (key: string, error: Error, wanted: string): void => {
    if (isNoPermission(error)) shut ??= error.message;
    else faults.push([key, faultOf(error, wanted)]);
  };
  const hash = (kind: SiteHash, key: string, reply: unknown): readonly string[] => {
    const name = `${prefix}${kind}:${key}`;
    // Users from the time before there were header fields, or weights, have all the rest.
    if (reply instanceof Error && kind !== 'options' && isNoPermission(reply)) denied.set(kind, reply.message);
    else if (reply instanceof Error) fault(name, reply, 'hash');
    const flat = flatOf(reply);
    const { maxFields } = HASH_RULES[kind];
    if (flat.length <= 2 * maxFields) return flat;
    faults.push([name, `has more than ${maxFields} fields`]);
    return [];
  };
  const hashes = (key: string, at: number): FlatHashes => hashesBy((kind, i) => hash(kind, key, replies[at + i]));
  const count = SITE_HASHES.length;
  const all = hashes('*', 0);
  const ofCandidates = candidates.map((key, i) => hashes(key, count + (count + 1) * i));
  const sizes = candidates.map((key, i) => {
    const size = replies[2 * count + (count + 1) * i];
    if (size instanceof Error) fault(`${prefix}prefixes:${key}`, size, 'set');
    return typeof size === 'number' ? size : 0;
  });
  if (shut === null) for (const [kind, why] of denied) faults.push([`${prefix}${kind}:*`, why]);
  return { all, hashes: ofCandidates, sizes, faults, shut };
}

function isNoPermission({ message }: Error): boolean {
  return message.startsWith('NOPERM');
}

/** The commands that read a path's prefixes, for another pipeline. @param key the candidate whose prefixes count */
export function underCommands(prefix: string, key: string, host: string, path: string): readonly RedisCommand[] {
  const commands: RedisCommand[] = [];
  for (const cut of cutsOf(pathOf(path))) {
    commands.push(
      ['sismember', `${prefix}prefixes:${key}`, cut],
      ['type', `${prefix}frontend:${key}${cut}`],
      ['lrange', `${prefix}frontend:${key}${cut}`, '0', String(MAX_LIST)],
      ['smembers', `${prefix}dead:${host}${cut}`],
      ...hashCommands(prefix, key + cut),
    );
  }
  return commands;
}

const WIDTH = 4 + SITE_HASHES.length;

/** Parses the replies to `underCommands`: which prefix counts, and which were skipped for lack of a backend. */
export function hitOfPipeline(path: string, replies: readonly unknown[], host: FlatHashes) {
  const missing: string[] = [];
  for (const [i, prefix] of cutsOf(pathOf(path)).entries()) {
    const [isMember, type, list, dead, ...hashes] = replies.slice(i * WIDTH, (i + 1) * WIDTH);
    if (isMember !== 1) continue;
    const hit = oneHit(
      prefix,
      type,
      list,
      dead,
      hashesBy((_, at) => flatOf(hashes[at])),
      host,
    );
    if (hit !== null) return { hit, missing };
    missing.push(prefix);
  }
  return { hit: null, missing };
}

function oneHit(
  prefix: string,
  type: unknown,
  list: unknown,
  dead: unknown,
  site: FlatHashes,
  host: FlatHashes,
): Hit | null {
  if (!isTexts(list)) return { type: 'wrong-type', prefix, found: String(type) };
  if (list.length > MAX_LIST) return { type: 'too-long', prefix };
  if (list.length < 2) return null;
  const members = isTexts(dead) ? dead : 'thing that cannot be read';
  return { type: 'found', prefix, list, dead: members, marks: [], records: [], unchecked: [], down: [], host, site };
}

/** The reply to HGETALL, which ioredis converts to an object, as fields and values in turn. */
export function flatOf(reply: unknown): readonly string[] {
  const flat = isObject(reply) && !(reply instanceof Error) ? Object.entries(reply).flat() : reply;
  return isTexts(flat) ? flat : [];
}

function faultOf({ message }: Error, wanted: string): string {
  return message.startsWith('WRONGTYPE') ? `has another type than ${wanted}` : message;
}

/** Parses what belongs to a host's lists: its prefixes and options. Every reply is validated here. Pure functions. */
import { RouterError } from '../../core/errors.ts';
import { cutsOf, pathOf } from '../../core/routing/prefixes.ts';
import { MAX_FIELDS, MAX_LIST } from '../limits.ts';
import { isTexts } from '../texts.ts';
import type { RedisCommand } from '../redis-client/protocol.ts';

/** What is read in addition to the list. */
export interface SiteMetadata {
  /** The candidate whose prefixes count; -1 when none has any. */
  readonly paths: number;
  /** All prefixes; null when they were not requested, or when there are too many. */
  readonly names: readonly string[] | null;
  readonly hit: Hit | null;
  /** Longer matching prefixes whose lists have no backend. */
  readonly missing: readonly string[];
  /** Fields and values in turn: of `options:*`, and of the key of the host's own list. */
  readonly all: readonly string[];
  readonly host: readonly string[];
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
      /** The options of the host's key, and of the prefix. */
      readonly host: readonly string[];
      readonly options: readonly string[];
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
    all: textsOf(all),
    host: textsOf(host),
    faults: faultsOf(faults),
    leftMs: typeof left === 'number' ? left : -1,
    shut: typeof shut === 'string' ? shut : null,
  };
}

function hitOf(reply: unknown): Hit {
  if (!isObject(reply) || typeof reply['prefix'] !== 'string') throw unexpected();
  const { type = 'found', prefix, list, dead, marks, host, options, found } = reply;
  if (type === 'too-long') return { type, prefix };
  if (type === 'wrong-type' && typeof found === 'string') return { type, prefix, found };
  if (type !== 'found') throw unexpected();
  return {
    type,
    prefix,
    list: textsOf(list),
    dead: typeof dead === 'string' ? dead : textsOf(dead),
    marks: textsOf(marks),
    host: textsOf(host),
    options: textsOf(options),
  };
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

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unexpected(): RouterError {
  return new RouterError('store-unavailable', 'Redis sent an invalid reply about prefixes or options');
}

/** Without scripts: commands that tell whether anything belongs to the lists, for one pipeline. */
export function siteMetadataCommands(prefix: string, candidates: readonly string[]): readonly RedisCommand[] {
  return [
    ['hgetall', `${prefix}options:*`],
    ...candidates.flatMap((key): RedisCommand[] => [
      ['hgetall', `${prefix}options:${key}`],
      ['scard', `${prefix}prefixes:${key}`],
    ]),
  ];
}

/** The parsed replies to `siteMetadataCommands`. */
export interface SiteMetadataReplies {
  readonly all: readonly string[];
  readonly options: readonly (readonly string[])[];
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
  const fault = (key: string, error: Error, wanted: string): void => {
    if (error.message.startsWith('NOPERM')) shut ??= error.message;
    else faults.push([key, faultOf(error, wanted)]);
  };
  const hash = (key: string, reply: unknown): readonly string[] => {
    const name = `${prefix}options:${key}`;
    if (reply instanceof Error) fault(name, reply, 'hash');
    const flat = flatOf(reply);
    if (flat.length <= 2 * MAX_FIELDS) return flat;
    faults.push([name, `has more than ${MAX_FIELDS} fields`]);
    return [];
  };
  const all = hash('*', replies[0]);
  const options = candidates.map((key, i) => hash(key, replies[1 + 2 * i]));
  const sizes = candidates.map((key, i) => {
    const size = replies[2 + 2 * i];
    if (size instanceof Error) fault(`${prefix}prefixes:${key}`, size, 'set');
    return typeof size === 'number' ? size : 0;
  });
  return { all, options, sizes, faults, shut };
}

/** The commands that read a path's prefixes, for another pipeline. @param key the candidate whose prefixes count */
export function underCommands(prefix: string, key: string, host: string, path: string): readonly RedisCommand[] {
  return cutsOf(pathOf(path)).flatMap((cut): RedisCommand[] => [
    ['sismember', `${prefix}prefixes:${key}`, cut],
    ['type', `${prefix}frontend:${key}${cut}`],
    ['lrange', `${prefix}frontend:${key}${cut}`, '0', String(MAX_LIST)],
    ['smembers', `${prefix}dead:${host}${cut}`],
    ['hgetall', `${prefix}options:${key}${cut}`],
  ]);
}

const WIDTH = 5;

/** Parses the replies to `underCommands`: which prefix counts, and which were skipped for lack of a backend. */
export function hitOfPipeline(path: string, replies: readonly unknown[], host: readonly string[]) {
  const missing: string[] = [];
  for (const [i, prefix] of cutsOf(pathOf(path)).entries()) {
    const [isMember, type, list, dead, options] = replies.slice(i * WIDTH, (i + 1) * WIDTH);
    if (isMember !== 1) continue;
    const hit = oneHit(prefix, type, list, dead, flatOf(options), host);
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
  options: readonly string[],
  host: readonly string[],
): Hit | null {
  if (!isTexts(list)) return { type: 'wrong-type', prefix, found: String(type) };
  if (list.length > MAX_LIST) return { type: 'too-long', prefix };
  if (list.length < 2) return null;
  const members = isTexts(dead) ? dead : 'thing that cannot be read';
  return { type: 'found', prefix, list, dead: members, marks: [], host, options };
}

/** The reply to HGETALL, which ioredis converts to an object, as fields and values in turn. */
export function flatOf(reply: unknown): readonly string[] {
  const flat = isObject(reply) && !(reply instanceof Error) ? Object.entries(reply).flat() : reply;
  return isTexts(flat) ? flat : [];
}

function faultOf({ message }: Error, wanted: string): string {
  return message.startsWith('WRONGTYPE') ? `has another type than ${wanted}` : message;
}

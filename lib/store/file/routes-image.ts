import { randomInt } from 'node:crypto';
import { mostSegments, prefixFault, splitKey } from '../../core/routing/prefixes.ts';
import type { RouteEntry } from '../route-table.ts';

/**
 * All routes of a file as one piece of memory: it is made once, beside the traffic, travels as bytes, and is looked up
 * as it is. A worker that gets 100,000 frontends so has nothing to parse, nothing to insert, and nothing that its
 * garbage collector would have to walk over.
 *
 * 32-bit words in the machine's own order: a seed, the number of buckets (a power of two, at least twice the number of
 * frontends), the buckets, then the records. A bucket holds the word its record begins at, or 0; a key whose bucket is
 * taken has the next one that is free. A record: the lengths of key and list in bytes, the key, the list as JSON.
 *
 * What stands beside a frontend has a record of its own: `options:<key>` and `errors:<key>` fields and values in turn,
 * `prefixes:<host>` how many segments the deepest of the host's prefixes has: whether a path has one of them, the records tell. Where there is any of a kind, `<kind>:` has a record too.
 */
const HEADER_WORDS = 2;
const RECORD_WORDS = 2;
const WORD = 4;

// Other keys are no host names, and no request can ask for them; a character of these is a byte.
const ASCII = /^[\x20-\x7e]+$/;
const KIND = /^(?:options|errors):/;

/**
 * Makes the image of a file's routes. Empty lists are left out, as are keys that no request can match for their
 * letters; of two entries with the same key, the last one holds.
 * @param seed of the hash, 32 bits: unknown to tenants, who could choose names that fall into one bucket
 */
export function encodeRoutes(
  entries: Iterable<RouteEntry>,
  seed: number = randomInt(2 ** 32),
): Uint8Array<ArrayBuffer> {
  const lists = new Map<string, string>();
  for (const [key, list] of entries) {
    if (list.length === 0 || !ASCII.test(key)) continue;
    lists.set(key, JSON.stringify(list));
    const kind = KIND.exec(key)?.[0];
    if (kind !== undefined) lists.set(kind, '[]');
  }
  for (const [host, segments] of depthsOf(lists.keys())) {
    lists.set('prefixes:', '[]').set(`prefixes:${host}`, JSON.stringify([String(segments)]));
  }
  const buckets = 2 ** Math.ceil(Math.log2(Math.max(1, lists.size) * 2));
  let size = HEADER_WORDS + buckets;
  for (const [key, list] of lists) size += wordsOf(key.length + Buffer.byteLength(list));
  const words = new Uint32Array(size);
  const bytes = Buffer.from(words.buffer);
  words[0] = seed;
  words[1] = buckets;
  let record = HEADER_WORDS + buckets;
  for (const [key, list] of lists) {
    let bucket = hashOf(key, seed) & (buckets - 1);
    while (words[HEADER_WORDS + bucket] !== 0) bucket = (bucket + 1) & (buckets - 1);
    words[HEADER_WORDS + bucket] = record;
    const start = (record + RECORD_WORDS) * WORD;
    words[record] = bytes.write(key, start, 'latin1');
    const length = bytes.write(list, start + key.length, 'utf8');
    words[record + 1] = length;
    record += wordsOf(key.length + length);
  }
  return new Uint8Array(words.buffer);
}

/** For each host that has prefixes, how deep they go. */
function depthsOf(keys: Iterable<string>): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  for (const key of keys) {
    if (!key.includes('/') || KIND.test(key)) continue;
    const { host, prefix } = splitKey(key);
    if (prefixFault(prefix) === null) depths.set(host, Math.max(depths.get(host) ?? 0, mostSegments([prefix])));
  }
  return depths;
}

/** What `encodeRoutes` made, looked up where it lies. */
export class RoutesImage {
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;
  readonly #seed: number;
  readonly #buckets: number;

  /** @param image begins at a multiple of four bytes within its buffer; it is not copied, and must not change */
  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#words = new Uint32Array(buffer, byteOffset, byteLength / WORD);
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.#seed = this.#words[0] ?? 0;
    this.#buckets = this.#words[1] ?? 0;
  }

  /** The list under a key, as the file has it; undefined when there is none. */
  get(key: string): readonly string[] | undefined {
    const record = this.#recordOf(key);
    return record === 0 ? undefined : this.#listOf(record);
  }

  has(key: string): boolean {
    return this.#recordOf(key) !== 0;
  }

  /** Where its record begins; 0 where there is none. */
  #recordOf(key: string): number {
    let bucket = hashOf(key, this.#seed) & (this.#buckets - 1);
    // At least half of the buckets are empty: it ends.
    for (;;) {
      const record = this.#words[HEADER_WORDS + bucket] ?? 0;
      if (record === 0 || this.#isKey(key, record)) return record;
      bucket = (bucket + 1) & (this.#buckets - 1);
    }
  }

  #isKey(key: string, record: number): boolean {
    if (this.#words[record] !== key.length) return false;
    const start = (record + RECORD_WORDS) * WORD;
    for (let i = 0; i < key.length; i++) {
      if (this.#bytes[start + i] !== key.charCodeAt(i)) return false;
    }
    return true;
  }

  #listOf(record: number): readonly string[] {
    const start = (record + RECORD_WORDS) * WORD + (this.#words[record] ?? 0);
    const text = this.#bytes.toString('utf8', start, start + (this.#words[record + 1] ?? 0));
    return JSON.parse(text) as readonly string[];
  }
}

/** How many words a record takes. */
function wordsOf(length: number): number {
  return RECORD_WORDS + Math.ceil(length / WORD);
}

/** FNV-1a, with the end of MurmurHash3: only its lowest bits are used, and they are to depend on all of the key. */
function hashOf(key: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

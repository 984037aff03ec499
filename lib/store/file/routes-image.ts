import { randomInt } from 'node:crypto';
import { mostSegments, prefixFault, splitKey } from '../../core/routing/prefixes.ts';
import type { RouteEntry } from '../route-table.ts';

/**
 * All routes of a file as one byte array: it is made once, outside of the workers, sent as bytes, and searched as it
 * is. A worker with 100,000 frontends has nothing to parse or insert, and its garbage collector nothing to traverse.
 * 32-bit words in the machine's byte order: a seed, the number of buckets (a power of two, at least twice the number of
 * frontends), the buckets, then the records. A bucket holds the offset of its record in words, or 0; a key whose bucket
 * is taken has the next free one. A record: the lengths of key and list in bytes, the key, the list as JSON. What
 * belongs to a frontend has records of its own: `options:<key>`, `headers:<key>`, `weights:<key>`, `healthcheck:<key>` and
 * `errors:<key>` have fields and values in turn, `prefixes:<host>` has the number of segments of the host's deepest prefix; whether a path has a prefix is
 * found by lookups. If there is any record of a kind, `<kind>:` has a record, too; that of
 * `healthcheck:` has all keys with checks.
 */
const HEADER_WORDS = 2;
const RECORD_WORDS = 2;
const WORD = 4;

// Other keys are no host names, and no request can look them up. Each of these characters is one byte.
const ASCII = /^[\x20-\x7e]+$/;
const KIND = /^(?:options|headers|weights|healthcheck|errors):/;
const CHECKS = 'healthcheck:';

/**
 * Makes the image of a file's routes. Omits empty lists, and keys with characters that no request can have; of equal
 * keys the last one counts.
 * @param seed of the hash, 32 bits: it must be unknown to tenants, who could choose names that fall into one bucket
 */
export function encodeRoutes(
  entries: Iterable<RouteEntry>,
  seed: number = randomInt(2 ** 32),
): Uint8Array<ArrayBuffer> {
  const lists = new Map<string, string>();
  const checked: string[] = [];
  for (const [key, list] of entries) {
    if (list.length === 0 || !ASCII.test(key)) continue;
    lists.set(key, JSON.stringify(list));
    const kind = KIND.exec(key)?.[0];
    if (kind !== undefined) lists.set(kind, '[]');
    if (kind === CHECKS) checked.push(key.slice(CHECKS.length));
  }
  if (checked.length > 0) lists.set(CHECKS, JSON.stringify(checked));
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

/** The maximum depth of prefixes, for each host that has some. */
function depthsOf(keys: Iterable<string>): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  for (const key of keys) {
    if (!key.includes('/') || KIND.test(key)) continue;
    const { host, prefix } = splitKey(key);
    if (prefixFault(prefix) === null) depths.set(host, Math.max(depths.get(host) ?? 0, mostSegments([prefix])));
  }
  return depths;
}

/** Looks up keys in an image of `encodeRoutes`. */
export class RoutesImage {
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;
  readonly #seed: number;
  readonly #buckets: number;

  /** @param image must start at a multiple of four bytes in its buffer; it is not copied, and must not change */
  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#words = new Uint32Array(buffer, byteOffset, byteLength / WORD);
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
    this.#seed = this.#words[0] ?? 0;
    this.#buckets = this.#words[1] ?? 0;
  }

  /** The list of a key, as in the file; undefined when there is none. */
  get(key: string): readonly string[] | undefined {
    const record = this.#recordOf(key);
    return record === 0 ? undefined : this.#listOf(record);
  }

  has(key: string): boolean {
    return this.#recordOf(key) !== 0;
  }

  /** The offset of its record; 0 when there is none. */
  #recordOf(key: string): number {
    let bucket = hashOf(key, this.#seed) & (this.#buckets - 1);
    // Ends, because at least half of the buckets are empty.
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

/** The size of a record, in words. */
function wordsOf(length: number): number {
  return RECORD_WORDS + Math.ceil(length / WORD);
}

/** FNV-1a with the finalizer of MurmurHash3: only the lowest bits are used, and must depend on the whole key. */
function hashOf(key: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

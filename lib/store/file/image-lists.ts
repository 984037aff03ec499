import { readList, type RouteList } from '../../core/routing/backend.ts';
import type { SiteFields, SiteHash } from '../../core/routing/site.ts';
import { longestPrefix, type PrefixMatcher } from '../../core/routing/prefixes.ts';
import { SITE_HASHES } from '../../sites/hashes.ts';
import { fieldsOf } from '../fields.ts';
import type { Lists } from '../lists.ts';
import type { RoutesImage } from './routes-image.ts';

/** How many elements one half of the cache may have in all lists: about 12 MB at worst with both halves full. */
const MAX_ELEMENTS = 20_000;

/** A kind of record, and how it is parsed. */
interface Kind<T> {
  readonly prefix: string;
  readonly read: (list: readonly string[], key: string) => T;
}

// Unusable URLs and options are reported once, by the reader of the file, not by every worker.
const LISTS: Kind<RouteList> = { prefix: '', read: (list) => readList(list, () => {}) };
const PAGES: Kind<SiteFields> = { prefix: 'errors:', read: fieldsOf };

/** The content of an image. A record is parsed when it is looked up. */
export class ImageLists implements Lists {
  readonly #lists: Recent<RouteList>;
  readonly #prefixes: Recent<PrefixMatcher> | null;
  readonly #sites: ReadonlyMap<SiteHash, Recent<SiteFields> | null>;
  readonly #pages: Recent<SiteFields> | null;

  constructor(image: RoutesImage) {
    this.#lists = new Recent(image, LISTS);
    this.#prefixes = recentOf(image, {
      prefix: 'prefixes:',
      read: ([segments], host) => new ImagePrefixes(image, host, Number(segments)),
    });
    this.#sites = new Map(SITE_HASHES.map((hash) => [hash, recentOf(image, { prefix: `${hash}:`, read: fieldsOf })]));
    this.#pages = recentOf(image, PAGES);
  }

  get(key: string): RouteList | undefined {
    return this.#lists.get(key);
  }

  prefixes(key: string): PrefixMatcher | undefined {
    return this.#prefixes?.get(key);
  }

  site(hash: SiteHash, key: string): SiteFields | undefined {
    return this.#sites.get(hash)?.get(key);
  }

  pages(key: string): SiteFields | undefined {
    return this.#pages?.get(key);
  }
}

/** The prefixes of a host, each of which has a record. */
class ImagePrefixes implements PrefixMatcher {
  readonly #segments: number;
  readonly #isPrefix: (cut: string) => boolean;

  constructor(image: RoutesImage, host: string, segments: number) {
    this.#segments = segments;
    this.#isPrefix = (cut) => image.has(host + cut);
  }

  longest(path: string, limit: number): string | null {
    return longestPrefix(path, limit, this.#segments, this.#isPrefix);
  }
}

/** Null where the image has no record of the kind, so that lookups are skipped. */
function recentOf<T>(image: RoutesImage, kind: Kind<T>): Recent<T> | null {
  return image.get(kind.prefix) === undefined ? null : new Recent(image, kind);
}

/** The records of one kind, with a cache of recently used ones. */
class Recent<T> {
  readonly #image: RoutesImage;
  readonly #kind: Kind<T>;
  // Two halves: when the young one is full it becomes the old one, and what is not in it any more is dropped.
  #young = new Map<string, Kept<T>>();
  #old: ReadonlyMap<string, Kept<T>> = new Map();
  #elements = 0;

  constructor(image: RoutesImage, kind: Kind<T>) {
    this.#image = image;
    this.#kind = kind;
  }

  get(key: string): T | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.read;
    const kept = this.#old.get(key) ?? this.#read(key);
    // Missing keys are not cached: clients can make up any number.
    if (kept === undefined) return undefined;
    this.#keep(key, kept);
    return kept.read;
  }

  #read(key: string): Kept<T> | undefined {
    const list = this.#image.get(this.#kind.prefix + key);
    return list && { read: this.#kind.read(list, key), elements: list.length };
  }

  #keep(key: string, kept: Kept<T>): void {
    this.#young.set(key, kept);
    this.#elements += kept.elements;
    if (this.#elements < MAX_ELEMENTS) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#elements = 0;
  }
}

interface Kept<T> {
  readonly read: T;
  readonly elements: number;
}

import { LRUCache } from 'lru-cache';
import type { PageSource } from '../pages.ts';
import { type Read, Reads, type Stamp } from './reads.ts';

/** What a RememberedPages is made of. */
export interface RememberedPagesParts {
  readonly source: PageSource;
  /** What is sure now; see `Watch`. */
  readonly watch: { readonly stamp: Stamp };
  /** After it the source is asked, whatever it did not say, ms. */
  readonly maxAgeMs: number;
}

/** What is known of one key: pages by status, null where there is none. */
interface Known {
  readonly pages: Map<number, string | null>;
  readonly read: Read;
}

/** Keys at most, and the characters of all their pages. */
const MAX_KNOWN = 20_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** No watch: see freshness.ts. */
const UNWATCHED = -1;

/** Error pages that were read, with the cache in mode `push`. As long as they are sure, nobody is asked. */
export class RememberedPages implements PageSource {
  readonly #parts: RememberedPagesParts;
  readonly #reads = new Reads();
  readonly #known = new LRUCache<string, Known>({
    max: MAX_KNOWN,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ pages }) => [...pages.values()].reduce((sum, page) => sum + (page?.length ?? 0), 1),
  });

  constructor(parts: RememberedPagesParts) {
    this.#parts = parts;
  }

  async find(keys: readonly string[], status: number): Promise<string | null> {
    for (const key of keys) {
      const page = await this.#one(key, status);
      if (page !== null) return page;
    }
    return null;
  }

  /** The pages of a key have changed. */
  doubt(key: string): void {
    this.#reads.doubt(key);
    this.#known.delete(key);
  }

  async #one(key: string, status: number): Promise<string | null> {
    const { source, watch } = this.#parts;
    const known = this.#known.get(key);
    const isSure = known !== undefined && this.#isSure(known);
    const remembered = isSure ? known.pages.get(status) : undefined;
    if (remembered !== undefined) return remembered;
    const read = this.#reads.begin(key, performance.now(), watch.stamp);
    try {
      const page = await source.find([key], status);
      // All pages of a key are as old as the first: what changes one puts all in doubt.
      const pages = new Map(isSure ? known.pages : []).set(status, page);
      if (!read.isDoubtful) this.#known.set(key, { pages, read: isSure ? known.read : read });
      return page;
    } finally {
      this.#reads.end(key, read);
    }
  }

  #isSure({ read }: Known): boolean {
    const { watch, maxAgeMs } = this.#parts;
    if (read.isDoubtful || read.stamp.era === UNWATCHED || read.stamp.era !== watch.stamp.era) return false;
    return performance.now() - read.at < maxAgeMs;
  }
}

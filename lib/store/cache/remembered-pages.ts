import { LRUCache } from 'lru-cache';
import type { PageSource } from '../pages.ts';
import { type Read, Reads, type Stamp } from './reads.ts';

/** What RememberedPages needs. */
export interface RememberedPagesParts {
  readonly source: PageSource;
  /** Which readings are still valid; see `Watch`. */
  readonly watch: { readonly stamp: Stamp };
  /** How long a reading is used without asking the source, ms, even if no change was reported. */
  readonly maxAgeMs: number;
}

/** What is known of a key: pages by status; null where there is none. */
interface Known {
  readonly pages: Map<number, string | null>;
  readonly read: Read;
}

/** How many keys are remembered, and how many characters all their pages may have. */
const MAX_KNOWN = 20_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** A stamp for no watch: see freshness.ts. */
const UNWATCHED = -1;

/** Remembers error pages in cache mode `push`. While a reading is fresh, the source is not asked. */
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
      // All pages of a key are as old as the first: a change of one invalidates all.
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

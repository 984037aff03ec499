import { LRUCache } from 'lru-cache';
import { RouterError } from '../../core/errors.ts';
import type { PageSource } from '../pages.ts';

/** Keys at most, and the characters of all their pages. */
const MAX_KNOWN = 10_000;
const MAX_CHARACTERS = 8 * 1024 * 1024;

/** What a LastKnownPages is made of. */
export interface LastKnownPagesParts {
  readonly source: PageSource;
  /** Told of pages that were read anew: a name, and the page as JSON; null where there is none any more. */
  readonly learn: (name: string, line: string | null) => void;
  /** What other workers have read under a name. Never rejects. */
  readonly recall: (name: string) => Promise<readonly string[]>;
  /** How long a page serves after it was read, ms. */
  readonly maxStaleMs: number;
}

interface Known {
  readonly page: string | null;
  readonly at: number;
}

/** Error pages as they were when they could be read: they serve while the source gives no answer. */
export class LastKnownPages implements PageSource {
  readonly #parts: LastKnownPagesParts;
  readonly #known = new LRUCache<string, Known>({
    max: MAX_KNOWN,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ page }) => (page?.length ?? 0) + 1,
  });

  constructor(parts: LastKnownPagesParts) {
    this.#parts = parts;
  }

  async find(keys: readonly string[], status: number): Promise<string | null> {
    const name = pageName(keys[0] ?? '*', status);
    try {
      const page = await this.#parts.source.find(keys, status);
      this.#learn(name, page);
      return page;
    } catch (error) {
      if (!(error instanceof RouterError) || error.code !== 'store-unavailable') throw error;
      return await this.#lastKnown(name);
    }
  }

  #learn(name: string, page: string | null): void {
    const { learn, maxStaleMs } = this.#parts;
    const known = this.#known.get(name);
    // Most sites have none, and that is no news.
    if (page === null && (known === undefined || known.page === null)) return;
    const now = performance.now();
    if (known?.page === page && now - known.at < maxStaleMs / 10) return;
    this.#known.set(name, { page, at: now });
    learn(name, page === null ? null : JSON.stringify(page));
  }

  async #lastKnown(name: string): Promise<string | null> {
    const known = this.#known.get(name);
    if (known !== undefined && performance.now() - known.at <= this.#parts.maxStaleMs) return known.page;
    const [line] = await this.#parts.recall(name);
    const page: unknown = line === undefined ? null : JSON.parse(line);
    return typeof page === 'string' ? page : null;
  }
}

const PREFIX = 'page:';

/** What a page is known under, beside routes: no host has such a name, and no prefix is taken from it. */
function pageName(key: string, status: number): string {
  return `${PREFIX}${status}:${key.replaceAll('/', '\\')}`;
}

/** Whether a name is that of a page, not of a route. */
export function isPageName(name: string): boolean {
  return name.startsWith(PREFIX);
}

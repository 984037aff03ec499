import { LRUCache } from 'lru-cache';
import { RouterError } from '../../core/errors.ts';
import type { PageSource } from '../pages.ts';

/** How many keys are kept, and how many characters all their pages may have. */
const MAX_KNOWN = 10_000;
const MAX_CHARACTERS = 8 * 1024 * 1024;

/** What LastKnownPages needs. */
export interface LastKnownPagesParts {
  readonly source: PageSource;
  /** Called for changed pages: a name, and the page as JSON; null when it was removed. */
  readonly learn: (name: string, line: string | null) => void;
  /** Returns what other workers have read under a name. Never rejects. */
  readonly recall: (name: string) => Promise<readonly string[]>;
  /** How long a page is used after it was read, ms. */
  readonly maxStaleMs: number;
}

interface Known {
  readonly page: string | null;
  readonly at: number;
}

/** The last known error pages, for use while the source does not reply. */
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
    // Most sites have no pages, which need not be passed on.
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

/** The name of a page among routes. No host has such a name, and it is no prefix. */
function pageName(key: string, status: number): string {
  return `${PREFIX}${status}:${key.replaceAll('/', '\\')}`;
}

/** Whether a name is that of a page, not of a route. */
export function isPageName(name: string): boolean {
  return name.startsWith(PREFIX);
}

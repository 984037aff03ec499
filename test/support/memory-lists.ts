import { readList, type RouteList } from '../../lib/core/routing/backend.ts';
import type { SiteFields, SiteHash } from '../../lib/core/routing/site.ts';
import { Prefixes } from '../../lib/core/routing/prefixes.ts';
import type { Lists } from '../../lib/store/lists.ts';
import { urlFault } from '../../lib/store/route-table.ts';

/** What a MemoryStore holds. */
export class MemoryLists implements Lists {
  // Maps, not objects: `__proto__` is a host like any other.
  readonly #lists = new Map<string, RouteList>();
  readonly #prefixes = new Map<string, Prefixes>();
  readonly #sites = {
    options: new Map<string, SiteFields>(),
    headers: new Map<string, SiteFields>(),
    weights: new Map<string, SiteFields>(),
  };
  readonly #pages = new Map<string, SiteFields>();

  get(key: string): RouteList | undefined {
    return this.#lists.get(key);
  }

  prefixes(key: string): Prefixes | undefined {
    return this.#prefixes.get(key);
  }

  site(hash: SiteHash, key: string): SiteFields | undefined {
    return this.#sites[hash].get(key);
  }

  pages(key: string): SiteFields | undefined {
    return this.#pages.get(key);
  }

  /** Puts a list in place; an empty one removes it, as in Redis. */
  set(key: string, list: readonly string[], onFault: (key: string, fault: string) => void): void {
    if (list.length === 0) this.#lists.delete(key);
    else
      this.#lists.set(
        key,
        readList(list, (href, fault) => onFault(key, urlFault(href, fault))),
      );
  }

  setPrefixes(key: string, names: readonly string[]): void {
    if (names.length === 0) this.#prefixes.delete(key);
    else this.#prefixes.set(key, new Prefixes(names));
  }

  setSite(hash: SiteHash, key: string, fields: SiteFields): void {
    if (fields.size === 0) this.#sites[hash].delete(key);
    else this.#sites[hash].set(key, fields);
  }

  setPages(key: string, pages: SiteFields): void {
    if (pages.size === 0) this.#pages.delete(key);
    else this.#pages.set(key, pages);
  }
}

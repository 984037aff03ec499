import { readList, type RouteList } from '../core/backend.ts';
import type { OptionFields } from '../core/options.ts';
import { Prefixes } from '../core/prefixes.ts';
import type { Lists } from './lists.ts';
import { urlFault } from './route-table.ts';

/** What a MemoryStore holds. */
export class MemoryLists implements Lists {
  // Maps, not objects: `__proto__` is a host like any other.
  readonly #lists = new Map<string, RouteList>();
  readonly #prefixes = new Map<string, Prefixes>();
  readonly #options = new Map<string, OptionFields>();
  readonly #pages = new Map<string, OptionFields>();

  get(key: string): RouteList | undefined {
    return this.#lists.get(key);
  }

  prefixes(key: string): Prefixes | undefined {
    return this.#prefixes.get(key);
  }

  options(key: string): OptionFields | undefined {
    return this.#options.get(key);
  }

  pages(key: string): OptionFields | undefined {
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

  setOptions(key: string, fields: OptionFields): void {
    if (fields.size === 0) this.#options.delete(key);
    else this.#options.set(key, fields);
  }

  setPages(key: string, pages: OptionFields): void {
    if (pages.size === 0) this.#pages.delete(key);
    else this.#pages.set(key, pages);
  }
}

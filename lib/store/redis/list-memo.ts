import { readList, type RouteList } from '../../core/routing/backend.ts';
import { urlFault, type OnUrlFault } from '../route-table.ts';

/** How many elements are kept in all lists: about 30 MB at worst. */
const MAX_ELEMENTS = 100_000;

interface Known {
  readonly list: readonly string[];
  readonly read: RouteList;
}

/** Parsed lists, so that an unchanged list is not parsed at every lookup. */
export class ListMemo {
  readonly #known = new Map<string, Known>();
  readonly #onUrlFault: OnUrlFault;
  #elements = 0;

  /** @param onUrlFault called for unusable URLs when a list is parsed, not at each lookup */
  constructor(onUrlFault: OnUrlFault) {
    this.#onUrlFault = onUrlFault;
  }

  /** The parsed list. */
  read(key: string, list: readonly string[]): RouteList {
    const known = this.#known.get(key);
    if (known !== undefined && isSame(known.list, list)) return known.read;
    const read = readList(list, (href, fault) => this.#onUrlFault(key, urlFault(href, fault)));
    this.#forget(key);
    this.#known.set(key, { list, read });
    this.#elements += list.length;
    for (const oldest of this.#known.keys()) {
      if (this.#elements <= MAX_ELEMENTS) break;
      this.#forget(oldest);
    }
    return read;
  }

  #forget(key: string): void {
    this.#elements -= this.#known.get(key)?.list.length ?? 0;
    this.#known.delete(key);
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

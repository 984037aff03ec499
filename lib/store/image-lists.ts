import { readList, type RouteList } from '../core/backend.ts';
import type { Lists } from './lists.ts';
import type { RoutesImage } from './routes-image.ts';

/** Elements of all lists in one half of the memo: with both halves full, some 12 MB at worst. */
const MAX_ELEMENTS = 20_000;

/** The lists of an image. A list is read when it is asked for; those asked for lately are kept as they were read. */
export class ImageLists implements Lists {
  readonly #image: RoutesImage;
  // Two halves: when the young one is full it becomes the old one, and what was not asked for meanwhile is forgotten.
  #young = new Map<string, RouteList>();
  #old: ReadonlyMap<string, RouteList> = new Map();
  #elements = 0;

  constructor(image: RoutesImage) {
    this.#image = image;
  }

  get(key: string): RouteList | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const list = this.#old.get(key) ?? this.#read(key);
    // Keys that do not exist are not kept: clients think of them without end.
    if (list !== undefined) this.#keep(key, list);
    return list;
  }

  #read(key: string): RouteList | undefined {
    const list = this.#image.get(key);
    // Unusable URLs are reported once, where the file is read, not by every worker.
    return list && readList(list, () => {});
  }

  #keep(key: string, list: RouteList): void {
    this.#young.set(key, list);
    this.#elements += list.size + 1;
    if (this.#elements < MAX_ELEMENTS) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#elements = 0;
  }
}

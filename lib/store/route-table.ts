import { uncheckedIds, withChecked } from '../core/health/checked.ts';
import { type Marks, NO_MARKS, type RouteList, routeOf } from '../core/routing/backend.ts';
import type { SiteFields, Site } from '../core/routing/site.ts';
import { SITE_HASHES } from '../sites/hashes.ts';
import { layerOf, makeSite, type SiteSettings } from '../sites/site.ts';
import type { PrefixMatcher } from '../core/routing/prefixes.ts';
import type { Death, Route } from '../core/routing/types.ts';
import { DeadMarks, type DeadMark, type Entry, markOf } from './dead-marks.ts';
import type { Lists } from './lists.ts';
import { pageFault } from './pages.ts';

/** A key and its list, the identifier first. Plain data. */
export type RouteEntry = readonly [key: string, list: readonly string[]];

const NONE: SiteFields = new Map();

/** Called for a backend URL that cannot be used. */
export type OnUrlFault = (key: string, fault: string) => void;

/** Settings of a RouteTable. */
export interface RouteTableSettings extends SiteSettings {
  /** Whether backends are on trial after their marks: see DeadMarks. */
  readonly hasTrials?: boolean;
}

/** Routes and dead marks in memory, with the rule by which a request finds its route. No I/O. */
export class RouteTable {
  #lists: Lists;
  readonly #marks: DeadMarks;
  readonly #now: () => number;
  readonly #settings: SiteSettings;
  /** The routes of lists without a dead backend, under their own names: what most requests need. */
  #healthy = new WeakMap<RouteList, Route>();
  /** The options of each list. A list belongs to one key. */
  #options = new WeakMap<RouteList, Site>();
  /** By key of a list whose backends wait for their first good check: the URLs that have passed one. */
  readonly #checked = new Map<string, ReadonlySet<string>>();

  /** @param now returns milliseconds since 1970 */
  constructor(lists: Lists, now: () => number, settings: RouteTableSettings = {}) {
    this.#lists = lists;
    this.#now = now;
    this.#settings = settings;
    this.#marks = new DeadMarks(now, settings.hasTrials ?? false);
  }

  /** Replaces all lists in one step. */
  replace(lists: Lists): void {
    this.#lists = lists;
    this.#healthy = new WeakMap();
    this.#options = new WeakMap();
  }

  /** The route under the host's own name, if it has a backend and no prefix: no other candidate precedes it. */
  own(host: string): Route | undefined {
    const list = this.#lists.get(host);
    if (list === undefined || list.size === 0 || this.#lists.prefixes(host) !== undefined) return undefined;
    const marks = this.#marksOf(host, host, list);
    if (marks.dead.size > 0) return routeOf(host, host, list, marks, this.#optionsOf(list, host, ''));
    let route = this.#healthy.get(list);
    if (route === undefined) {
      route = routeOf(host, host, list, NO_MARKS, this.#optionsOf(list, host, ''));
      this.#healthy.set(list, route);
    }
    return route;
  }

  /**
   * The route of the first candidate that has a backend, or a prefix of this path with a backend; failing that, of the
   * first that exists at all, else null. Prefixes are those of the first candidate with prefixes.
   */
  find(candidates: readonly string[], path: string): Route | null {
    const [host] = candidates;
    if (host === undefined) return null;
    let bare: Route | null = null;
    let isPathOpen = true;
    for (const key of candidates) {
      const prefixes = isPathOpen ? this.#lists.prefixes(key) : undefined;
      if (prefixes !== undefined) {
        isPathOpen = false;
        const route = this.#under(host, key, prefixes, path);
        if (route !== null) return route;
      }
      const list = this.#lists.get(key);
      if (list === undefined) continue;
      if (list.size > 0) return this.#route(host, key, '', list);
      bare ??= this.#route(host, key, '', list);
    }
    return bare;
  }

  /** The error page of the first of these keys that has one for the status. */
  page(keys: readonly string[], status: number): string | null {
    for (const key of keys) {
      const page = this.#lists.pages(key)?.get(String(status));
      if (page !== undefined && pageFault(String(status), page) === null) return page;
    }
    return null;
  }

  /** The longest prefix counts, unless its list has no backend. */
  #under(host: string, key: string, prefixes: PrefixMatcher, path: string): Route | null {
    for (let limit = Infinity; ;) {
      const prefix = prefixes.longest(path, limit);
      if (prefix === null) return null;
      const list = this.#lists.get(key + prefix);
      if (list !== undefined && list.size > 0) return this.#route(host, key, prefix, list);
      limit = prefix.length;
    }
  }

  #route(host: string, key: string, prefix: string, list: RouteList): Route {
    const frontend = host + prefix;
    const name = key + prefix;
    const marks = this.#marksOf(frontend, name, list);
    return routeOf(frontend, name, list, marks, this.#optionsOf(list, key, prefix));
  }

  /** @param key of the list: its checks hold for all hosts that have it (see hasSharedList) */
  #marksOf(frontend: string, key: string, list: RouteList): Marks {
    const marks = this.#marks.among(list.backends, frontend, list.size);
    const passed = this.#checked.get(key);
    if (key === frontend && passed === undefined) return marks;
    const down = key === frontend ? [] : [...this.#marks.among(list.backends, key).dead];
    return withChecked(marks, { down, unchecked: passed === undefined ? [] : uncheckedIds(passed, list) }, list);
  }

  #optionsOf(list: RouteList, key: string, prefix: string): Site {
    let options = this.#options.get(list);
    if (options === undefined) {
      const layers = {
        config: this.#settings.options,
        all: this.#layerOf('*'),
        host: this.#layerOf(key),
        prefix: prefix === '' ? undefined : (this.#layerOf(key + prefix) ?? NONE),
      };
      options = makeSite(layers, this.#settings.features);
      this.#options.set(list, options);
    }
    return options;
  }

  #layerOf(key: string): SiteFields | undefined {
    const hashes = Object.fromEntries(SITE_HASHES.map((hash) => [hash, this.#lists.site(hash, key)]));
    return layerOf(hashes, this.#settings.features);
  }

  /** Marks a backend dead, unless it is the last living one. @returns whether it was marked */
  markDead(death: Death, ttlSeconds: number): boolean {
    return this.#marks.addUnlessLast(markOf(death, ttlSeconds, this.#now()), death.route.backends, () => false);
  }

  /** The dead marks of a host, or all (null). */
  marks(frontend: string | null): readonly DeadMark[] {
    return this.#marks.list(frontend);
  }

  /** Ids of those that are marked dead under a key. */
  markedAmong(backends: readonly Entry[], key: string): ReadonlySet<number> {
    return this.#marks.among(backends, key).dead;
  }

  /** With the rule `first` of active checks: which URLs have passed a check, by key of their list. Kept when lists change. */
  get checked(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#checked;
  }

  /** Changes `checked`. @param urls null: no backend of the list waits */
  setChecked(key: string, urls: readonly string[] | null): void {
    if (urls === null) this.#checked.delete(key);
    else this.#checked.set(key, new Set(urls));
  }

  /** Marks a backend dead that another process found dead. */
  bury(mark: DeadMark): void {
    this.#marks.add(mark);
  }

  /** Removes a mark. */
  revive({ frontend, id }: DeadMark): void {
    this.#marks.remove(frontend, id);
  }
}

/** The text of a backend URL's fault. */
export function urlFault(href: string, fault: string): string {
  return `backend ${shownUrl(href)}: ${fault}`;
}

/** A backend URL for a message, quoted and truncated. */
export function shownUrl(href: string): string {
  const shown = href.length > 200 ? `${href.slice(0, 200)}…` : href;
  // Passwords must not be logged.
  return JSON.stringify(shown.replace(/\/\/[^/@]*@/, '//***@'));
}

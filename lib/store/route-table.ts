import { type RouteList, routeOf } from '../core/backend.ts';
import type { Death, Route } from '../core/types.ts';
import { DeadMarks, type DeadMark } from './dead-marks.ts';
import type { Lists } from './lists.ts';

/** A key and its list, the identifier first. Plain data. */
export type RouteEntry = readonly [key: string, list: readonly string[]];

/** Told of a backend URL that cannot be used. */
export type OnUrlFault = (key: string, fault: string) => void;

/** Routes and dead marks in memory, and the rule by which a host finds its route. No I/O. */
export class RouteTable {
  #lists: Lists;
  readonly #marks: DeadMarks;
  readonly #now: () => number;
  /** What most requests want: the routes of lists without a dead backend, under their own names. */
  readonly #healthy = new WeakMap<RouteList, Route>();

  /** @param now milliseconds since the epoch */
  constructor(lists: Lists, now: () => number) {
    this.#lists = lists;
    this.#now = now;
    this.#marks = new DeadMarks(now);
  }

  /** Puts these lists in the place of all others, in one step. */
  replace(lists: Lists): void {
    this.#lists = lists;
  }

  /** The route that stands under the host's own name, where it names a backend: no other candidate comes before it. */
  own(frontend: string): Route | undefined {
    const list = this.#lists.get(frontend);
    if (list === undefined || list.size === 0) return undefined;
    const dead = this.#marks.among(list.backends, frontend);
    if (dead.size > 0) return routeOf(frontend, frontend, list, dead);
    let route = this.#healthy.get(list);
    if (route === undefined) {
      route = routeOf(frontend, frontend, list, dead);
      this.#healthy.set(list, route);
    }
    return route;
  }

  /** The route of the first candidate that names a backend, else of the first that exists, else null. */
  find(candidates: readonly string[]): Route | null {
    const [frontend] = candidates;
    if (frontend === undefined) return null;
    let bare: Route | null = null;
    for (const key of candidates) {
      const list = this.#lists.get(key);
      if (list === undefined) continue;
      if (list.size > 0) return routeOf(frontend, key, list, this.#marks.among(list.backends, frontend));
      bare ??= routeOf(frontend, key, list, this.#marks.among(list.backends, frontend));
    }
    return bare;
  }

  /** Hides a backend, and gives the mark for others to hide it too. */
  mourn(death: Death, ttlSeconds: number): DeadMark {
    const { frontend, backend } = death;
    const mark = { frontend, id: backend.id, url: backend.href, until: this.#now() + ttlSeconds * 1000 };
    this.#marks.add(mark);
    return mark;
  }

  /** The dead marks of a host, or all (null). */
  marks(frontend: string | null): readonly DeadMark[] {
    return this.#marks.list(frontend);
  }

  /** Hides a backend that another process found dead. */
  bury(mark: DeadMark): void {
    this.#marks.add(mark);
  }
}

/** What is wrong with a backend URL, in words. */
export function urlFault(href: string, fault: string): string {
  return `backend ${shownUrl(href)}: ${fault}`;
}

/** A backend URL as a sentence shows it, in quotes. It is cut: it may be anything. */
export function shownUrl(href: string): string {
  const shown = href.length > 200 ? `${href.slice(0, 200)}…` : href;
  // A password is no matter for a log.
  return JSON.stringify(shown.replace(/\/\/[^/@]*@/, '//***@'));
}

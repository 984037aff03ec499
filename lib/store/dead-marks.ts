import { type Marks, NO_MARKS } from '../core/routing/backend.ts';
import { FairRoom } from '../core/limits/fair-room.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import { isLastLiving } from '../core/routing/selection.ts';
import type { Backend, Death } from '../core/routing/types.ts';

/** A backend that is marked dead for a while. Plain data: it is sent between processes. */
export interface DeadMark {
  /** The host that the client requested. */
  readonly frontend: string;
  /** The frontend's site: the limit of all marks is shared fairly among sites. */
  readonly site: string;
  readonly id: number;
  /** The backend's URL as in its list. Ids are positions in a list, and lists change. */
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Makes a mark that starts now. @param now milliseconds since 1970 */
export function markOf(
  { route: { frontend, key }, backend: { id, href } }: Death,
  ttlSeconds: number,
  now: number,
): DeadMark {
  return { frontend, site: siteOf(key), id, url: href, until: now + ttlSeconds * 1000 };
}

/** An element of a list, as marks identify it. */
export type Entry = Pick<Backend, 'id' | 'href'>;

/** Under a wildcard every host that clients make up has marks of its own, hence a limit. */
const MAX_FRONTENDS = 10_000;

/** Dead marks in memory. A mark counts only while the URL that died is still at its position in the list. */
export class DeadMarks {
  readonly #byFrontend = new Map<string, Map<number, DeadMark>>();
  readonly #room = new FairRoom(MAX_FRONTENDS);
  readonly #now: () => number;

  /** @param now returns milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Adds a mark, or replaces an older one of the same backend. Beyond 10,000 frontends, the oldest of the site with the
   * most is dropped.
   */
  add(mark: DeadMark): void {
    const { frontend, site, id } = mark;
    const marks = this.#byFrontend.get(frontend) ?? new Map<number, DeadMark>();
    marks.set(id, mark);
    this.#byFrontend.set(frontend, marks);
    const gone = this.#room.enter(frontend, site);
    if (gone !== null) this.#byFrontend.delete(gone);
  }

  /**
   * Adds a mark, unless no other backend of the list is alive.
   * @param entries the usable backends
   * @param isDeadElsewhere whether a backend counts as dead for reasons other than these marks
   * @returns whether the mark was added
   */
  addUnlessLast(mark: DeadMark, entries: readonly Entry[], isDeadElsewhere: (id: number) => boolean): boolean {
    const { dead } = this.among(entries, mark.frontend);
    if (isLastLiving(entries, mark.id, (id) => dead.has(id) || isDeadElsewhere(id))) return false;
    this.add(mark);
    return true;
  }

  /** Removes a mark, if it exists. */
  remove(frontend: string, id: number): void {
    const marks = this.#byFrontend.get(frontend);
    if (marks?.delete(id) && marks.size === 0) this.#forget(frontend);
  }

  /** Whether there is no mark. */
  get isEmpty(): boolean {
    return this.#byFrontend.size === 0;
  }

  /** The marks of a host, or all (null). */
  list(frontend: string | null): readonly DeadMark[] {
    const now = this.#now();
    const one = frontend === null ? undefined : this.#byFrontend.get(frontend);
    const all = frontend === null ? [...this.#byFrontend.values()] : one === undefined ? [] : [one];
    return all.flatMap((marks) => [...marks.values()].filter(({ until }) => until > now));
  }

  /** Which of these backends are marked dead for this host now. All marks in memory were made by routers. */
  among(backends: readonly Entry[], frontend: string): Marks {
    const marks = this.#byFrontend.get(frontend);
    if (marks === undefined) return NO_MARKS;
    const now = this.#now();
    for (const { id, until } of marks.values()) {
      if (until <= now) marks.delete(id);
    }
    if (marks.size === 0) {
      this.#forget(frontend);
      return NO_MARKS;
    }
    const dead = new Set<number>();
    for (const { id, href } of backends) {
      if (marks.get(id)?.url === href) dead.add(id);
    }
    return { dead, deadByRouters: dead };
  }

  #forget(frontend: string): void {
    this.#byFrontend.delete(frontend);
    this.#room.leave(frontend);
  }
}

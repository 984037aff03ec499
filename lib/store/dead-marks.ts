import { type Marks, NO_MARKS } from '../core/routing/backend.ts';
import { FairRoom } from '../core/limits/fair-room.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import { isLastLiving } from '../core/routing/selection.ts';
import type { Backend, Death } from '../core/routing/types.ts';

/** One backend presumed dead for a while. Plain data: it travels between processes. */
export interface DeadMark {
  /** The host the client asked for. */
  readonly frontend: string;
  /** Whose list it is about: the bound of all marks is shared among sites. */
  readonly site: string;
  readonly id: number;
  /** The backend's URL as its list spells it. Ids are places in a list, and lists change. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** A mark that hides a backend from now on. @param now milliseconds since the epoch */
export function markOf(
  { route: { frontend, key }, backend: { id, href } }: Death,
  ttlSeconds: number,
  now: number,
): DeadMark {
  return { frontend, site: siteOf(key), id, url: href, until: now + ttlSeconds * 1000 };
}

/** An entry of a list, as marks tell entries apart. */
export type Entry = Pick<Backend, 'id' | 'href'>;

/** A wildcard gives every host that clients think of its own marks, hence the bound. */
const MAX_FRONTENDS = 10_000;

/** Dead marks kept in memory. A mark counts only while its place in the list holds the URL that died. */
export class DeadMarks {
  readonly #byFrontend = new Map<string, Map<number, DeadMark>>();
  readonly #room = new FairRoom(MAX_FRONTENDS);
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Files a mark in the place of an older one for the same backend. Beyond 10,000 frontends the oldest of the site with the most is forgotten. */
  add(mark: DeadMark): void {
    const { frontend, site, id } = mark;
    const marks = this.#byFrontend.get(frontend) ?? new Map<number, DeadMark>();
    marks.set(id, mark);
    this.#byFrontend.set(frontend, marks);
    const gone = this.#room.enter(frontend, site);
    if (gone !== null) this.#byFrontend.delete(gone);
  }

  /**
   * Files a mark, unless no other entry of the list lives.
   * @param entries those that can be used
   * @param isDeadElsewhere whether an entry is presumed dead for other reasons than these marks
   * @returns whether it was filed
   */
  addUnlessLast(mark: DeadMark, entries: readonly Entry[], isDeadElsewhere: (id: number) => boolean): boolean {
    const { dead } = this.among(entries, mark.frontend);
    if (isLastLiving(entries, mark.id, (id) => dead.has(id) || isDeadElsewhere(id))) return false;
    this.add(mark);
    return true;
  }

  /** Forgets a mark; one that is not there is no fault. */
  remove(frontend: string, id: number): void {
    const marks = this.#byFrontend.get(frontend);
    if (marks?.delete(id) && marks.size === 0) this.#forget(frontend);
  }

  /** Whether there is none. */
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

  /** Which of these backends are presumed dead for this host now. All marks here are of routers. */
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

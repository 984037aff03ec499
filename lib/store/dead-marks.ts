import { type Marks, NO_MARKS } from '../core/routing/backend.ts';
import { FairRoom } from '../core/limits/fair-room.ts';
import { type DeathRecord, withTrials } from '../core/health/trial.ts';
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
  /** Until when the backend is dead, milliseconds since 1970. Then it is on trial, if the mark has `trial`. */
  readonly until: number;
  /** Null: the backend lives again when the mark ends. */
  readonly trial: MarkTrial | null;
}

/** The trial after a mark: see core/health/trial.ts. Times in ms since 1970. */
export interface MarkTrial {
  /** In a row: each failed trial is one more. */
  readonly deaths: number;
  /** When the backend would live again without trials. */
  readonly plainUntil: number;
  /** When it lives again because no request was its trial. */
  readonly forgottenAt: number;
}

/** When a mark ends without trials, ms since 1970. */
export function plainEndOf({ until, trial }: DeadMark): number {
  return trial?.plainUntil ?? until;
}

/** When a mark has no effect any more, ms since 1970. */
export function endOf({ until, trial }: DeadMark): number {
  return trial?.forgottenAt ?? until;
}

/** Makes a mark that starts now, without a trial. @param now milliseconds since 1970 */
export function markOf(
  { route: { frontend, key }, backend: { id, href } }: Death,
  ttlSeconds: number,
  now: number,
): DeadMark {
  return { frontend, site: siteOf(key), id, url: href, until: now + ttlSeconds * 1000, trial: null };
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
  readonly #hasTrials: boolean;

  /**
   * @param now returns milliseconds since 1970
   * @param hasTrials whether backends are on trial after marks that say so; else all live again after their usual time
   */
  constructor(now: () => number, hasTrials = true) {
    this.#now = now;
    this.#hasTrials = hasTrials;
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
   * Adds a mark, unless no other backend of the list is alive. Those on trial are not.
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

  /** The marks of a host, or all (null), with those of backends on trial. */
  list(frontend: string | null): readonly DeadMark[] {
    const now = this.#now();
    const one = frontend === null ? undefined : this.#byFrontend.get(frontend);
    const all = frontend === null ? [...this.#byFrontend.values()] : one === undefined ? [] : [one];
    return all.flatMap((marks) => [...marks.values()].filter((mark) => endOf(mark) > now));
  }

  /**
   * Which of these backends are dead for this host now, and which of them are on trial. All marks in memory were made by
   * routers.
   * @param size how many backends the list names, usable or not
   */
  among(backends: readonly Entry[], frontend: string, size = backends.length): Marks {
    const marks = this.#byFrontend.get(frontend);
    if (marks === undefined) return NO_MARKS;
    const now = this.#now();
    for (const mark of marks.values()) {
      if (endOf(mark) <= now) marks.delete(mark.id);
    }
    if (marks.size === 0) {
      this.#forget(frontend);
      return NO_MARKS;
    }
    const dead = new Set<number>();
    const counted: DeadMark[] = [];
    for (const { id, href } of backends) {
      const mark = marks.get(id);
      if (mark?.url !== href) continue;
      counted.push(mark);
      if (plainEndOf(mark) > now) dead.add(id);
    }
    const plain = { dead, deadByRouters: dead };
    if (!this.#hasTrials) return plain;
    return withTrials(plain, { backends, size }, recordsOf(counted, now), performance.now(), 0).marks;
  }

  #forget(frontend: string): void {
    this.#byFrontend.delete(frontend);
    this.#room.leave(frontend);
  }
}

/** The records of these marks, by URL: a URL that has several has the one that is due last. @param now ms since 1970 */
export function recordsOf(marks: readonly DeadMark[], now: number): ReadonlyMap<string, DeathRecord> {
  const records = new Map<string, DeathRecord>();
  for (const { url, until, trial } of marks) {
    const leftMs = until - now;
    if (trial === null || leftMs < (records.get(url)?.leftMs ?? -Infinity)) continue;
    records.set(url, { sinceMs: 0, markLeftMs: trial.plainUntil - now, leftMs });
  }
  return records;
}

import type { Backend } from '../core/types.ts';

/** One backend presumed dead for a while. Plain data: it travels between processes. */
export interface DeadMark {
  /** The host the client asked for. */
  readonly frontend: string;
  readonly id: number;
  /** The backend's URL as its list spells it. Ids are places in a list, and lists change. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Nobody is dead. Shared, so that the common case allocates nothing. */
export const NOBODY: ReadonlySet<number> = new Set();

/** A wildcard gives every host that clients think of its own marks, hence the bound. */
const MAX_FRONTENDS = 10_000;

/** Dead marks kept in memory. A mark counts only while its place in the list holds the URL that died. */
export class DeadMarks {
  readonly #byFrontend = new Map<string, Map<number, DeadMark>>();
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Files a mark in the place of an older one for the same backend. Beyond 10,000 frontends the oldest is forgotten. */
  add(mark: DeadMark): void {
    const marks = this.#byFrontend.get(mark.frontend) ?? new Map<number, DeadMark>();
    marks.set(mark.id, mark);
    this.#byFrontend.delete(mark.frontend);
    this.#byFrontend.set(mark.frontend, marks);
    if (this.#byFrontend.size <= MAX_FRONTENDS) return;
    for (const oldest of this.#byFrontend.keys()) {
      this.#byFrontend.delete(oldest);
      break;
    }
  }

  /** Forgets a mark; one that is not there is no fault. */
  remove(frontend: string, id: number): void {
    const marks = this.#byFrontend.get(frontend);
    if (marks?.delete(id) && marks.size === 0) this.#byFrontend.delete(frontend);
  }

  /** The marks of a host, or all (null). */
  list(frontend: string | null): readonly DeadMark[] {
    const now = this.#now();
    const hosts = frontend === null ? this.#byFrontend.values() : [this.#byFrontend.get(frontend) ?? new Map()];
    return [...hosts].flatMap((marks: Map<number, DeadMark>) => [...marks.values()].filter(({ until }) => until > now));
  }

  /** Which of these backends are presumed dead for this host now. */
  among(backends: readonly Backend[], frontend: string): ReadonlySet<number> {
    const marks = this.#byFrontend.get(frontend);
    if (marks === undefined) return NOBODY;
    const now = this.#now();
    for (const { id, until } of marks.values()) {
      if (until <= now) marks.delete(id);
    }
    if (marks.size === 0) {
      this.#byFrontend.delete(frontend);
      return NOBODY;
    }
    const dead = new Set<number>();
    for (const { id, href } of backends) {
      if (marks.get(id)?.url === href) dead.add(id);
    }
    return dead;
  }
}

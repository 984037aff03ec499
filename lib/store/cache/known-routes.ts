import { FairRoom } from '../../core/limits/fair-room.ts';
import { siteOf, splitKey } from '../../core/routing/prefixes.ts';
import type { UpdatedRoute, SnapshotUpdate } from './snapshot-updates.ts';

/** The bounds of KnownRoutes. */
export interface KnownLimits {
  /** The maximum number of routes. Beyond it, the site with the most loses the route confirmed longest ago. */
  readonly max: number;
  /** The maximum size of all routes, characters. */
  readonly maxCharacters: number;
  /** A route that was not confirmed for so long is not used, ms. */
  readonly maxAgeMs: number;
}

/** The run of Redis that the routes were read from. */
export interface KnownRun {
  /** Null when the server does not tell, and before any was read. */
  readonly runId: string | null;
  /** Since when it does not reply, or has lost its routes, ms since 1970; null while it replies. */
  readonly lostAt: number | null;
}

interface Entry {
  /** A SavedRoute as JSON: a tenth of the memory of the route itself. */
  readonly line: string;
  readonly at: number;
}

/** What all workers of a router know of one Redis, as text. Other workers get it while Redis does not reply. */
export class KnownRoutes {
  limits: KnownLimits;
  /** Incremented by every change. */
  version = 0;
  /** By frontend, the last confirmed at the end. */
  readonly #entries = new Map<string, Entry>();
  /** Prefixes with routes of their own, by host. */
  readonly #under = new Map<string, Set<string>>();
  readonly #room = new FairRoom(Infinity);
  #characters = 0;
  #run: KnownRun = { runId: null, lostAt: null };

  constructor(limits: KnownLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get run(): KnownRun {
    return this.#run;
  }

  /** Takes the run that a file or a predecessor has recorded. */
  resume(run: KnownRun): void {
    this.#run = run;
  }

  /** Takes what a worker has read. Later readings are kept. */
  learn({ runId, lostAt, routes }: SnapshotUpdate): void {
    this.version++;
    if (lostAt === null) this.#run = { runId, lostAt };
    // Workers detect a loss one after the other; the lost run is the one that they used.
    else if (this.#run.lostAt === null) this.#run = { runId: this.#run.runId ?? runId, lostAt };
    for (const learnt of routes) this.add(learnt);
  }

  add([frontend, at, line]: UpdatedRoute): void {
    const before = this.#entries.get(frontend);
    if (before !== undefined && before.at > at) return;
    this.#delete(frontend);
    if (line === null) return;
    this.#entries.set(frontend, { line, at });
    this.#characters += frontend.length + line.length;
    const { host, prefix } = splitKey(frontend);
    if (prefix !== '') this.#under.set(host, (this.#under.get(host) ?? new Set()).add(frontend));
    const { max, maxCharacters } = this.limits;
    this.#room.enter(frontend, siteOf(keyIn(line) ?? frontend));
    while (this.#entries.size > max || this.#characters > maxCharacters) {
      const gone = this.#room.drop();
      if (gone === null) break;
      this.#delete(gone);
    }
  }

  /** The lines of a host and its prefixes, without those too old to use. @param now ms since 1970 */
  find(host: string, now: number): readonly string[] {
    const lines: string[] = [];
    for (const frontend of [host, ...(this.#under.get(host) ?? [])]) {
      const entry = this.#entries.get(frontend);
      if (entry !== undefined && now - entry.at <= this.limits.maxAgeMs) lines.push(entry.line);
    }
    return lines;
  }

  /** Whether a route is recent enough to use. @param now ms since 1970 */
  hasRoutes(now: number): boolean {
    for (const [, entry] of this.#entries) if (now - entry.at <= this.limits.maxAgeMs) return true;
    return false;
  }

  /** All routes, those confirmed longest ago first. */
  *all(): Generator<UpdatedRoute> {
    for (const [frontend, { line, at }] of this.#entries) yield [frontend, at, line];
  }

  /** Drops a host with its prefixes, or everything (null), the run included. */
  forget(host: string | null): void {
    this.version++;
    if (host !== null) {
      for (const frontend of [host, ...(this.#under.get(host) ?? [])]) this.#delete(frontend);
      return;
    }
    this.#entries.clear();
    this.#room.clear();
    this.#under.clear();
    this.#characters = 0;
    this.#run = { runId: null, lostAt: null };
  }

  /** Drops what is too old to use. @param now ms since 1970 */
  forgetOld(now: number): void {
    for (const [frontend, { at }] of this.#entries) if (now - at > this.limits.maxAgeMs) this.#delete(frontend);
  }

  #delete(frontend: string): void {
    const entry = this.#entries.get(frontend);
    if (entry === undefined) return;
    this.#entries.delete(frontend);
    this.#room.leave(frontend);
    this.#characters -= frontend.length + entry.line.length;
    const { host, prefix } = splitKey(frontend);
    if (prefix === '') return;
    const under = this.#under.get(host);
    if (under?.delete(frontend) && under.size === 0) this.#under.delete(host);
  }
}

/** The key in a SavedRoute's JSON, without parsing all of it; null if it has none, as for an error page. */
function keyIn(line: string): string | null {
  return /^\["[^"\\]*","([^"\\]*)"/.exec(line)?.[1] ?? null;
}

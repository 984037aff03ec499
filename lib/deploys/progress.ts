/** What the heartbeats say of a deploy. */
import { type DeployReport, GONE_MS, nameOf, type SeenBeat, SILENT_MS } from '../store/fleet.ts';

/** With fewer requests to the new backends their errors show nothing. */
export const LEAST_REQUESTS = 20;
/** A worker that was heard of this shortly before it was missing has left; others are lost, ms. */
const LEAVING_MS = GONE_MS - 3_000;

/** How far the fleet is. */
export interface Progress {
  /** Routers, and those of them all of whose workers use the announced list. */
  readonly routers: number;
  readonly ready: number;
  /** Workers that do not use the announced list, or are silent: each with the reason, for operators. */
  readonly missing: readonly string[];
  /** Requests in flight at the old backends, in all routers. */
  readonly inFlight: ReadonlyMap<string, number>;
  /** Whether all workers have reported about the announced list. */
  readonly isReported: boolean;
  /** Requests to the new backends since the deploy began, and how many of them failed. */
  readonly requests: number;
  readonly errors: number;
}

const NOTHING = [0, 0] as const;

interface Known {
  seen: SeenBeat;
  /** Of the last report; null before the first one. */
  pid: number | null;
  /** Requests and errors of the new backends before the deploy, as this process counts them. */
  readonly first: Map<string, readonly [requests: number, errors: number]>;
  requests: number;
  errors: number;
}

/** Follows the workers of a fleet during one deploy. */
export class FleetProgress {
  readonly #key: string;
  readonly #old: readonly string[];
  readonly #added: ReadonlySet<string>;
  readonly #workers = new Map<string, Known>();

  constructor(key: string, old: readonly string[], added: readonly string[]) {
    this.#key = key;
    this.#old = old;
    this.#added = new Set(added);
  }

  /** Takes all heartbeats. @param token of the announcement that counts */
  take(beats: readonly SeenBeat[], token: string): Progress {
    const present = new Map(beats.map((seen) => [nameOf(seen.beat), seen]));
    for (const [name, { seen }] of this.#workers) {
      if (!present.has(name) && seen.agoMs < LEAVING_MS) this.#workers.delete(name);
    }
    for (const [name, seen] of present) this.#hear(name, seen);
    const isGone = (name: string): boolean => !present.has(name);
    return this.#progress(token, isGone);
  }

  #hear(name: string, seen: SeenBeat): void {
    const { pid } = seen.beat;
    const known = this.#workers.get(name) ?? { seen, pid: null, first: new Map(), requests: 0, errors: 0 };
    known.seen = seen;
    const report = this.#reportOf(seen);
    if (report !== null) this.#count(known, report, pid);
    this.#workers.set(name, known);
  }

  #count(known: Known, { backends }: DeployReport, pid: number): void {
    const isFirst = known.pid === null;
    // A successor has begun to count during the deploy.
    if (known.pid !== pid) known.first.clear();
    known.pid = pid;
    let requests = 0;
    let errors = 0;
    for (const use of backends) {
      if (!this.#added.has(use.url)) continue;
      const first = known.first.get(use.url) ?? (isFirst ? [use.requests, use.errors] : NOTHING);
      known.first.set(use.url, first);
      requests += use.requests - first[0];
      errors += use.errors - first[1];
    }
    known.requests = requests;
    known.errors = errors;
  }

  #reportOf({ beat }: SeenBeat): DeployReport | null {
    return beat.deploys.find(({ key }) => key === this.#key) ?? null;
  }

  #progress(token: string, isGone: (name: string) => boolean): Progress {
    const inFlight = new Map(this.#old.map((url) => [url, 0]));
    const routers = new Map<string, boolean>();
    const missing: string[] = [];
    let isReported = true;
    let [requests, errors] = [0, 0];
    for (const [name, known] of this.#workers) {
      const { beat, agoMs } = known.seen;
      const report = this.#reportOf(known.seen);
      const isCurrent = report?.token === token && agoMs <= SILENT_MS && !isGone(name);
      const isReady = isCurrent && report.isUsed;
      routers.set(beat.router, (routers.get(beat.router) ?? true) && isReady);
      if (!isCurrent) isReported = false;
      if (!isReady) missing.push(whyMissing(known.seen, isGone(name), isCurrent));
      for (const { url, inFlight: count } of report?.backends ?? []) {
        const before = inFlight.get(url);
        if (before !== undefined) inFlight.set(url, before + count);
      }
      requests += known.requests;
      errors += known.errors;
    }
    const ready = [...routers.values()].filter(Boolean).length;
    return { routers: routers.size, ready, missing, inFlight, isReported, requests, errors };
  }
}

function whyMissing({ beat, agoMs }: SeenBeat, isGone: boolean, isCurrent: boolean): string {
  const { host, master, pid } = beat;
  const who = `the router on ${host} (master ${master}), worker ${pid}`;
  if (isGone) return `${who}: no heartbeat for more than ${GONE_MS / 1000} s`;
  if (agoMs > SILENT_MS) return `${who}: no heartbeat for ${Math.round(agoMs / 1000)} s`;
  return isCurrent ? `${who}: still uses another list` : `${who}: has not reported yet`;
}

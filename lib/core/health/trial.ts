/**
 * When the time of a dead mark is over, one request tries the backend. The rules: which backends wait for that, and which
 * requests may be the trial. Pure functions.
 */
import type { Marks } from '../routing/backend.ts';
import type { Backend, RequestTraits } from '../routing/types.ts';
import { isIdempotent } from './retry.ts';

/** The time of a mark is at most this many times `server.deadBackendTTL`. */
export const MOST_TIMES = 10;

/** What routers have noted about a backend that died, and has passed no trial since. Times in ms from now. */
export interface DeathRecord {
  /** Since its last mark. */
  readonly sinceMs: number;
  /** Until the mark itself expires; negative when it has. Until then, a missing mark has been removed by someone. */
  readonly markLeftMs: number;
  /** Until a trial is due; not positive when it is. */
  readonly leftMs: number;
}

/** A mark may be gone for its age so long before its record says so. */
const EXPIRY_MS = 100;

/**
 * Whether someone has removed the mark of a backend that has no mark: then it lives, and needs no trial.
 * @param lagMs a mark may be read so long before its record
 */
export function isRemoved({ sinceMs, markLeftMs }: DeathRecord, lagMs: number): boolean {
  return sinceMs >= lagMs && markLeftMs > EXPIRY_MS;
}

/** The part of a list that marks depend on: its usable backends, and how many it names. */
export interface TriedList {
  readonly backends: readonly Pick<Backend, 'id' | 'href'>[];
  readonly size: number;
}

/** The marks of a list, with its records. */
export interface MarksWithTrials {
  readonly marks: Marks;
  /** URLs whose record is void, because their mark was removed. */
  readonly removed: readonly string[];
}

/**
 * Joins dead marks with the records of deaths. A backend with a record is dead until it has passed a trial; it is on trial
 * when one is due. Marks of health checkers and operators count as they are.
 * @param records by URL
 * @param now ms, on the clock of `Route.onTrial`
 * @param lagMs as in `isRemoved`
 */
export function withTrials(
  marks: Marks,
  { backends, size }: TriedList,
  records: ReadonlyMap<string, DeathRecord>,
  now: number,
  lagMs: number,
): MarksWithTrials {
  // A sole backend is always used.
  if (size < 2 || records.size === 0) return { marks, removed: [] };
  const marked = new Set(backends.filter(({ id }) => marks.deadByRouters.has(id)).map(({ href }) => href));
  const removed = new Set<string>();
  const dead = new Set(marks.dead);
  const deadByRouters = new Set(marks.deadByRouters);
  const onTrial = new Map<number, number>();
  /** Without trials, these would live. */
  const resting: number[] = [];
  for (const { id, href } of backends) {
    const record = records.get(href);
    const isMarked = marks.deadByRouters.has(id);
    if (record === undefined || (marks.dead.has(id) && !isMarked)) continue;
    if (!isMarked && isRemoved(record, lagMs)) {
      if (!marked.has(href)) removed.add(href);
      continue;
    }
    dead.add(id);
    deadByRouters.add(id);
    if (record.leftMs <= 0) onTrial.set(id, now + record.leftMs);
    else if (!isMarked && record.markLeftMs <= 0) resting.push(id);
  }
  // No site is without a backend because trials have failed.
  if (onTrial.size === 0 && backends.every(({ id }) => dead.has(id))) for (const id of resting) onTrial.set(id, now);
  return { marks: { dead, deadByRouters, onTrial }, removed: [...removed] };
}

/** The time of a mark, in times of `server.deadBackendTTL`. @param deaths in a row, this one included */
export function restTimes(deaths: number): number {
  return Math.min(2 ** (deaths - 1), MOST_TIMES);
}

/** How long a trial waits for requests that are more suitable, ms. */
const SAFE_WAIT_MS = 1_000;

/**
 * How long after a trial is due this request may be it, ms. GET and HEAD may at once: if the backend fails, another one is
 * asked, and the client waits a little. Then any other request that may be sent twice; at last any.
 */
export function trialWaitMs({ method, hasBody }: RequestTraits): number {
  if (!hasBody && (method === 'GET' || method === 'HEAD')) return 0;
  return !hasBody && isIdempotent(method) ? SAFE_WAIT_MS : 2 * SAFE_WAIT_MS;
}

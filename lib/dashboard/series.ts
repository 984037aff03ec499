/** Values of consecutive seconds: joining what two responses hold, and their means. */

/** How many seconds are kept and drawn. */
const KEPT_SECONDS = 300;
/** How many seconds the current values are the mean of. */
const RECENT_SECONDS = 5;

/** A value for each second, the oldest first; null where there was nothing to measure. */
export type Series = readonly (number | null)[];

/**
 * Joins a series with a newer one, which may overlap it. Seconds between the two are null.
 * @param later by how many seconds the newer one ends later. When it ends earlier, or too late to be joined, as with
 *   another router's clock or a tab that slept, the older one is dropped.
 */
export function joined(older: Series, newer: Series, later: number): Series {
  if (later < 0 || later >= KEPT_SECONDS) return newer.slice(-KEPT_SECONDS);
  const gap = later - newer.length;
  const kept = gap >= 0 ? older : older.slice(0, Math.max(0, older.length + gap));
  return [...kept, ...Array.from({ length: Math.max(0, gap) }, () => null), ...newer].slice(-KEPT_SECONDS);
}

/** Latencies of those seconds alone that had a request: a second without one has none. */
export function whereRequested(latencies: Series, requests: Series): Series {
  return latencies.map((value, i) => (requests[i] === 0 ? null : value));
}

/** The mean of the last seconds; null when nothing was measured in them. */
export function recentMean(values: Series): number | null {
  const recent = values.slice(-RECENT_SECONDS).filter((value) => value !== null);
  return recent.length === 0 ? null : sum(recent) / recent.length;
}

/** The last value, when it is at most a few seconds old. */
export function lastKnown(values: Series): number | null {
  return values.slice(-2 * RECENT_SECONDS).findLast((value) => value !== null) ?? null;
}

export function sum(values: Series): number {
  let all = 0;
  for (const value of values) all += value ?? 0;
  return all;
}

/** The largest value; 0 when there is none. */
export function largest(values: Series): number {
  let most = 0;
  for (const value of values) if (value !== null && value > most) most = value;
  return most;
}

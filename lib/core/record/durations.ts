/** Histograms of durations, as buckets in a flat list of numbers, so that lists can be added. */

/** Upper bounds of the buckets, ms; longer durations have one more bucket. */
export const DURATION_ENDS_MS: readonly number[] = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];

const OVERLONG = DURATION_ENDS_MS.length;
const SUM = OVERLONG + 1;

/** Numbers per histogram: a count for each bucket, one for longer durations, and the sum in ms. */
export const DURATION_CELLS = SUM + 1;

/** Counts a duration. @param at where the histogram begins in `cells`. @param times for so many that took the same */
export function addDuration(cells: Float64Array, at: number, ms: number, times = 1): void {
  let bucket = 0;
  while (bucket < OVERLONG && ms > (DURATION_ENDS_MS[bucket] ?? Infinity)) bucket++;
  cells[at + bucket] = (cells[at + bucket] ?? 0) + times;
  cells[at + SUM] = (cells[at + SUM] ?? 0) + ms * times;
}

/** A histogram as it is read. */
export interface Durations {
  /** Count of each bucket, the last for longer durations. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** @param at where the histogram begins in `cells` */
export function durationsIn(cells: Float64Array, at: number): Durations {
  return { counts: Array.from(cells.subarray(at, at + SUM)), sumMs: cells[at + SUM] ?? 0 };
}

/** Approximate quantile, interpolated within its bucket. Null without counts. @param share 0 to 1; 0.5 is the median */
export function quantileMs(counts: readonly number[], share: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let left = share * all;
  for (const [bucket, count] of counts.entries()) {
    const from = DURATION_ENDS_MS[bucket - 1] ?? 0;
    // Durations beyond the last bound are not known more precisely.
    const to = DURATION_ENDS_MS[bucket] ?? from;
    if (left <= count) return from + (to - from) * (count === 0 ? 0 : left / count);
    left -= count;
  }
  return DURATION_ENDS_MS.at(-1) ?? null;
}

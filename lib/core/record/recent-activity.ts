/** Requests, errors and durations of the last minute: two windows of numbers, so that counts can be added. */
import { addDuration, DURATION_CELLS, durationsIn, quantileMs } from './durations.ts';

/** The length of a window, ms. What is read is of the present window and of the one before. */
export const WINDOW_MS = 30_000;

const ERRORS = 1;
const DURATIONS = 2;
const CELLS = DURATIONS + DURATION_CELLS;

/** What was counted within the last 30 to 60 s. Plain data. */
export interface Activity {
  /** Over so many seconds; at least 1. */
  readonly seconds: number;
  readonly requests: number;
  readonly errors: number;
  /** A count for each bucket of durations.ts. */
  readonly durations: readonly number[];
}

/** Activities of several processes or frontends, as operators read it. Durations in seconds; null without any. */
export interface ActivityRates {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

/**
 * Counts requests, errors and durations, and forgets them after 30 to 60 s. Windows begin at multiples of 30 s, so that
 * a minute without a request counts as one with 0. All times are ms since the process began to count.
 */
export class RecentActivity {
  /** The present window, then the one before. Null until something was counted. */
  #cells: Float64Array | null = null;
  /** The number of the present window. */
  #window = 0;

  /** A response has come. */
  responded(now: number, ms: number, isError: boolean): void {
    const cells = this.#at(now);
    cells[0] = (cells[0] ?? 0) + 1;
    if (isError) cells[ERRORS] = (cells[ERRORS] ?? 0) + 1;
    addDuration(cells, DURATIONS, ms);
  }

  /** A request has failed. @param isCounted whether its response was counted before */
  failed(now: number, isCounted: boolean): void {
    const cells = this.#at(now);
    if (!isCounted) cells[0] = (cells[0] ?? 0) + 1;
    cells[ERRORS] = (cells[ERRORS] ?? 0) + 1;
  }

  /** Adds counts. @param at where the histogram begins in `durations` */
  add(now: number, requests: number, errors: number, durations: Float64Array, at: number): void {
    const cells = this.#at(now);
    cells[0] = (cells[0] ?? 0) + requests;
    cells[ERRORS] = (cells[ERRORS] ?? 0) + errors;
    for (let i = 0; i < DURATION_CELLS; i++) {
      cells[DURATIONS + i] = (cells[DURATIONS + i] ?? 0) + (durations[at + i] ?? 0);
    }
  }

  read(now: number): Activity {
    const window = Math.floor(now / WINDOW_MS);
    const from = Math.max(0, window - 1) * WINDOW_MS;
    const seconds = Math.max(1, (now - from) / 1000);
    const cells = this.#cells;
    const age = window - this.#window;
    if (cells === null || age > 1) return { seconds, requests: 0, errors: 0, durations: [] };
    // One window later, the one that was present is the one before.
    const parts = age === 1 ? [0] : [0, CELLS];
    const sum = (cell: number): number => parts.reduce((all, part) => all + (cells[part + cell] ?? 0), 0);
    const { counts } = durationsIn(cells, DURATIONS);
    return { seconds, requests: sum(0), errors: sum(ERRORS), durations: counts.map((_, i) => sum(DURATIONS + i)) };
  }

  #at(now: number): Float64Array {
    const window = Math.floor(now / WINDOW_MS);
    this.#cells ??= new Float64Array(2 * CELLS);
    if (window !== this.#window) {
      const isNext = window === this.#window + 1;
      if (isNext) this.#cells.copyWithin(CELLS, 0, CELLS);
      this.#cells.fill(0, 0, isNext ? CELLS : 2 * CELLS);
      this.#window = window;
    }
    return this.#cells;
  }
}

/** The rates and quantiles of all activities together. */
export function ratesOf(activities: readonly Activity[]): ActivityRates {
  let requestsPerSecond = 0;
  let errorsPerSecond = 0;
  const durations: number[] = [];
  for (const each of activities) {
    requestsPerSecond += each.requests / each.seconds;
    errorsPerSecond += each.errors / each.seconds;
    for (const [bucket, count] of each.durations.entries()) durations[bucket] = (durations[bucket] ?? 0) + count;
  }
  return {
    requestsPerSecond: rounded(requestsPerSecond, 1e3),
    errorsPerSecond: rounded(errorsPerSecond, 1e3),
    p50: secondsOf(quantileMs(durations, 0.5)),
    p99: secondsOf(quantileMs(durations, 0.99)),
  };
}

/** Rounded to a hundredth of a millisecond: the buckets are not more precise. */
function secondsOf(ms: number | null): number | null {
  return ms === null ? null : rounded(ms / 1000, 1e5);
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

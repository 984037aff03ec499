import { durationsIn, quantileMs } from '../core/record/durations.ts';
import { CLASSES, ROW, TOTAL_AT } from '../observe/request-counters.ts';
import type { Seconds } from './answers.ts';

/** How many seconds are kept. */
export const SECONDS = 300;

const FIFTH = CLASSES.indexOf('5xx');

/** Counters of requests, second by second. */
export class FrontendSeries {
  /** The current second, as a row of request-counters.ts. */
  readonly #current = new Float64Array(ROW);
  readonly #requests = new Float32Array(SECONDS);
  readonly #errors = new Float32Array(SECONDS);
  readonly #p50 = new Float32Array(SECONDS).fill(Number.NaN);
  readonly #p99 = new Float32Array(SECONDS).fill(Number.NaN);
  /** Where the next second is stored. */
  #at = 0;
  #hasCounted = false;

  /** Adds a row to the current second. */
  add(row: Float64Array): void {
    this.#hasCounted = true;
    for (const [at, count] of row.entries()) this.#current[at] = (this.#current[at] ?? 0) + count;
  }

  /** Ends the current second. */
  endSecond(): void {
    const at = this.#at;
    this.#at = (at + 1) % SECONDS;
    this.#requests[at] = 0;
    this.#errors[at] = 0;
    this.#p50[at] = Number.NaN;
    this.#p99[at] = Number.NaN;
    if (!this.#hasCounted) return;
    const { counts } = durationsIn(this.#current, TOTAL_AT);
    this.#requests[at] = sum(this.#current.subarray(0, TOTAL_AT));
    this.#errors[at] = (this.#current[FIFTH] ?? 0) + (this.#current[CLASSES.length + FIFTH] ?? 0);
    this.#p50[at] = (quantileMs(counts, 0.5) ?? Number.NaN) / 1000;
    this.#p99[at] = (quantileMs(counts, 0.99) ?? Number.NaN) / 1000;
    this.#current.fill(0);
    this.#hasCounted = false;
  }

  /** The number of requests in the last `seconds` seconds. */
  recent(seconds: number): number {
    return sum(this.#last(this.#requests, seconds));
  }

  /** @param seconds how many, at most SECONDS */
  read(seconds: number): Seconds {
    const known = (values: Float32Array): readonly (number | null)[] =>
      this.#last(values, seconds).map((value) => (Number.isNaN(value) ? null : rounded(value)));
    return {
      requests: this.#last(this.#requests, seconds),
      errors: this.#last(this.#errors, seconds),
      p50: known(this.#p50),
      p99: known(this.#p99),
    };
  }

  #last(values: Float32Array, seconds: number): number[] {
    const all = [...values.subarray(this.#at), ...values.subarray(0, this.#at)];
    return all.slice(SECONDS - Math.max(1, Math.min(SECONDS, seconds)));
  }
}

function sum(values: Iterable<number>): number {
  let all = 0;
  for (const value of values) all += value;
  return all;
}

/** Rounded to a hundredth of a millisecond: the buckets are not more precise. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1e5) / 1e5;
}

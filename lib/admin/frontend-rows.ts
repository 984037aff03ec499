import { RecentActivity } from '../core/record/recent-activity.ts';
import { CLASSES, ROW, TOTAL_AT, UNNAMED_ROWS, type CountedRequests } from '../observe/request-counters.ts';
import { FrontendSeries } from './series.ts';

/** A frontend without requests for so long, ms, can be replaced by another. */
const IDLE_MS = 300_000;
const FIFTH = CLASSES.indexOf('5xx');

/** The counters of a frontend since it has metrics of its own. */
export interface FrontendMetrics {
  /** See request-counters.ts. */
  readonly row: Float64Array;
  readonly series: FrontendSeries;
  /** Requests, errors and durations of the last minute. */
  readonly recent: RecentActivity;
  /** The time of its last request, ms. */
  usedAt: number;
}

/** The metrics of frontends, of all workers together. A limited number have their own; the others share a row. */
export class FrontendRows {
  readonly #max: number;
  readonly #now: () => number;
  readonly #named = new Map<string, FrontendMetrics>();
  readonly #unknown: FrontendMetrics;
  readonly #other: FrontendMetrics;

  /** @param now the current time, ms; only differences matter */
  constructor(max: number, now: () => number) {
    this.#max = max;
    this.#now = now;
    this.#unknown = this.#create();
    this.#other = this.#create();
  }

  add({ names, rows }: CountedRequests): void {
    const now = this.#now();
    const add = (metrics: FrontendMetrics, index: number): void => {
      const from = rows.subarray(index * ROW, (index + 1) * ROW);
      if (from.every((count) => count === 0)) return;
      metrics.usedAt = now;
      for (const [at, count] of from.entries()) metrics.row[at] = (metrics.row[at] ?? 0) + count;
      metrics.series.add(from);
      const requests = from.subarray(0, TOTAL_AT).reduce((all, count) => all + count, 0);
      const errors = (from[FIFTH] ?? 0) + (from[CLASSES.length + FIFTH] ?? 0);
      metrics.recent.add(now, requests, errors, from, TOTAL_AT);
    };
    add(this.#unknown, 0);
    add(this.#other, 1);
    for (const [index, name] of names.entries()) add(this.#of(name), UNNAMED_ROWS + index);
  }

  /** All rows by label: `unknown` and `other` if they had a request, and the rest by identifier. */
  *entries(): Iterable<readonly [label: string, metrics: FrontendMetrics]> {
    if (this.#unknown.usedAt > -Infinity) yield ['unknown', this.#unknown];
    if (this.#other.usedAt > -Infinity) yield ['other', this.#other];
    yield* this.#named;
  }

  /** The metrics of an identifier; null if it has none of its own. */
  find(name: string): FrontendMetrics | null {
    return this.#named.get(name) ?? null;
  }

  /** Ends a second of all series. */
  endSecond(): void {
    for (const [, { series }] of this.entries()) series.endSecond();
  }

  #of(name: string): FrontendMetrics {
    // Identifiers that equal a reserved label.
    if (name === 'unknown' || name === 'other') return this.#other;
    let metrics = this.#named.get(name);
    if (metrics !== undefined) return metrics;
    if (this.#named.size >= this.#max && !this.#forgetIdle()) return this.#other;
    metrics = this.#create();
    this.#named.set(name, metrics);
    return metrics;
  }

  /** Drops an idle frontend. @returns whether there was one */
  #forgetIdle(): boolean {
    const limit = this.#now() - IDLE_MS;
    for (const [name, { usedAt }] of this.#named) {
      if (usedAt < limit) return this.#named.delete(name);
    }
    return false;
  }

  #create(): FrontendMetrics {
    return {
      row: new Float64Array(ROW),
      series: new FrontendSeries(),
      recent: new RecentActivity(),
      usedAt: -Infinity,
    };
  }
}

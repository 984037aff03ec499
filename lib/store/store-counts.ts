import { addDuration, DURATION_CELLS } from '../core/record/durations.ts';

/** Counters of lookups since the last `take`. Plain data. */
export interface StoreCountsReport {
  /** Lookups answered from memory. */
  readonly hits: number;
  /** Lookups answered with a last-known route, because the store did not reply. */
  readonly stale: number;
  readonly errors: number;
  /** The durations of the store's replies: see core/record/durations.ts. */
  readonly lookups: Float64Array;
}

/** Counts lookups. */
export class StoreCounts {
  hits = 0;
  stale = 0;
  errors = 0;
  #lookups = new Float64Array(DURATION_CELLS);

  /** The store has replied to so many lookups at once. */
  answered(ms: number, lookups: number): void {
    addDuration(this.#lookups, 0, ms, lookups);
  }

  /** The counters since the last call. */
  take(): StoreCountsReport {
    const { hits, stale, errors } = this;
    const taken = { hits, stale, errors, lookups: this.#lookups };
    this.hits = 0;
    this.stale = 0;
    this.errors = 0;
    this.#lookups = new Float64Array(DURATION_CELLS);
    return taken;
  }
}

import { addDuration, DURATION_CELLS } from '../core/record/durations.ts';

/** What a store was asked and how that went, since the last time somebody looked. Plain data. */
export interface StoreCountsReport {
  /** Answered from memory. */
  readonly hits: number;
  /** Answered with a last-known route, since the store gave no answer. */
  readonly stale: number;
  readonly errors: number;
  /** How long the store took, for each that it answered: see core/durations.ts. */
  readonly lookups: Float64Array;
}

/** Counts them. */
export class StoreCounts {
  hits = 0;
  stale = 0;
  errors = 0;
  #lookups = new Float64Array(DURATION_CELLS);

  /** The store answered so many lookups together. */
  answered(ms: number, lookups: number): void {
    addDuration(this.#lookups, 0, ms, lookups);
  }

  /** What was counted since the last call. */
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

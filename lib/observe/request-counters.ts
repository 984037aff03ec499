import { addDuration, DURATION_CELLS } from '../core/record/durations.ts';

/** The first digit of the status. `aborted`: the client left before the response. */
export const CLASSES = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
/** The lanes, in the order of their counters. */
export const LANES = ['full', 'fast'] as const;

/** Where a frontend's histograms start in its row, after a counter for each lane and class. */
export const TOTAL_AT = LANES.length * CLASSES.length;
/** Where the histogram of backend durations starts in a row. */
export const BACKEND_AT = TOTAL_AT + DURATION_CELLS;
/** How many numbers a frontend has. */
export const ROW = BACKEND_AT + DURATION_CELLS;

/** The counters since the last `take`. Plain data: it is sent to another process. */
export interface CountedRequests {
  /** The identifiers of the frontends. Their rows follow the first two, in this order. */
  readonly names: readonly string[];
  /** Rows: of requests without a frontend, of frontends without a row, then of `names`. */
  readonly rows: Float64Array;
}

const UNKNOWN = 0;
const OTHER = 1;
/** How many rows precede those of `names`. */
export const UNNAMED_ROWS = 2;
const FIRST_ROOM = 64;
/** The client left before the response. */
const NOT_ANSWERED = 0;

/** Counts the requests of one worker by frontend, lane and status, with their durations. */
export class RequestCounters {
  readonly #max: number;
  readonly #indexes = new Map<string, number>();
  #rows = new Float64Array(FIRST_ROOM * ROW);

  /** @param max how many frontends have rows of their own */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts a request that has ended.
   * @param lane its index in LANES
   * @param name the frontend's identifier; null when none was found
   * @param backendMs null when no backend was tried
   */
  count(lane: 0 | 1, name: string | null, status: number, totalMs: number, backendMs: number | null): void {
    const at = (name === null ? UNKNOWN : this.#indexOf(name)) * ROW;
    const cell = at + lane * CLASSES.length + (status === NOT_ANSWERED ? 0 : Math.min(5, Math.floor(status / 100)));
    this.#rows[cell] = (this.#rows[cell] ?? 0) + 1;
    addDuration(this.#rows, at + TOTAL_AT, totalMs);
    if (backendMs !== null) addDuration(this.#rows, at + BACKEND_AT, backendMs);
  }

  /** The counters since the last call. */
  take(): CountedRequests {
    const end = (UNNAMED_ROWS + this.#indexes.size) * ROW;
    const taken = { names: [...this.#indexes.keys()], rows: this.#rows.slice(0, end) };
    this.#rows.fill(0, 0, end);
    this.#indexes.clear();
    return taken;
  }

  #indexOf(name: string): number {
    let index = this.#indexes.get(name);
    if (index !== undefined) return index;
    if (this.#indexes.size >= this.#max) return OTHER;
    index = UNNAMED_ROWS + this.#indexes.size;
    this.#indexes.set(name, index);
    if ((index + 1) * ROW > this.#rows.length) {
      const larger = new Float64Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    return index;
  }
}

/** `eject`: a backend that fails far more often than the others of its site is rested. The rules, without a clock. */
import type { EjectRule } from '../routing/site.ts';
import type { Outcome } from '../routing/types.ts';
import { isFailure } from './verdict.ts';

/** The share of a backend's requests that fail must be so many times that of the others. */
const TIMES_OTHERS = 2;
/** A window is counted in so many slices. */
export const SLICES = 10;

/** Requests of a window, and how many of them failed. */
export interface Counts {
  readonly requests: number;
  readonly failures: number;
}

/** Whether an attempt failed, as a rule counts it; null where it shows nothing about the backend. */
export function failureOf({ kind }: EjectRule, outcome: Outcome): boolean | null {
  switch (outcome.type) {
    case 'answered': {
      const { status, retryAfter } = outcome;
      // Announced maintenance.
      if (status === 503 && retryAfter) return false;
      return kind === '5xx' ? status >= 500 && status <= 599 : status >= 502 && status <= 504;
    }
    case 'upgraded':
      return false;
    case 'unreachable':
    case 'broken':
    case 'silent':
    case 'garbled':
      return isFailure(outcome);
    case 'dropped':
    case 'crowded':
    case 'unfit':
    case 'abandoned':
      return null;
  }
}

/** Whether a backend fails far more often than the others. @param others all of them together */
export function isOutlier(own: Counts, others: Counts, { share, least }: EjectRule): boolean {
  if (own.requests < least || own.failures < share * own.requests) return false;
  // Where all fail alike, the reason is elsewhere, and resting one would only burden the others.
  return own.failures * others.requests >= TIMES_OTHERS * others.failures * own.requests;
}

/** How many of a site's backends may rest at a time. */
export function mostResting(backends: number): number {
  return Math.floor(backends / 2);
}

/** Counts requests over a window that slides by slices. Slices are numbered in the order of time. */
export class WindowCounts {
  readonly #requests = new Uint32Array(SLICES);
  readonly #failures = new Uint32Array(SLICES);
  #last = 0;

  add(isFailed: boolean, slice: number): void {
    this.#advance(slice);
    const at = this.#last % SLICES;
    this.#requests[at] = (this.#requests[at] ?? 0) + 1;
    if (isFailed) this.#failures[at] = (this.#failures[at] ?? 0) + 1;
  }

  /** The counts of the window that ends with this slice. */
  total(slice: number): Counts {
    this.#advance(slice);
    return { requests: sum(this.#requests), failures: sum(this.#failures) };
  }

  #advance(slice: number): void {
    const first = Math.max(this.#last + 1, slice - SLICES + 1);
    for (let each = first; each <= slice; each++) {
      this.#requests[each % SLICES] = 0;
      this.#failures[each % SLICES] = 0;
    }
    this.#last = Math.max(this.#last, slice);
  }
}

function sum(numbers: Uint32Array): number {
  let total = 0;
  for (const each of numbers) total += each;
  return total;
}

/** What flows and the bandwidth of their site have in common. */
import type { TimeLimits } from '../clock/time-limits.ts';

/** The dependencies of flows. */
export interface FlowParts {
  readonly clock: TimeLimits;
  /** ms, on the clock's scale. */
  readonly now: () => number;
}

/** Time limits of flows, ms: soon. The clock is coarse, and decides when. */
export const SOON_MS = 1;

/** A flow that waits for the bandwidth of its site. */
export interface WaitingFlow {
  /** Passes at most so many bytes, as far as its own rate has room. @returns how many have passed */
  passUpTo(most: number, now: number): number;
  /** Decides what the bytes that are left wait for, and goes on if there are none. */
  settle(now: number): void;
}

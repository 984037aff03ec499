import { Allowance } from '../core/limits/allowance.ts';

/** Streams that a client may break off at once: a browser that leaves a page breaks off all of its hundred. */
const BURST = 200;
/** And so many per second after that. */
const PER_SECOND = 33;

/**
 * Tells clients that change their mind from those that only want work done for nothing (CVE-2023-44487): counts streams
 * that were broken off before they were answered.
 * @param now ms; only differences count
 */
export function resetGuard(now: () => number): Allowance {
  return new Allowance(BURST, PER_SECOND, now);
}

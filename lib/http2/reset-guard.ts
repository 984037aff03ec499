import { Allowance } from '../core/limits/allowance.ts';

/** How many streams a client may reset at once: a browser that leaves a page resets up to a hundred. */
const BURST = 200;
/** How many more per second after that. */
const PER_SECOND = 33;

/**
 * Limits how many streams a client may reset before their response, against clients that cause work and discard it
 * (CVE-2023-44487).
 * @param now ms; only differences matter
 */
export function resetGuard(now: () => number): Allowance {
  return new Allowance(BURST, PER_SECOND, now);
}

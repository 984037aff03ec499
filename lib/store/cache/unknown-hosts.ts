import { RouterError } from '../../core/errors.ts';
import { Allowance } from '../../core/limits/allowance.ts';
import { type Reading, routeIn } from '../reading.ts';

/** How many lookups of hosts that turn out to have no route a worker may make at once, and in a second after that. */
const BURST = 5_000;
const PER_SECOND = 1_000;

/**
 * Bounds the lookups that clients cause by hosts that they make up. A lookup counts only if the host has no route: hosts that have
 * one are all found, however many are new to this worker.
 */
export class UnknownHosts {
  readonly #allowance: Allowance;

  /** @param now ms; only differences count */
  constructor(now: () => number) {
    this.#allowance = new Allowance(BURST, PER_SECOND, now);
  }

  /**
   * Looks up a host of which nothing is remembered.
   * @throws RouterError `unknown-hosts` when too many have had no route lately; else as `read`
   */
  async read(read: () => Promise<Reading>): Promise<Reading> {
    if (!this.#allowance.takeOne()) {
      throw new RouterError('unknown-hosts', 'too many requests for hosts without a frontend');
    }
    try {
      const reading = await read();
      if (routeIn(reading) !== null) this.#allowance.giveBack();
      return reading;
    } catch (error) {
      this.#allowance.giveBack();
      throw error;
    }
  }
}

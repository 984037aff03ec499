import { TOO_MANY_UNKNOWN } from '../../core/errors.ts';
import { FairAllowance } from '../../core/limits/fair-allowance.ts';
import { type Reading, routeIn } from '../reading.ts';
import type { Asker } from '../store.ts';
import { isOwn } from './remembered-routes.ts';

/** How many lookups of hosts that turn out to have no route a worker may make at once, and in a second after that. */
const BURST = 5_000;
const PER_SECOND = 1_000;

/**
 * Bounds the lookups that clients cause by hosts that they make up. A lookup counts only if the host has no route: hosts that have
 * one are all found, however many are new to this worker. One client has half of these lookups at most, so that the others
 * find hosts that are new to this worker. Lookups of hosts that have the route of a wildcard count for the client alone.
 */
export class UnknownHosts {
  readonly #allowance: FairAllowance;

  /** @param now ms; only differences count */
  constructor(now: () => number) {
    this.#allowance = new FairAllowance(BURST, PER_SECOND, now);
  }

  /**
   * Looks up a host of which nothing is remembered.
   * @param asker undefined: a lookup that no request causes, which is not bounded
   * @throws RouterError `unknown-hosts` when too many have had no route lately; else as `read`
   */
  async read(read: () => Promise<Reading>, asker: Asker | undefined): Promise<Reading> {
    if (asker === undefined) return await read();
    const client = asker.clientKey;
    if (!this.#allowance.takeOne(client)) {
      throw TOO_MANY_UNKNOWN;
    }
    try {
      const reading = await read();
      const route = routeIn(reading);
      // Clients can make up hosts under a wildcard, too.
      if (route !== null && isOwn(route)) this.#allowance.giveBack(client);
      else if (route !== null) this.#allowance.giveBackToAll();
      return reading;
    } catch (error) {
      // The client's is spent: other processes may be asked for the host.
      this.#allowance.giveBackToAll();
      throw error;
    }
  }
}

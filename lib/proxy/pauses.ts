import { clientKey } from '../core/limits/client-key.ts';
import { RouterError } from '../core/errors.ts';
import { FairSeats } from '../core/limits/fair-seats.ts';
import { candidates, hostOf } from '../core/routing/hostname.ts';
import { siteOf, splitKey } from '../core/routing/prefixes.ts';
import type { Route } from '../core/routing/types.ts';
import type { RouteLookups } from '../store/store.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Exchange } from './exchange.ts';

/** The requests for one frontend. */
interface Held {
  /** What it matched when the first of them came. */
  readonly key: string;
  readonly isHolding: (route: Route) => boolean;
  readonly waiting: Set<() => void>;
}

/** A request that waits. */
interface Waiter {
  refuse: ((error: RouterError) => void) | null;
}

export interface PausesParts {
  readonly store: Pick<RouteLookups, 'find'>;
  readonly clock: TimeLimits;
  /** Requests held at a time, of all sites. */
  readonly max: number;
}

/** How often it is asked whether a pause is over, for each frontend and not for each request, ms. */
const LOOK_MS = 100;
/** Frontends that are looked at each time: hosts that clients make up under a wildcard must not become a load for the store. */
const MAX_LOOKS = 50;

/**
 * Requests that their site holds (`state` is `paused`): they wait until it does not, so that a database can be moved
 * without a client seeing an error. Their bodies stay with their clients.
 */
export class Pauses {
  readonly #parts: PausesParts;
  readonly #held = new Map<string, Held>();
  readonly #seats: FairSeats<Waiter>;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(parts: PausesParts) {
    this.#parts = parts;
    this.#seats = new FairSeats(parts.max);
  }

  /** How many wait. */
  get size(): number {
    return this.#seats.size;
  }

  /**
   * Resolves when the pause is over, as far as is known, or the client has left.
   * @param limitMs for how long at most
   * @param isHolding whether the route, as it is now, still holds requests
   * @throws RouterError `paused` when that was too long, or too many wait already
   */
  hold(
    exchange: Exchange,
    { frontend, key }: Route,
    limitMs: number,
    isHolding: (route: Route) => boolean,
  ): Promise<void> {
    if (limitMs <= 0) return Promise.reject(new RouterError('paused', 'the site was paused for too long'));
    const waiter: Waiter = { refuse: null };
    const client = clientKey(exchange.outgoing?.clientIp ?? exchange.peer.address);
    const loser = this.#seats.enter(waiter, siteOf(key), client);
    if (loser === waiter) return Promise.reject(tooMany());
    loser?.refuse?.(tooMany());
    const held = this.#held.get(frontend) ?? { key, isHolding, waiting: new Set() };
    const { waiting } = held;
    this.#held.set(frontend, held);
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS).unref();
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void): void => {
        if (!waiting.delete(go)) return;
        this.#seats.leave(waiter);
        this.#parts.clock.clear(timer);
        exchange.onInterrupt = null;
        if (waiting.size === 0) this.#forget(frontend, held);
        settle();
      };
      const go = (): void => leave(resolve);
      const refuse = (error: RouterError): void => leave(() => reject(error));
      const timer = new Timer(() => refuse(new RouterError('paused', 'the site was paused for too long')));
      waiter.refuse = refuse;
      waiting.add(go);
      this.#parts.clock.set(timer, limitMs);
      exchange.onInterrupt = go;
      // An upgrade's socket may go without an interruption.
      void exchange.ended.then(go);
    });
  }

  #forget(frontend: string, held: Held): void {
    if (this.#held.get(frontend) === held) this.#held.delete(frontend);
    if (this.#held.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const looks = [...this.#held].slice(0, MAX_LOOKS);
    // The others come first the next time.
    for (const [frontend, held] of looks) {
      this.#held.delete(frontend);
      this.#held.set(frontend, held);
    }
    await Promise.all(looks.map(([frontend, held]) => this.#lookAt(frontend, held)));
    this.#isLooking = false;
  }

  async #lookAt(frontend: string, { key, isHolding, waiting }: Held): Promise<void> {
    const { host, prefix } = splitKey(frontend);
    const keys = candidates(hostOf(host) ?? host);
    try {
      const found = await this.#parts.store.find(keys, prefix === '' ? '/' : prefix);
      if (found === null || found.size === 0 || isHolding(found)) return;
      // Who moves a site may take its list away for a moment: what a wildcard has then is not its new place.
      if (keys.indexOf(splitKey(found.key).host) > keys.indexOf(splitKey(key).host)) return;
    } catch {
      // Nobody knows: they go on waiting.
      return;
    }
    // Each leaves the set that is gone over.
    for (const go of waiting) go();
  }
}

function tooMany(): RouterError {
  return new RouterError('paused', 'the site is paused, and too many requests wait already');
}

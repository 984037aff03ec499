import { RouterError } from '../core/errors.ts';
import { FairSeats } from '../core/limits/fair-seats.ts';
import { candidates, hostOf } from '../core/routing/hostname.ts';
import { siteOf, splitKey } from '../core/routing/prefixes.ts';
import type { Route } from '../core/routing/types.ts';
import type { RouteLookups } from '../store/store.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Exchange } from './exchange.ts';

/** The held requests for one frontend. */
interface Held {
  /** The key that the frontend matched when the first request came. */
  readonly key: string;
  readonly isHolding: (route: Route) => boolean;
  readonly waiting: Set<() => void>;
}

/** A held request. */
interface Waiter {
  refuse: ((error: RouterError) => void) | null;
}

export interface PausesParts {
  readonly store: Pick<RouteLookups, 'find'>;
  readonly clock: TimeLimits;
  /** Maximum number of held requests, of all sites. */
  readonly max: number;
}

/** How often the store is asked whether a pause has ended, once for each frontend, ms. */
const LOOK_MS = 100;
/**
 * Maximum number of frontends asked for each time: clients can invent hosts under a wildcard, which must not load the
 * store.
 */
const MAX_LOOKS = 50;

/**
 * Holds requests while their site's `state` is `paused`, so that for example a database can be moved without errors
 * for clients. Bodies are not read meanwhile.
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

  /** Number of held requests. */
  get size(): number {
    return this.#seats.size;
  }

  /**
   * Resolves when the pause has ended, or the client has left.
   * @param limitMs maximum time
   * @param isHolding whether the current route still holds requests
   * @throws RouterError `paused` after the time limit, or when too many requests are held
   */
  hold(
    exchange: Exchange,
    { frontend, key }: Route,
    limitMs: number,
    isHolding: (route: Route) => boolean,
  ): Promise<void> {
    if (limitMs <= 0) return Promise.reject(new RouterError('paused', 'the site was paused for too long'));
    const waiter: Waiter = { refuse: null };
    const client = exchange.clientKey;
    const loser = this.#seats.enter(waiter, siteOf(key), client);
    if (loser === waiter) return Promise.reject(tooMany());
    loser?.refuse?.(tooMany());
    const held = this.#held.get(frontend) ?? { key, isHolding, waiting: new Set() };
    const { waiting } = held;
    this.#held.set(frontend, held);
    // A poll, not a time limit: its own interval.
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
      // An upgrade's socket may close without an interruption.
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
    // Asks for the other frontends first the next time.
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
      // An operator who moves a site may delete its list for a moment: a less specific match is not its new route.
      if (keys.indexOf(splitKey(found.key).host) > keys.indexOf(splitKey(key).host)) return;
    } catch {
      // The lookup failed: the requests are held on.
      return;
    }
    // Each call removes its entry from the set.
    for (const go of waiting) go();
  }
}

function tooMany(): RouterError {
  return new RouterError('paused', 'the site is paused, and too many requests wait already');
}

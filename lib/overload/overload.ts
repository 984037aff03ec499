import { nextPart, refusedParts } from '../core/limits/shedding.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import { SiteCosts } from './site-costs.ts';

/** From one measurement of the lag to the next, ms. */
const TURN_MS = 1_000;
/** How many sites a notice names. */
const NAMED = 3;

/** The worker begins to refuse requests, or refuses none any more. */
export type OverloadNotice =
  | { readonly type: 'overloaded'; readonly lagMs: number; readonly sites: readonly string[] }
  | { readonly type: 'overload-over'; readonly seconds: number; readonly refused: number };

/** The dependencies of Overload. */
export interface OverloadParts {
  /** The lag of the event loop since the last result, ms; null when there is none yet. */
  readonly lag: { take(): number | null; close(): void };
  /** From this lag on requests are refused, ms. */
  readonly limitMs: number;
  /** ms; only differences count. */
  readonly now: () => number;
  readonly notify: (notice: OverloadNotice) => void;
}

/**
 * Refuses requests while this worker's event loop lags: first those of the sites that use the most, so that the others are
 * served in time. The part that is refused grows while the lag stays, and shrinks when it has gone.
 */
export class Overload {
  readonly #parts: OverloadParts;
  readonly #sites = new SiteCosts();
  #timer: NodeJS.Timeout | null = null;
  /** Of all that is asked for; 0 while nothing is refused. */
  #part = 0;
  /** Since when requests are refused. */
  #since = 0;
  #refused = 0;

  constructor(parts: OverloadParts) {
    this.#parts = parts;
  }

  /** Begins to measure. */
  start(): void {
    this.#timer ??= setInterval(() => this.turn(), TURN_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#parts.lag.close();
  }

  /** Counts a request of a route. Call it once for each. @param key the route's @returns whether it is to be refused */
  refuses(key: string): boolean {
    const site = this.#sites.asked(siteOf(key));
    if (site === null || site.refused === 0) return false;
    // Evenly: of three in four, each but the fourth.
    site.due += site.refused;
    if (site.due < 1) return false;
    site.due--;
    this.#refused++;
    return true;
  }

  /** Counts the bytes of a response. */
  sent(key: string, bytes: number): void {
    if (bytes > 0) this.#sites.sent(siteOf(key), bytes);
  }

  /** Decides what is refused until the next turn. */
  turn(): void {
    const { lag, limitMs } = this.#parts;
    const lagMs = lag.take();
    if (lagMs !== null) this.#decide(nextPart(this.#part, lagMs, limitMs), lagMs);
    this.#sites.age();
  }

  #decide(wanted: number, lagMs: number): void {
    const before = this.#part;
    if (wanted === 0 && before === 0) return;
    const parts = refusedParts(this.#sites.costs, wanted);
    const part = parts.size === 0 ? 0 : wanted;
    this.#part = part;
    if (part === 0 && before === 0) return;
    this.#sites.refuse(parts);
    const now = this.#parts.now();
    if (before === 0) {
      this.#since = now;
      this.#refused = 0;
      this.#parts.notify({ type: 'overloaded', lagMs: Math.round(lagMs), sites: [...parts.keys()].slice(0, NAMED) });
    } else if (part === 0) {
      const seconds = Math.round((now - this.#since) / 100) / 10;
      this.#parts.notify({ type: 'overload-over', seconds, refused: this.#refused });
    }
  }
}

import { RouterError } from '../core/errors.ts';
import { FairSeats } from '../core/limits/fair-seats.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { ConcurrencyRule, Permit } from '../core/routing/site.ts';
import type { Route } from '../core/routing/types.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Permits } from '../concurrency/permits.ts';
import type { Exchange } from './exchange.ts';

/** How long a request waits for the store's first reply about its site, where the site has no queue, ms. */
const FIRST_MS = 1_000;

export interface SiteQueueParts {
  readonly permits: Permits;
  readonly clock: TimeLimits;
  /** Maximum number of requests that wait, of all sites. */
  readonly max: number;
}

/** A request that waits. */
interface Waiter {
  refuse: ((error: RouterError) => void) | null;
}

/** Joins a queue. @param served, refused: called when the request waits no more @returns leaves it; null when it is full */
type Join = (served: () => void, refused: () => void) => (() => void) | null;

/** Requests that wait while their site has as many in flight as it may. Bodies are not read meanwhile. */
export class SiteQueue {
  readonly #parts: SiteQueueParts;
  readonly #seats: FairSeats<Waiter>;

  constructor(parts: SiteQueueParts) {
    this.#parts = parts;
    this.#seats = new FairSeats(parts.max);
  }

  /**
   * Takes a permit for the exchange, unless the fast lane has done so, or the site has no limit. Resolves when it has one, or when
   * the client has left.
   * @throws RouterError `site-busy` when too many wait, or it has waited for too long
   */
  async enter(exchange: Exchange, { key, site }: Route): Promise<void> {
    const { concurrency: rule } = site;
    if (rule === null || exchange.permit !== null) return;
    const { permits } = this.#parts;
    const permit = permits.enter(key, rule);
    if (permit !== null) return exchange.keep(permit);
    await this.#wait(exchange, key, rule, (served, refused) => {
      const serve = (given: Permit): void => {
        exchange.keep(given);
        served();
      };
      return permits.waitForSite(key, rule, serve, refused);
    });
  }

  /**
   * Waits until a backend has room. @param tries uses one; returns whether it did. Must not throw
   * @throws as `enter` does
   */
  async waitForBackend(exchange: Exchange, { key, site }: Route, tries: () => boolean): Promise<void> {
    const { concurrency: rule } = site;
    if (rule === null) return;
    await this.#wait(exchange, key, rule, (served, refused) => {
      const serve = (): boolean => {
        const isServed = tries();
        if (isServed) served();
        return isServed;
      };
      return this.#parts.permits.waitForBackend(key, rule, serve, refused);
    });
  }

  #wait(exchange: Exchange, key: string, rule: ConcurrencyRule, join: Join): Promise<void> {
    const limitMs = rule.queueSeconds * 1000 || FIRST_MS;
    const leftMs = limitMs - exchange.queuedMs;
    if (leftMs <= 0) return Promise.reject(tooLong(rule));
    const waiter: Waiter = { refuse: null };
    const loser = this.#seats.enter(waiter, siteOf(key), exchange.clientKey);
    if (loser === waiter) return Promise.reject(tooMany(rule));
    loser?.refuse?.(tooMany(rule));
    const { clock } = this.#parts;
    return new Promise((resolve, reject) => {
      const since = performance.now();
      let isOver = false;
      const end = (settle: () => void): void => {
        if (isOver) return;
        isOver = true;
        this.#seats.leave(waiter);
        leave?.();
        clock.clear(timer);
        exchange.onInterrupt = null;
        exchange.queuedMs += performance.now() - since;
        settle();
      };
      const refuse = (error: RouterError): void => end(() => reject(error));
      const timer = new Timer(() => refuse(tooLong(rule)));
      const leave = join(
        () => end(resolve),
        () => refuse(tooMany(rule)),
      );
      if (leave === null) return refuse(tooMany(rule));
      waiter.refuse = refuse;
      clock.set(timer, leftMs);
      exchange.onInterrupt = () => end(resolve);
      // An upgrade's socket may close without an interruption.
      void exchange.ended.then(() => end(resolve));
    });
  }
}

function tooMany(rule: ConcurrencyRule): RouterError {
  return busy(rule, `the site has as many requests in flight as it may (${inWords(rule)}), and too many wait already`);
}

function tooLong(rule: ConcurrencyRule): RouterError {
  return busy(rule, `the request has waited for too long: the site has as many in flight as it may (${inWords(rule)})`);
}

function busy({ queueSeconds }: ConcurrencyRule, message: string): RouterError {
  return new RouterError('site-busy', message, {
    fields: ['Retry-After', String(Math.max(1, Math.ceil(queueSeconds)))],
  });
}

function inWords({ maxConn, maxConnPerBackend }: ConcurrencyRule): string {
  const limits = [
    maxConn === null ? null : `maxConn ${maxConn}`,
    maxConnPerBackend === null ? null : `maxConnPerBackend ${maxConnPerBackend}`,
  ];
  return limits.filter((limit) => limit !== null).join(', ');
}

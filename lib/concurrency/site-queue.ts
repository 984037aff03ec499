import { RouterError } from '../core/errors.ts';
import { FairSeats } from '../core/limits/fair-seats.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { ConcurrencyRule, Permit } from '../core/routing/site.ts';
import { Timer, type TimeLimits } from '../clock/time-limits.ts';
import type { Permits } from './permits.ts';

/** How long a request waits for the store's first reply about its site, where the site has no queue, ms. */
const FIRST_MS = 1_000;

export interface SiteQueueParts {
  readonly permits: Pick<Permits, 'waitForSite' | 'waitForBackend'>;
  readonly clock: TimeLimits;
  /** Maximum number of requests that wait, of all sites. */
  readonly max: number;
}

/** A request that waits, as either lane has it. */
export interface QueuedRequest {
  /** As `clientKey` returns it. */
  readonly clientKey: string;
  /** How long it has waited in all, ms. The queue adds to it. */
  queuedMs: number;
}

/** A seat in the queue. */
interface Waiter {
  readonly refuse: (error: RouterError) => void;
}

/**
 * Joins the queue of a site. @param end is to be called when the request is served; returns false when it does not wait any more
 * @param refuse too many wait
 * @returns leaves the queue; null when too many wait already
 */
type Join = (end: () => boolean, refuse: () => void) => (() => void) | null;

/** Requests of both lanes that wait while their site has as many in flight as it may. */
export class SiteQueue {
  readonly #parts: SiteQueueParts;
  readonly #seats: FairSeats<Waiter>;

  constructor(parts: SiteQueueParts) {
    this.#parts = parts;
    this.#seats = new FairSeats(parts.max);
  }

  /**
   * Waits for a permit of a site. @param key the route's. @param served gets the permit: the caller releases it
   * @param refused gets `site-busy` when too many wait, or the request has waited for too long; perhaps before this returns
   * @returns leaves the queue; idempotent. One of `served` and `refused` is called, once, unless the request leaves before
   */
  waitForSite(
    request: QueuedRequest,
    key: string,
    rule: ConcurrencyRule,
    served: (permit: Permit) => void,
    refused: (error: RouterError) => void,
  ): () => void {
    const join: Join = (end, refuse) => {
      const serve = (permit: Permit): void => {
        if (end()) served(permit);
        else permit.release();
      };
      return this.#parts.permits.waitForSite(key, rule, serve, refuse);
    };
    return this.#wait(request, key, rule, join, refused);
  }

  /**
   * Waits until a backend has room. @param tries uses one; returns whether it did. Must not throw
   * @param served called when it did
   * @returns as `waitForSite` does
   */
  waitForBackend(
    request: QueuedRequest,
    key: string,
    rule: ConcurrencyRule,
    tries: () => boolean,
    served: () => void,
    refused: (error: RouterError) => void,
  ): () => void {
    const join: Join = (end, refuse) => {
      const serve = (): boolean => {
        const isServed = tries();
        if (isServed && end()) served();
        return isServed;
      };
      return this.#parts.permits.waitForBackend(key, rule, serve, refuse);
    };
    return this.#wait(request, key, rule, join, refused);
  }

  #wait(
    request: QueuedRequest,
    key: string,
    rule: ConcurrencyRule,
    join: Join,
    refused: (error: RouterError) => void,
  ): () => void {
    const { clock } = this.#parts;
    const since = performance.now();
    let isOver = false;
    let leaveSite: (() => void) | null = null;
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      this.#seats.leave(waiter);
      leaveSite?.();
      clock.clear(timer);
      request.queuedMs += performance.now() - since;
      return true;
    };
    const refuse = (error: RouterError): void => {
      if (end()) refused(error);
    };
    const waiter: Waiter = { refuse };
    const timer = new Timer(() => refuse(tooLong(rule)));
    const leftMs = (rule.queueSeconds * 1000 || FIRST_MS) - request.queuedMs;
    if (leftMs <= 0) {
      refuse(tooLong(rule));
      return leaveNothing;
    }
    const loser = this.#seats.enter(waiter, siteOf(key), request.clientKey);
    loser?.refuse(tooMany(rule));
    if (loser === waiter) return leaveNothing;
    leaveSite = join(end, () => refuse(tooMany(rule)));
    if (leaveSite === null) refuse(tooMany(rule));
    else clock.set(timer, leftMs);
    return () => void end();
  }
}

function leaveNothing(): void {}

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

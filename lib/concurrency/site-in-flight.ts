import type { ConcurrencyRule } from '../core/routing/site.ts';
import { InFlightLimit } from './in-flight-limit.ts';

/** A request that waits. */
export interface Waiter {
  /** Tries to take what it waits for. @returns whether it did, and waits no more */
  readonly serve: () => boolean;
  /** Too many wait: it waits no more. */
  readonly refuse: () => void;
}

/** How many of those that wait for a backend are tried when one has room: each may wait for another backend. */
const MAX_TRIED = 32;

/** The requests in flight of one site in this worker, and those that wait. */
export class SiteInFlight {
  readonly key: string;
  rule: ConcurrencyRule;
  readonly limit: InFlightLimit;
  /** By URL. */
  readonly backends = new Map<string, InFlightLimit>();
  /** Those that wait for the site, and for one of its backends: first come, first served. */
  readonly #forSite = new Set<Waiter>();
  readonly #forBackend = new Set<Waiter>();
  #isServing = false;

  constructor(key: string, rule: ConcurrencyRule) {
    this.key = key;
    this.rule = rule;
    this.limit = new InFlightLimit(key);
  }

  get waiting(): number {
    return this.#forSite.size + this.#forBackend.size;
  }

  get hasWaitingForSite(): boolean {
    return this.#forSite.size > 0;
  }

  /** How many may wait in this worker: any number until the store has replied, and where there are more permits. */
  get room(): number {
    const { maxConn, maxConnPerBackend, queueLength } = this.rule;
    let share = 0;
    if (maxConn !== null) {
      if (!this.limit.isScarce) return Infinity;
      share = this.limit.share;
    }
    if (maxConnPerBackend !== null) {
      for (const backend of this.backends.values()) {
        if (!backend.isScarce) return Infinity;
        share = Math.max(share, backend.share);
      }
    }
    return Math.ceil(queueLength * share);
  }

  backend(href: string): InFlightLimit {
    let limit = this.backends.get(href);
    if (limit === undefined) {
      limit = new InFlightLimit(`${this.key} ${href}`);
      this.backends.set(href, limit);
    }
    return limit;
  }

  wait(waiter: Waiter, isForSite: boolean, now: number): void {
    if (isForSite) this.#forSite.add(waiter);
    else this.#forBackend.add(waiter);
    this.#count(now);
  }

  /** Idempotent. */
  leave(waiter: Waiter, now: number): void {
    if (this.#forSite.delete(waiter) || this.#forBackend.delete(waiter)) this.#count(now);
  }

  /** Lets those that wait try again. */
  serve(): void {
    // What is served may release something at once.
    if (this.#isServing) return;
    this.#isServing = true;
    for (const waiter of this.#forBackend.size === 0 ? [] : [...this.#forBackend].slice(0, MAX_TRIED)) waiter.serve();
    for (const waiter of this.#forSite) if (!waiter.serve()) break;
    this.#isServing = false;
  }

  /** It has turned out that permits are scarce: refuses those that came last, where too many wait. */
  trim(now: number): void {
    const excess = this.waiting - this.room;
    if (excess <= 0) return;
    for (const waiter of [...this.#forBackend, ...this.#forSite].slice(-excess)) {
      this.leave(waiter, now);
      waiter.refuse();
    }
  }

  /** Notes what those that wait want: one of the site's permits each, or one of any backend. */
  #count(now: number): void {
    this.limit.waiting = this.#forSite.size;
    this.limit.note(now);
    for (const backend of this.backends.values()) {
      backend.waiting = this.#forBackend.size / this.backends.size;
      if (this.#forBackend.size > 0) backend.note(now);
    }
  }
}

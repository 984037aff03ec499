import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConcurrencyRule, Permit } from '../core/routing/site.ts';
import { limitKey, type ShareSource } from '../store/shares.ts';
import type { InFlightLimit } from './in-flight-limit.ts';
import { SiteInFlight, type Waiter } from './site-in-flight.ts';
import { type PermitOwner, SitePermit } from './site-permit.ts';

/** From one turn to the next, ms. In each, permits of all limits in use are asked for. */
const TURN_MS = 250;
/** Requests that find no permit while there are more have some asked for at once, but no more often than this, ms. */
const EARLY_MS = 50;
/** A store that has not replied for so long is taken for one that does not, ms: requests wait for it. */
const PATIENCE_MS = 500;
/** The limits of one question to the store. */
const MAX_ASKED = 200;

/** The dependencies of Permits. */
export interface PermitsParts {
  readonly shares: Pick<ShareSource, 'lease'>;
  /** ms; only differences count. */
  readonly now: () => number;
}

/**
 * The limits of requests in flight in this worker. A limit holds for all workers of all routers together: each leases permits,
 * which follow what it wants, and renews them in the background. Only the first request of a site after a while waits for that.
 * While the store does not reply, the last permits hold.
 */
export class Permits implements PermitOwner {
  readonly #parts: PermitsParts;
  /** The sites in use. */
  readonly #sites = new Map<string, SiteInFlight>();
  /** Limits whose permits are wanted before the next turn. */
  readonly #early = new Map<InFlightLimit, SiteInFlight>();
  #isTurning = false;
  #timer: NodeJS.Timeout | undefined;
  #isAskingEarly = false;
  /** The store has replied to the last question. */
  #isSharing = true;
  /** The least part of a limit that the store has given to this worker lately. */
  #part = 1;

  constructor(parts: PermitsParts) {
    this.#parts = parts;
  }

  /** Requests that wait. */
  get waiting(): number {
    let waiting = 0;
    for (const site of this.#sites.values()) waiting += site.waiting;
    return waiting;
  }

  /** The permits of sites that this worker has leased, how many of them requests hold, and how many requests wait. */
  get leased(): { readonly permits: number; readonly permitsInUse: number; readonly queued: number } {
    let permits = 0;
    let permitsInUse = 0;
    for (const { limit } of this.#sites.values()) {
      permits += limit.permits ?? 0;
      permitsInUse += limit.inFlight;
    }
    return { permits, permitsInUse, queued: this.waiting };
  }

  /**
   * Takes a permit of a site for one request. @param key the route's
   * @returns null when none is free, or others have waited for longer
   */
  enter(key: string, rule: ConcurrencyRule): Permit | null {
    const site = this.#siteOf(key, rule);
    return site.hasWaitingForSite ? null : this.#enter(site);
  }

  /**
   * Waits for a permit of a site, which `serve` gets. @param refuse called instead when it turns out that too many wait
   * @returns leaves the queue; idempotent. Null when too many wait
   */
  waitForSite(
    key: string,
    rule: ConcurrencyRule,
    serve: (permit: Permit) => void,
    refuse: () => void,
  ): (() => void) | null {
    const site = this.#siteOf(key, rule);
    const tries = (): boolean => {
      const permit = this.#enter(site);
      if (permit !== null) serve(permit);
      return permit !== null;
    };
    return this.#wait(site, true, tries, refuse);
  }

  /**
   * Waits until a backend of the site may have room. @param serve tries to use one; returns whether it did
   * @returns as `waitForSite` does
   */
  waitForBackend(key: string, rule: ConcurrencyRule, serve: () => boolean, refuse: () => void): (() => void) | null {
    return this.#wait(this.#siteOf(key, rule), false, serve, refuse);
  }

  #wait(site: SiteInFlight, isForSite: boolean, serve: () => boolean, refuse: () => void): (() => void) | null {
    if (site.waiting >= (this.#isSharing ? site.room : site.rule.queueLength)) return null;
    const waiter: Waiter = {
      serve: () => {
        const isServed = serve();
        if (isServed) site.leave(waiter, this.#parts.now());
        return isServed;
      },
      refuse,
    };
    site.wait(waiter, isForSite, this.#parts.now());
    return () => site.leave(waiter, this.#parts.now());
  }

  #siteOf(key: string, rule: ConcurrencyRule): SiteInFlight {
    let site = this.#sites.get(key);
    if (site === undefined) {
      site = new SiteInFlight(key, rule);
      this.#sites.set(key, site);
      if (!this.#isTurning) this.#later();
    }
    site.rule = rule;
    return site;
  }

  #enter(site: SiteInFlight): Permit | null {
    const { maxConn } = site.rule;
    if (maxConn !== null && !this.take(site, site.limit, maxConn)) return null;
    return new SitePermit(this, site, maxConn !== null);
  }

  /** Takes a permit of one limit. @returns false when none is free */
  take(site: SiteInFlight, limit: InFlightLimit, max: number): boolean {
    if (limit.max !== max) this.#resize(limit, max);
    const now = this.#parts.now();
    if (limit.inFlight < this.#allowed(limit)) {
      limit.inFlight++;
      limit.note(now);
      return true;
    }
    limit.note(now, 1);
    // One without any waits for its turn with the last of few.
    if (limit.permits === null || limit.permits === 0 || !limit.isScarce) this.#askSoon(site, limit);
    return false;
  }

  /** Whether no permit is free. */
  isFull(limit: InFlightLimit, max: number): boolean {
    return limit.inFlight >= Math.min(max, this.#allowed(limit)) && (limit.permits !== null || !this.#isSharing);
  }

  release(site: SiteInFlight, limit: InFlightLimit): void {
    // Others wait for what was more than it may have.
    if (limit.permits !== null && limit.inFlight > limit.permits) this.#askSoon(site, limit);
    limit.inFlight--;
    limit.note(this.#parts.now());
    if (site.waiting > 0) site.serve();
  }

  #allowed({ permits, max }: InFlightLimit): number {
    if (this.#isSharing) return Math.min(permits ?? 0, max);
    return Math.max(1, Math.min(permits ?? Math.floor(max * this.#part), max));
  }

  #resize(limit: InFlightLimit, max: number): void {
    // What the store has given was of another number.
    if (limit.permits !== null && limit.max > 0) limit.permits = Math.floor((limit.permits * max) / limit.max);
    limit.max = max;
    limit.isScarce = false;
  }

  async #turn(): Promise<void> {
    const now = this.#parts.now();
    const due: [InFlightLimit, SiteInFlight][] = [];
    for (const site of this.#sites.values()) {
      if (this.#dueOf(site, now, due)) this.#sites.delete(site.key);
    }
    for (let i = 0; i < due.length; i += MAX_ASKED) await this.#ask(due.slice(i, i + MAX_ASKED));
    this.#isTurning = false;
    if (this.#sites.size > 0) this.#later();
  }

  /** Adds the limits of a site that are in use. @returns whether none is */
  #dueOf(site: SiteInFlight, now: number, due: [InFlightLimit, SiteInFlight][]): boolean {
    for (const [href, limit] of site.backends) {
      limit.turn();
      if (limit.isCold(now)) site.backends.delete(href);
      else if (site.rule.maxConnPerBackend !== null || limit.inFlight > 0) due.push([limit, site]);
    }
    const { limit } = site;
    limit.turn();
    if (limit.isCold(now)) {
      limit.chill();
      return site.backends.size === 0 && site.waiting === 0;
    }
    if (site.rule.maxConn !== null || limit.inFlight > 0) due.push([limit, site]);
    return false;
  }

  /** Ends what it does in the background. No request may come any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#sites.clear();
    this.#early.clear();
  }

  #later(): void {
    this.#isTurning = true;
    this.#timer = setTimeout(() => void this.#turn(), TURN_MS).unref();
  }

  #askSoon(site: SiteInFlight, limit: InFlightLimit): void {
    this.#early.set(limit, site);
    if (!this.#isAskingEarly) void this.#askEarly();
  }

  async #askEarly(): Promise<void> {
    this.#isAskingEarly = true;
    // Those that come in the same turn of the event loop are counted, too.
    await nextTurn();
    while (this.#early.size > 0) {
      const due = [...this.#early].slice(0, MAX_ASKED);
      for (const [limit] of due) this.#early.delete(limit);
      await this.#ask(due);
      if (this.#early.size > 0) await shortly();
    }
    this.#isAskingEarly = false;
  }

  /** Never rejects. */
  async #ask(due: readonly (readonly [InFlightLimit, SiteInFlight])[]): Promise<void> {
    const needs = due.map(([limit]) => {
      return { key: limitKey(limit.name), limit: limit.max, wanted: limit.wanted, used: limit.inFlight };
    });
    const full = new Set<SiteInFlight>();
    const patience = setTimeout(() => this.#doWithout(due), PATIENCE_MS).unref();
    try {
      const leased = await this.#parts.shares.lease(needs);
      this.#isSharing = true;
      for (const [i, { permits, share, isScarce }] of leased.entries()) {
        const [limit, site] = due[i] ?? [];
        if (limit === undefined || limit.max !== needs[i]?.limit) continue;
        if (isScarce && !limit.isScarce && site !== undefined) full.add(site);
        limit.permits = permits;
        limit.share = share;
        limit.isScarce = isScarce;
        if (limit.inFlight > 0) this.#part = permits / limit.max;
      }
    } catch {
      this.#isSharing = false;
    }
    clearTimeout(patience);
    for (const [, site] of due) if (site.waiting > 0) site.serve();
    for (const site of full) site.trim(this.#parts.now());
  }

  #doWithout(due: readonly (readonly [InFlightLimit, SiteInFlight])[]): void {
    this.#isSharing = false;
    for (const [, site] of due) if (site.waiting > 0) site.serve();
  }
}

function shortly(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, EARLY_MS).unref();
  });
}

import { createHash } from 'node:crypto';
import { smoothed } from '../core/limits/demand.ts';
import { FairRoom } from '../core/limits/fair-room.ts';
import { filled, waitMs } from '../core/limits/leaky-bucket.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { RateRule } from '../core/routing/site.ts';
import type { ShareSource } from '../store/shares.ts';

/** How many buckets a worker keeps. Beyond it the oldest one of the site with the most is dropped. */
const MAX_BUCKETS = 20_000;
/** From one exchange of shares to the next, ms. */
const TURN_MS = 250;
/** Of how many buckets shares are exchanged in one turn: those nearest to their limit. */
const MAX_EXCHANGED = 500;
/** A bucket that was asked for nothing for so long needs no share, ms. */
const IDLE_MS = 1_000;
/** Workers that take less than this of a limit in all are not counted: they exchange nothing. */
const NEGLIGIBLE = 0.1;
/** The least share: a worker that is asked for little may let one request through now and then. */
const LEAST_SHARE = 0.01;

/** What is known of one limit: of one client, for example. */
interface Bucket {
  readonly name: string;
  rule: RateRule;
  /** As leaky-bucket.ts has it. */
  emptyAt: number;
  /** Requests since the last turn, those that were refused included. */
  asked: number;
  /** When it was asked last, ms. */
  askedAt: number;
  /** Requests a turn, smoothed; null before the first. */
  demand: number | null;
  /** This worker's part of the limit. */
  share: number;
}

/** The dependencies of RateLimits. */
export interface RateLimitsParts {
  readonly shares: Pick<ShareSource, 'exchange'>;
  /** ms; only differences count. */
  readonly now: () => number;
}

/**
 * The rate limits of sites in this worker. A limit holds for all workers of all routers together: each has a share of it, which
 * follows what it is asked for. No request waits for that: shares are exchanged in the background, and the last ones hold while
 * the store does not reply.
 */
export class RateLimits {
  readonly #parts: RateLimitsParts;
  readonly #buckets = new Map<string, Bucket>();
  readonly #room = new FairRoom(MAX_BUCKETS);
  /** Those that were asked for something lately. */
  readonly #active = new Set<Bucket>();
  /** A turn will come. */
  #isTurning = false;
  /** The most workers that have a part in one limit. */
  #sharers = 1;
  /** The store has replied to the last exchange. */
  #isSharing = true;

  constructor(parts: RateLimitsParts) {
    this.#parts = parts;
  }

  /**
   * Takes one request of a site. @param key the route's @param of what has the limit, such as a client
   * @returns 0 when the request may pass; else after how many ms one would
   */
  take(rule: RateRule, key: string, of: string): number {
    const now = this.#parts.now();
    const bucket = this.#bucketOf(rule, key, of);
    bucket.rule = rule;
    if (now - bucket.askedAt > IDLE_MS && this.#isSharing) bucket.share = 1;
    bucket.askedAt = now;
    bucket.asked++;
    this.#active.add(bucket);
    if (!this.#isTurning) this.#later();
    const perSecond = (rule.requests / rule.seconds) * bucket.share;
    const wait = waitMs(bucket.emptyAt, now, perSecond, Math.max(1, rule.burst * bucket.share));
    if (wait === 0) bucket.emptyAt = filled(bucket.emptyAt, now, perSecond);
    return wait;
  }

  #bucketOf(rule: RateRule, key: string, of: string): Bucket {
    const name = `${key} ${of}`;
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    const bucket: Bucket = { name, rule, emptyAt: 0, asked: 0, askedAt: -Infinity, demand: null, share: 1 };
    this.#buckets.set(name, bucket);
    const gone = this.#room.enter(name, siteOf(key));
    if (gone !== null) this.#drop(gone);
    return bucket;
  }

  #drop(name: string): void {
    const bucket = this.#buckets.get(name);
    if (bucket !== undefined) this.#active.delete(bucket);
    this.#buckets.delete(name);
  }

  async #turn(): Promise<void> {
    const exchanged = this.#due();
    if (exchanged.length > 0) await this.#exchange(exchanged);
    this.#isTurning = false;
    if (this.#active.size > 0) this.#later();
  }

  #later(): void {
    this.#isTurning = true;
    setTimeout(() => void this.#turn(), TURN_MS).unref();
  }

  /** The buckets whose shares are to be exchanged. */
  #due(): readonly Bucket[] {
    const now = this.#parts.now();
    const due: Bucket[] = [];
    for (const bucket of this.#active) {
      bucket.demand = smoothed(bucket.demand, bucket.asked);
      bucket.asked = 0;
      if (now - bucket.askedAt > IDLE_MS) {
        this.#active.delete(bucket);
        bucket.demand = null;
      } else if (bucket.share < 1 || useOf(bucket) > NEGLIGIBLE / this.#sharers) {
        due.push(bucket);
      }
    }
    if (due.length <= MAX_EXCHANGED) return due;
    return due.toSorted((a, b) => useOf(b) - useOf(a)).slice(0, MAX_EXCHANGED);
  }

  /** Never rejects. */
  async #exchange(buckets: readonly Bucket[]): Promise<void> {
    try {
      const demands = buckets.map(({ name, demand }) => ({ key: digestOf(name), asked: demand ?? 0 }));
      const shares = await this.#parts.shares.exchange(demands);
      this.#isSharing = true;
      let most = 1;
      for (const [i, { share, sharers }] of shares.entries()) {
        const bucket = buckets[i];
        if (bucket !== undefined) bucket.share = Math.max(LEAST_SHARE, share);
        most = Math.max(most, sharers);
      }
      this.#sharers = most;
    } catch {
      this.#isSharing = false;
    }
  }
}

/** The part of its limit that a bucket is asked for; more than 1 beyond the limit. */
function useOf({ demand, rule }: Bucket): number {
  return ((demand ?? 0) * rule.seconds * 1000) / (rule.requests * TURN_MS);
}

/** Values of clients, which may be secrets, are no keys of a store. */
function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('base64url').slice(0, 22);
}

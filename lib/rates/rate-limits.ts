import { FairRoom } from '../core/limits/fair-room.ts';
import { filled, waitMs } from '../core/limits/leaky-bucket.ts';
import { siteOf } from '../core/routing/prefixes.ts';
import type { RateRule } from '../core/routing/site.ts';
import { type SharedLimit, TURN_MS, type ShareTurns } from './share-turns.ts';

/** How many buckets a worker keeps. Beyond it the oldest one of the site with the most is dropped. */
const MAX_BUCKETS = 20_000;

/** What is known of one limit: of one client, for example. */
class Bucket implements SharedLimit {
  readonly name: string;
  rule: RateRule;
  share = 1;
  askedAt = -Infinity;
  demand: number | null = null;
  /** As leaky-bucket.ts has it. */
  emptyAt = 0;
  /** Requests since the last turn, those that were refused included. */
  asked = 0;

  constructor(name: string, rule: RateRule) {
    this.name = name;
    this.rule = rule;
  }

  get perTurn(): number {
    return (this.rule.requests * TURN_MS) / (this.rule.seconds * 1000);
  }

  takeAsked(): number {
    const { asked } = this;
    this.asked = 0;
    return asked;
  }
}

/** The dependencies of RateLimits. */
export interface RateLimitsParts {
  readonly turns: ShareTurns;
  /** ms; only differences count. */
  readonly now: () => number;
}

/**
 * The rate limits of sites in this worker. A limit holds for all workers of all routers together: each has a share of it, which
 * follows what it is asked for (ShareTurns).
 */
export class RateLimits {
  readonly #parts: RateLimitsParts;
  readonly #buckets = new Map<string, Bucket>();
  readonly #room = new FairRoom(MAX_BUCKETS);

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
    bucket.asked++;
    this.#parts.turns.asked(bucket, now);
    const perSecond = (rule.requests / rule.seconds) * bucket.share;
    const wait = waitMs(bucket.emptyAt, now, perSecond, Math.max(1, rule.burst * bucket.share));
    if (wait === 0) bucket.emptyAt = filled(bucket.emptyAt, now, perSecond);
    return wait;
  }

  #bucketOf(rule: RateRule, key: string, of: string): Bucket {
    const name = `${key} ${of}`;
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    const bucket = new Bucket(name, rule);
    this.#buckets.set(name, bucket);
    const gone = this.#room.enter(name, siteOf(key));
    if (gone !== null) this.#drop(gone);
    return bucket;
  }

  #drop(name: string): void {
    const bucket = this.#buckets.get(name);
    if (bucket !== undefined) this.#parts.turns.drop(bucket);
    this.#buckets.delete(name);
  }
}

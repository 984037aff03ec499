import { Allowance } from '../../core/limits/allowance.ts';
import { CODE, ConnectionError } from './frames.ts';

/**
 * What a client may do at once, and per second after that. All of it costs the router work and the client little, and
 * none of it is needed often: a browser that leaves a page resets up to a hundred streams.
 */
const LIMITS = {
  /** Streams reset before their response (CVE-2023-44487). */
  reset: [200, 33],
  /** Streams that are malformed, or beyond the limit of streams. */
  fault: [200, 33],
  /** CVE-2019-9512. */
  ping: [200, 20],
  /** CVE-2019-9515. */
  settings: [50, 5],
  /** PRIORITY and PRIORITY_UPDATE: clients send a few for each request (CVE-2019-9513). */
  priority: [1_000, 500],
  /** DATA, HEADERS and CONTINUATION without content, and types that are not known (CVE-2019-9518). */
  empty: [200, 50],
  /** Frames on streams that have ended: what was on its way when the router reset one. */
  closed: [10_000, 1_000],
  /** Beyond four for each DATA frame that was sent. */
  'window-update': [1_000, 200],
} as const;

export type FloodKind = keyof typeof LIMITS;

/** A client did too much of something: ENHANCE_YOUR_CALM. */
export class FloodError extends ConnectionError {
  readonly kind: FloodKind | 'continuation' | 'unread';

  constructor(kind: FloodError['kind']) {
    super(CODE.calm, `too many: ${kind}`);
    this.kind = kind;
  }
}

/** Limits what costs a client nothing, for one connection. */
export class Floods {
  readonly #now: () => number;
  readonly #allowances = new Map<FloodKind, Allowance>();

  /** @param now ms; only differences matter */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts one. Throws a FloodError when it was one too many. */
  count(kind: FloodKind): void {
    let allowance = this.#allowances.get(kind);
    if (allowance === undefined) {
      const [burst, perSecond] = LIMITS[kind];
      allowance = new Allowance(burst, perSecond, this.#now);
      this.#allowances.set(kind, allowance);
    }
    if (!allowance.take()) throw new FloodError(kind);
  }
}

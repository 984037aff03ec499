/** The tenants of `neighbours`: B, whose requests are measured, and the sites of A, from which the attacks come. */
import { hostOf } from '../wrk.ts';

/** B's host; its backend is the one of all other cases. */
export const NEIGHBOUR_HOST = hostOf(0);

/** What each site of tenant A may take, in every system. */
export const LIMITS = {
  /** Requests a second, of the whole site. */
  perSecond: 200,
  /** How many of them may come at once. */
  burst: 50,
  /** Requests and WebSockets at a time. */
  concurrent: 100,
  /** How long a request may wait to be one of them, ms. */
  queueMs: 1_000,
  /** How long a backend may take to accept a connection, ms. */
  connectMs: 1_000,
  /** How long it may take to begin its response, or to continue it, ms. */
  silenceMs: 30_000,
} as const;

/** How the backends of a site behave: see `children/tenant.ts`. `refuse` is two ports on which nothing listens. */
export const BEHAVIOURS = ['quick', 'hang', 'drip', 'sink', 'big', 'echo'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number] | 'refuse';

export interface Site {
  /** The first label of its host; attacks name it. */
  readonly name: string;
  readonly backend: Behaviour;
  /** Whether the systems limit its rate; where not, the attack is about something else. */
  readonly hasRate: boolean;
  /** Its fields in `options:<host>` of the router. */
  readonly options: Readonly<Record<string, string>>;
}

const CONCURRENT = { maxConn: String(LIMITS.concurrent), queue: `${LIMITS.concurrent} ${LIMITS.queueMs / 1000}` };
const RATE = { rate: `${LIMITS.perSecond} ${LIMITS.burst}`, rateBy: 'host', ...CONCURRENT };

/**
 * The sites of tenant A, one for each attack that has a site. Options of the router that limit a site belong here: the
 * peers get the same limits from `LIMITS`.
 */
export const SITES: readonly Site[] = [
  { name: 'flood', backend: 'quick', hasRate: true, options: { ...RATE } },
  { name: 'paths', backend: 'quick', hasRate: true, options: { ...RATE } },
  { name: 'hang', backend: 'hang', hasRate: true, options: { ...RATE } },
  { name: 'refuse', backend: 'refuse', hasRate: true, options: { ...RATE } },
  { name: 'drip', backend: 'drip', hasRate: true, options: { ...RATE } },
  { name: 'uploads', backend: 'sink', hasRate: true, options: { ...RATE } },
  { name: 'downloads', backend: 'big', hasRate: true, options: { ...RATE } },
  { name: 'websockets', backend: 'echo', hasRate: false, options: { ...CONCURRENT } },
];

/** The host of a site of A. */
export const siteHost = (name: string): string => `a-${name}.bench.test`;

/** The URLs of A's backends, by behaviour. */
export type TenantBackends = Readonly<Record<Behaviour, readonly string[]>>;

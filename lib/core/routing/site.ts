/** The features of a site, as the lanes use them. lib/sites makes it from the site's fields. */
import type { RouterError } from '../errors.ts';
import type { SiteLimits } from '../site-limits.ts';
import type { Backend } from './backend-url.ts';
import type { SiteBalance, Trait } from './choice.ts';
import type { Redirect, RedirectStatus, Visit } from './redirect.ts';
import { pathOf } from './prefixes.ts';

/** A hash of fields as they are written; a Map, because `__proto__` is a name like any other. */
export type SiteFields = ReadonlyMap<string, string>;

/** The kinds of hashes that make a site: `options:<key>`, `headers:<key>` and `weights:<key>`. */
export type SiteHash = 'options' | 'headers' | 'weights';

/** What happens to a request before a backend is chosen. */
export type Admission =
  | { readonly type: 'redirected'; readonly redirect: Redirect }
  | { readonly type: 'refused'; readonly error: RouterError }
  /** The request waits until the site admits it, or until the time limit; `text` is for operators. */
  | { readonly type: 'held'; readonly maxSeconds: number; readonly text: string };

/** The properties of an exchange that affect the response head. */
export interface ResponseScene {
  /** Scheme and Host of the client's request, Host as sent. */
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** The route's prefix, or "". */
  readonly prefix: string;
  /** The backend that responded; null for the router's own response. */
  readonly backend: Backend | null;
  /** The path that was put before the request's because of the backend's URL (`server.backendPath`), or "". */
  readonly backendPath: string;
}

/**
 * When responses from 501 on mark a backend dead: the first one, as in Hipache; when several of the latest ones to more
 * than one client are of that kind; or never.
 */
export type DeadOn5xx = 'first' | 'agreed' | 'never';

/** When a backend is rested because it fails far more often than the others: see core/health/outlier.ts. */
export interface EjectRule {
  /** What is a failure, besides failed attempts: responses of 500 to 599, or those of 502, 503 and 504. */
  readonly kind: '5xx' | 'gateway';
  /** Of its requests, from 0 to 1. */
  readonly share: number;
  readonly windowMs: number;
  /** With fewer requests in a window nothing is concluded. */
  readonly least: number;
}

/** How many requests a site takes: see core/limits/leaky-bucket.ts. */
export interface RateRule {
  /** So many requests in so many seconds. */
  readonly requests: number;
  readonly seconds: number;
  /** How many may come at once. */
  readonly burst: number;
  /** Each client, each host that clients ask for, or each value of a field or a cookie has the rate for itself. */
  readonly by: 'client' | 'host' | Trait;
}

/** How many requests of a site may be in flight, in all routers together, and how others wait. */
export interface ConcurrencyRule {
  /** Null: no limit. */
  readonly maxConn: number | null;
  /** The same at each backend of a list. */
  readonly maxConnPerBackend: number | null;
  /** How many wait, in all workers together where they share the limit, and for how long. */
  readonly queueLength: number;
  readonly queueSeconds: number;
}

/** The permits of one request under its site's ConcurrencyRule, from before a backend is chosen until its exchange ends. */
export interface Permit {
  /**
   * Takes a permit of this backend, after releasing that of the backend before. Always succeeds where the site has no limit of its
   * backends. @returns false when all are taken
   */
  useBackend(backend: Backend): boolean;
  /** Of some backends, the ids of those whose permits are all taken. */
  fullAmong(backends: readonly Backend[]): ReadonlySet<number>;
  /** Releases all. Idempotent. */
  release(): void;
}

/** Which bodies of a site are buffered: see proxy/request-buffer.ts and paced-response.ts. */
export interface BufferRule {
  readonly request: boolean;
  readonly response: boolean;
  /** Of one body; what is beyond that is streamed. */
  readonly bytes: number;
}

/** The field of a response by which a backend says how many bytes a second its body gets, in lower case. */
export const TRAFFIC_FIELD = 'x-traffic';
/** The least that may be said, bytes per second: slower responses would take days. */
export const LEAST_BANDWIDTH = 1_024;

/** How many bytes a second clients get: see core/limits/byte-bucket.ts. 0 is any number. */
export interface BandwidthRule {
  /** Each response, and each tunnel. */
  readonly perResponse: number;
  /** A response's field `X-Traffic` counts instead. */
  readonly byField: boolean;
  /** All responses together, of all routers. */
  readonly perSite: number;
}

/** The client's scheme as the fast lane sees it. `unknown`: a field of the request may say another. */
export type SeenScheme = 'http' | 'https' | 'unknown';

export interface Site {
  /** The fields that count, as written. The site made from them alone is the same. */
  readonly fields: SiteFields;
  /** The status of `redirect:` entries that have none. */
  readonly redirectStatus: RedirectStatus;
  /** The host that clients of other names are redirected to; null for none. */
  readonly canonicalHost: string | null;
  /** How a backend is chosen; null where `Balancing.select` does. */
  readonly balance: SiteBalance | null;
  /**
   * Whether the fast lane may serve a request: no feature affects it except by `targetFor`. A feature that does not
   * say so is never bypassed.
   * @param host Host as sent
   */
  readonly mayServeFast: (host: string, scheme: SeenScheme, target: string, hasBody: boolean) => boolean;
  /** What happens to a request instead of being sent to a backend; null when nothing does. @param securePort the router's TLS port, or null */
  readonly admit: (visit: Visit, securePort: number | null) => Admission | null;
  /** The request target for the backend. @param prefix the route's, or "" */
  readonly targetFor: (target: string, prefix: string) => string;
  /** The path below the folder of a `file:` entry, undecoded, without a query. @param prefix the route's, or "" */
  readonly pathInFolder: (target: string, prefix: string) => string;
  /** The fields of a response, names and values in turn, as clients of this site get them. */
  readonly adaptResponse: (fields: readonly string[], scene: ResponseScene) => readonly string[];
  /** The same of a 101, which opens a tunnel. */
  readonly adaptSwitching: (fields: readonly string[]) => readonly string[];
  /** The fields of a request, names and values in turn, as backends get them. */
  readonly adaptRequest: (fields: readonly string[]) => readonly string[];
  readonly deadOn5xx: DeadOn5xx;
  /** Null: no backend is rested. */
  readonly eject: EjectRule | null;
  /** Null: any number of requests. */
  readonly rate: RateRule | null;
  /** Null: any number of requests in flight. */
  readonly concurrency: ConcurrencyRule | null;
  /** Null: the configuration's. */
  readonly limits: SiteLimits | null;
  /** Null: bodies are streamed. */
  readonly buffer: BufferRule | null;
  /** Null: as many bytes as come. The fast lane serves no such site. */
  readonly bandwidth: BandwidthRule | null;
}

/** A site without fields. A single object: for most requests, `site === NO_SITE` is the only check. */
export const NO_SITE: Site = Object.freeze({
  fields: new Map(),
  redirectStatus: 308,
  canonicalHost: null,
  balance: null,
  mayServeFast: () => true,
  admit: () => null,
  targetFor: (target: string) => target,
  pathInFolder: (target: string, prefix: string) => pathOf(target).slice(prefix.length),
  adaptResponse: (fields: readonly string[]) => fields,
  adaptSwitching: (fields: readonly string[]) => fields,
  adaptRequest: (fields: readonly string[]) => fields,
  deadOn5xx: 'first',
  eject: null,
  rate: null,
  concurrency: null,
  limits: null,
  buffer: null,
  bandwidth: null,
});

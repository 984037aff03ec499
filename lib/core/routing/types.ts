/** The nouns of routing. Types only: this file compiles to nothing. */
import type { RouterError } from '../errors.ts';
import type { Backend } from './backend-url.ts';
import type { Permit, Site } from './site.ts';
import type { Trace } from '../trace-context.ts';

export type { Backend } from './backend-url.ts';
export type { BackendLoad, LoadOf, RequestTraits, Selection } from './choice.ts';

/** The route of one host, or of one of its prefixes: a snapshot, frozen when the store read it. */
export interface Route {
  /** The requested host, and the prefix. Dead marks are stored under it, even if a wildcard matched. */
  readonly frontend: string;
  /** What it matched: `www.example.com`, `*.example.com` or `*`, and the prefix. */
  readonly key: string;
  /** `/api`; "" for the whole host. */
  readonly prefix: string;
  /** The operator's name for the site: the first element of the list. */
  readonly name: string;
  /** The backends whose URL can be used, in list order. Ids may have gaps where a URL could not. */
  readonly backends: readonly Backend[];
  /** How many backends the list names, usable or not: the fourth field of an announcement on `dead`. */
  readonly size: number;
  /** Ids presumed dead when the snapshot was taken. */
  readonly dead: ReadonlySet<number>;
  /**
   * Those of `dead` that a router marked, for the current URL. The others were marked by a health checker or an
   * operator.
   */
  readonly deadByRouters: ReadonlySet<number>;
  /**
   * Those of `deadByRouters` whose time is over, and since when, on the clock of `Balancing.now`: a trial request decides
   * whether they live. They get others only if no backend lives.
   */
  readonly onTrial: ReadonlyMap<number, number>;
  /** The features of the site. */
  readonly site: Site;
}

/** How one attempt on one backend ended. Retry, health, log and metrics look at nothing else. */
export type Outcome =
  /** A response head has come, with any status. `retryAfter`: it has a Retry-After field. */
  | { readonly type: 'answered'; readonly status: number; readonly retryAfter: boolean }
  /** 101: the two sockets are joined. */
  | { readonly type: 'upgraded' }
  /** No connection: not one byte was sent. Another backend may be tried. */
  | { readonly type: 'unreachable'; readonly cause: Error }
  /**
   * All connections were busy for too long, this machine could make no more, or an HTTP/2 backend refused the stream again
   * and again. The backend has not processed the request. Not a death.
   */
  | { readonly type: 'crowded'; readonly cause: Error }
  /**
   * The backend does not support the request: it has said so before, or by configuration. Not one byte was sent. Not
   * a death.
   */
  | { readonly type: 'unfit'; readonly cause: Error }
  /** The connection was lost before any response. The backend may have processed the request. */
  | { readonly type: 'broken'; readonly cause: Error }
  /**
   * The connection was lost before any response, perhaps without a fault of the backend: it may have closed an idle
   * connection, or, with HTTP/2, one on which clients had cancelled requests. Not a death. The backend may have
   * processed the request.
   */
  | { readonly type: 'dropped'; readonly cause: Error }
  /**
   * No response within the time limit. The backend may have processed the request. `hasRespondedToOthers`: it has
   * responded to other requests of this worker since this one was sent.
   */
  | { readonly type: 'silent'; readonly cause: Error; readonly hasRespondedToOthers: boolean }
  /** The response is not HTTP, or ambiguous. */
  | { readonly type: 'garbled'; readonly cause: Error }
  /** The client left first, or sent a malformed body. Shows nothing about the backend. */
  | { readonly type: 'abandoned' };

/** Counts opened and reused connections to backends, of both lanes. */
export interface ConnectionUse {
  opened: number;
  reused: number;
}

/** One backend tried, and how that ended. */
export interface Attempted {
  readonly backend: Backend;
  readonly outcome: Outcome;
  /** ms on the clock of exchanges. */
  readonly startedAt: number;
  readonly tookMs: number;
}

/** The result of a lookup: a route, null when there is none, or the store's error. */
export type LookedUp = { readonly route: Route | null } | { readonly fault: unknown };

/** The state of a request that the fast lane hands off to the full lane. No response has begun. */
export interface HandoffState {
  /** As the client sent them: the handed-off head may have stand-ins for Node's parser. */
  readonly method: string;
  readonly target: string;
  /** When the head had come, ms on the clock of exchanges. */
  readonly startedAt: number;
  /**
   * The result of the lookup, which is not repeated: a silent store would use its time limit twice. Null without a
   * lookup.
   */
  readonly lookedUp: LookedUp | null;
  /** When the first attempt began; null without one. */
  readonly triedAt: number | null;
  readonly attempts: readonly Attempted[];
  /** Why the client's side broke off: the response for the client. Null when it did not. */
  readonly interruption: RouterError | null;
  /** The body, or part of it, was sent to a backend and not kept: it cannot be read any more. */
  readonly isBodyLost: boolean;
  /** The trace of the exchange; null when none was begun. */
  readonly trace: Trace | null;
  /** The limits of its site have counted it, and let it through. */
  readonly isCounted: boolean;
  /** How long it has waited in its site's queue, ms. */
  readonly queuedMs: number;
  /** Its permits; null without any. The full lane releases them. */
  readonly permit: Permit | null;
}

/** A backend that failed, as stored and announced on the channel `dead`. */
export interface Death {
  readonly backend: Backend;
  /** The route when the request came. Marks are stored under its `frontend`. */
  readonly route: Route;
}

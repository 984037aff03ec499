/** The nouns of routing. Types only: this file compiles to nothing. */
import type { RouterError } from './errors.ts';
import type { RouteOptions } from './options.ts';
import type { RedirectStatus } from './redirect.ts';
import type { Trace } from './trace-context.ts';

/** One server that can answer for a frontend, or what the router answers itself. */
export interface Backend {
  /** Its place in the frontend's list, from 0. It is what `dead:<host>` holds, so it is public. */
  readonly id: number;
  /** The URL as the operator wrote it, white space trimmed. */
  readonly href: string;
  /**
   * `h2c:` is HTTP/2 in the clear, `h2:` the same over TLS. `file:` is a folder of this machine, and `redirect:` another
   * address that clients are sent to: both are answered by the router.
   */
  readonly protocol: 'http:' | 'https:' | 'h2c:' | 'h2:' | 'file:' | 'redirect:';
  /** A name or an address; IPv6 without brackets. Empty where nobody is connected to, and for a socket. */
  readonly hostname: string;
  /** 0 where there is no hostname. */
  readonly port: number;
  /** The path of a Unix socket, absolute; null where there is a host. */
  readonly socketPath: string | null;
  /** What requests' paths may be appended to: the URL's path without a slash at its end, or nothing. A folder's path. */
  readonly path: string;
  /** Where clients are sent; null for all but `redirect:`. */
  readonly redirect: RedirectTarget | null;
}

/** What an entry `redirect://target/` says. */
export interface RedirectTarget {
  /** Null: the one that the client speaks. */
  readonly scheme: 'http' | 'https' | null;
  /** Host and port as written. */
  readonly authority: string;
  /** As written; at least a slash. */
  readonly path: string;
  /** Null: the frontend's usual one. */
  readonly status: RedirectStatus | null;
}

/** Where one host's requests go, or those of one of its prefixes: a snapshot, frozen when the store read it. */
export interface Route {
  /** The host the client asked for, and the prefix. Dead marks are filed under it even when a wildcard matched. */
  readonly frontend: string;
  /** What it matched: `www.example.com`, `*.example.com` or `*`, and the prefix. */
  readonly key: string;
  /** `/api`; "" for a route that is all the host's. */
  readonly prefix: string;
  /** The operator's name for the site: the first element of the list. */
  readonly name: string;
  /** The backends whose URL can be used, in list order. Ids may have gaps where a URL could not. */
  readonly backends: readonly Backend[];
  /** How many backends the list names, usable or not: the fourth field of an announcement on `dead`. */
  readonly size: number;
  /** Ids presumed dead when the snapshot was taken. */
  readonly dead: ReadonlySet<number>;
  readonly options: RouteOptions;
}

/** How one attempt on one backend ended. Retry, health, log and metrics look at nothing else. */
export type Outcome =
  /** A response head came back, whatever its status. `retryAfter`: it asked to be left alone for a while. */
  | { readonly type: 'answered'; readonly status: number; readonly retryAfter: boolean }
  /** 101: the two sockets are joined. */
  | { readonly type: 'upgraded' }
  /** No connection: not one byte of the request left. Safe to try elsewhere. */
  | { readonly type: 'unreachable'; readonly cause: Error }
  /**
   * Every connection it may have was busy for too long, or this machine could make no more: not one byte left. It is
   * not filed as dead.
   */
  | { readonly type: 'crowded'; readonly cause: Error }
  /**
   * It cannot do what is asked: it has said so before, or the configuration does not let it. Not one byte left. It is not
   * filed as dead.
   */
  | { readonly type: 'unfit'; readonly cause: Error }
  /** Connected, then lost before any response. The backend may have acted on it. */
  | { readonly type: 'broken'; readonly cause: Error }
  /**
   * Connected, then lost before any response, with an error of HTTP/2, after other clients had left requests on the same
   * connection: the backend may have had enough of that, and is not filed as dead. It may have acted on this one.
   */
  | { readonly type: 'dropped'; readonly cause: Error }
  /** Connected, then silent for longer than the limit. The backend may have acted on it. */
  | { readonly type: 'silent'; readonly cause: Error }
  /** It answered with bytes that are not HTTP, or that cannot be passed on without ambiguity. */
  | { readonly type: 'garbled'; readonly cause: Error }
  /** The client left first, or sent a body that is not HTTP. Says nothing about the backend. */
  | { readonly type: 'abandoned' };

/** How requests came by connections to backends. Both lanes count in it. */
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

/** What the fast lane did for a request before the full lane was given it. Nothing was answered yet. */
export interface Prior {
  /** When its head had come, ms on the clock of exchanges. */
  readonly startedAt: number;
  /** When the first of the attempts began, if there was any. */
  readonly triedAt: number | null;
  readonly attempts: readonly Attempted[];
  /** Why the client's side broke off, where it did: that is its answer. */
  readonly interruption: RouterError | null;
  /** Its body, or part of it, went to a backend and was not kept: there is none to be read any more. */
  readonly isBodyLost: boolean;
  /** Its part in a trace; null when none was begun. */
  readonly trace: Trace | null;
}

/** What rules may know of a request. Plain data, so that rules are tested without sockets. */
export interface RequestTraits {
  readonly method: string;
  /** The path and query as sent, never decoded. */
  readonly path: string;
  readonly clientIp: string;
  /** Whether a body comes with it. Once a backend has been sent part of one, it cannot be sent again. */
  readonly hasBody: boolean;
}

/** Picks one of the living. `alive` is never empty; `random` returns [0, 1). Pure. */
export type Selection = (alive: readonly Backend[], traits: RequestTraits, random: () => number) => Backend;

/** A backend that failed, as filed in the store and announced on the channel `dead`. */
export interface Death {
  /** The host the client asked for. */
  readonly frontend: string;
  readonly backend: Backend;
  /** How many backends the frontend's list names. */
  readonly of: number;
}

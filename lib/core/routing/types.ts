/** The nouns of routing. Types only: this file compiles to nothing. */
import type { RouterError } from '../errors.ts';
import type { Backend } from './backend-url.ts';
import type { Site } from './site.ts';
import type { Trace } from '../trace-context.ts';

export type { Backend } from './backend-url.ts';

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
  /** Those of `dead` that a router marked, for the URL that is at that place. The others were marked by a checker or an operator. */
  readonly deadByRouters: ReadonlySet<number>;
  /** What the site wants besides its backends. */
  readonly site: Site;
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
   * Connected, then lost before any response, for what may be no fault of the backend: it may have closed a connection
   * that had been idle, or, by HTTP/2, one on which clients had left requests. It is not filed as dead. It may have acted
   * on this request.
   */
  | { readonly type: 'dropped'; readonly cause: Error }
  /**
   * Connected, then silent for longer than the limit. The backend may have acted on it. `hasAnsweredOthers`: it has
   * answered other requests of this worker since this one was sent.
   */
  | { readonly type: 'silent'; readonly cause: Error; readonly hasRespondedToOthers: boolean }
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

/** What a lookup of a request's route came to: a route, null where there is none, or why the store gave no answer. */
export type LookedUp = { readonly route: Route | null } | { readonly fault: unknown };

/** What the fast lane did for a request before the full lane was given it. Nothing was answered yet. */
export interface HandoffState {
  /** As the client sent them: in what the full lane is given, others may stand in their place. */
  readonly method: string;
  readonly target: string;
  /** When its head had come, ms on the clock of exchanges. */
  readonly startedAt: number;
  /** Its route, which is not looked up again: a store that is silent would take its time limit twice. Null without a lookup. */
  readonly lookedUp: LookedUp | null;
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

/** What a selection may see of one backend: what this worker has counted of it, over all frontends. Read it at once. */
export interface BackendLoad {
  /** Requests that hold a connection slot, and WebSockets. */
  readonly inFlight: number;
  /** Requests that wait for a connection slot. */
  readonly waiting: number;
  /** Connections, idle ones and those being made included. */
  readonly open: number;
  readonly idle: number;
  /** Average time from a request sent to the head of its response, ms; 0 before the first response. */
  readonly latencyMs: number;
  /** This worker found it dead, and has had no good response since. The dead marks of a route hide it before that. */
  readonly isDead: boolean;
}

/** Finds the load of a backend. Allocates nothing: it may be called for each candidate of each request. */
export type LoadOf = (backend: Backend) => BackendLoad;

/** Picks one of the living. `alive` is never empty; `random` returns [0, 1). Has no effects. */
export type Selection = (
  alive: readonly Backend[],
  loadOf: LoadOf,
  traits: RequestTraits,
  random: () => number,
) => Backend;

/** A backend that failed, as filed in the store and announced on the channel `dead`. */
export interface Death {
  readonly backend: Backend;
  /** As it was when the request came. Marks are filed under its `frontend`. */
  readonly route: Route;
}

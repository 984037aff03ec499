import type { Backend, Death, Route } from '../core/routing/types.ts';
import type { DeadMark } from './dead-marks.ts';

/** What a lookup is for. */
export interface Asker {
  /** The client, as `clientKey` returns it: lookups of hosts without a route are shared among clients. */
  readonly clientKey: string;
}

/** Lookups: what each request reads. */
export interface RouteLookups {
  /**
   * The route of the first candidate that has a backend, or a prefix of the path with a backend; failing that, of the
   * first that exists at all (an identifier alone, `size` 0); null when none exists. URLs and options that cannot be
   * used are omitted and reported.
   * @param candidates keys, most specific first; `candidates[0]` is the requested host, whose dead marks apply
   * @param path the request's path, as sent; core/routing/prefixes.ts defines what matches
   * @param asker left out by lookups that no request causes
   * @throws RouterError `store-unavailable` when the store did not reply within its time limit, and at once when it is
   *   known to be down; `unknown-hosts` when too many hosts had no route lately; `route-broken` when a key has another
   *   type than a list, or too long a list
   */
  find(candidates: readonly string[], path: string, asker?: Asker): Promise<Route | null>;
  /**
   * The result of `find` for this host and path, if it is known without asking the store; else undefined. Never throws.
   */
  peek(host: string, path: string): Route | null | undefined;
  /**
   * The error page (HTML) of the first of these keys that has one for the status; null when none has. Rejects as
   * `find`.
   */
  page(keys: readonly string[], status: number): Promise<string | null>;
}

/** Dead marks. */
export interface HealthMarks {
  /**
   * Marks a backend dead for `ttlSeconds` and notifies other routers. With a running active health checker it only
   * notifies. Never marks the last living backend of a site, whichever routers marked the others. Idempotent. Rejects
   * when the store cannot be written.
   */
  markDead(death: Death, ttlSeconds: number): Promise<Marking>;
  /** Dead marks that only this router has, of a host or all (null). */
  ownMarks(frontend: string | null): readonly DeadMark[];
  /** Whether an active health checker was running recently: then the checker marks backends, not the router. */
  readonly hasHealthChecker: boolean;
}

/** Trials of backends whose time as dead ones is over: see core/health/trial.ts. */
export interface TrialMarks {
  /**
   * Takes the right to a backend's next trial for so long, or extends it. @returns 0 when this worker has the right; else
   * after how many ms to ask again. Rejects when the store cannot be written.
   */
  take(frontend: string, backend: Backend, ms: number): Promise<number>;
  /** A backend on trial has responded: it lives again, for all routers. Idempotent. Rejects as `take`. */
  pass(frontend: string, backend: Backend): Promise<void>;
}

/** What a worker has of the store in memory, for operators. */
export interface RouteMemory {
  /** What is remembered for a host and path; null when nothing is. Does not extend how long it is kept. */
  recollect(host: string, path: string): Recollection | null;
  /**
   * Drops what is remembered of a host, or of all (null). A store with everything in memory keeps it. @returns how many
   * hosts were dropped
   */
  forget(host: string | null): number;
  /**
   * The number of hosts whose routes are remembered one by one, and the size of routes and certificates that came as
   * one image.
   */
  readonly remembered: { readonly hosts: number; readonly bytes: number };
  /** Whether a host can be served while the store does not reply. */
  readonly hasLastKnown: boolean;
}

/** An open store. */
export interface OpenStore {
  /** Resolves when lookups work, or when the first attempt to connect has failed. Never rejects. */
  ready(): Promise<void>;
  /** Frees sockets and timers. Later lookups reject with `store-unavailable`. */
  close(): Promise<void>;
}

/**
 * The source of routes. One implementation per scheme of the `driver` URL; test/store/contract.ts tests all of them.
 */
export interface RouteStore extends RouteLookups, HealthMarks, RouteMemory, OpenStore {
  readonly trials: TrialMarks;
}

/**
 * The outcome of `markDead`. `marked`: the backend is marked. `announced`: a health checker decides. `last`: it is the
 * last living backend, and is still used. `moved`: another URL is at its position of the list now.
 */
export type Marking = 'marked' | 'announced' | 'last' | 'moved';

/** What a store remembers of a host. Plain data. */
export interface Recollection {
  /** Null: there is no such host. */
  readonly route: Route | null;
  /** Whether it is used without asking the store; else it is used only while the store does not reply. */
  readonly isFresh: boolean;
  /** The time since it was read. */
  readonly ageMs: number;
}

/** What a store reports to the operator. The worker writes it to the log. */
export type StoreEvent =
  | { readonly type: 'store-up'; readonly store: string }
  | { readonly type: 'store-down'; readonly store: string; readonly cause: Error }
  /** Redis replies as another run without `frontend:` keys: last-known routes are used. */
  | { readonly type: 'store-emptied'; readonly store: string }
  /** Redis cannot send change notifications: each request does a lookup. Reported once until it can. */
  | { readonly type: 'push-refused'; readonly cause: Error }
  /** All routes were read in the background. Reported once. */
  | { readonly type: 'preloaded'; readonly frontends: number }
  | { readonly type: 'snapshot-loaded'; readonly file: string; readonly routes: number }
  /** The snapshot cannot be used: the router starts without it. */
  | { readonly type: 'snapshot-refused'; readonly file: string; readonly cause: Error }
  /** The snapshot cannot be written. Reported once until it can. */
  | { readonly type: 'snapshot-failed'; readonly file: string; readonly cause: Error }
  /** A key that an operator should fix. Reported once a minute per key and fault. */
  | { readonly type: 'route-fault'; readonly key: string; readonly fault: string }
  /**
   * A certificate key has no valid pair, or an expired one: the last valid pair is used, or the default. Reported once
   * until it is fixed.
   */
  | { readonly type: 'certificate-fault'; readonly key: string; readonly fault: string }
  | { readonly type: 'routes-loaded'; readonly file: string; readonly frontends: number }
  /** The routes file is broken: `fault` says where. The last good routes are kept. */
  | { readonly type: 'routes-refused'; readonly file: string; readonly fault: string };

/** Reports an event to the operator. */
export type Notify = (notice: StoreEvent) => void;

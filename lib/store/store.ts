import type { Death, Route } from '../core/routing/types.ts';
import type { DeadMark } from './dead-marks.ts';

/** Lookups: what each request reads. */
export interface RouteLookups {
  /**
   * The route of the first candidate that names a backend, or has a prefix of the path that does; failing that, of the
   * first that exists at all (an identifier alone, `size` 0); null when none exists. URLs and options that cannot be
   * used are left out and reported.
   * @param candidates keys, most specific first; `candidates[0]` is the host asked for, whose dead marks apply
   * @param path the request's, as sent; core/prefixes.ts says what matches
   * @throws RouterError `store-unavailable` when no answer came within the store's time limit, at once when the
   *   store is known to be down; `route-broken` when a key holds something that is no list, or too long a one
   */
  find(candidates: readonly string[], path: string): Promise<Route | null>;
  /**
   * What `find` would resolve with for this host and path, when that is known without asking anybody; undefined when it
   * is not. Never throws.
   */
  peek(host: string, path: string): Route | null | undefined;
  /**
   * The error page of the first of these keys that has one for the status, HTML; null when none has. Rejects as `find`.
   */
  page(keys: readonly string[], status: number): Promise<string | null>;
}

/** Health marks: which backends are hidden. */
export interface HealthMarks {
  /**
   * Hides a backend for `ttlSeconds` and tells other routers. With a live active health checker it only tells. Never
   * hides the last living backend of a site, whichever routers hid the others. Idempotent. Rejects when the store cannot be
   * written to.
   */
  markDead(death: Death, ttlSeconds: number): Promise<Marking>;
  /** Dead marks that only this router knows, of a host or of all (null). */
  ownMarks(frontend: string | null): readonly DeadMark[];
  /** Whether an active health checker gave a sign of life lately: then it, not the router, files deaths. */
  readonly hasHealthChecker: boolean;
}

/** What a worker holds of the store in memory, as an operator looks at it. */
export interface RouteMemory {
  /** What is remembered for a host and path; null when nothing is. Reading it does not extend how long it is kept. */
  recollect(host: string, path: string): Recollection | null;
  /** Forgets what is remembered of a host, or of all (null). A store that has everything in memory keeps it. @returns how many hosts */
  forget(host: string | null): number;
  /** How much is in memory: hosts whose routes are remembered one by one, and bytes of routes and certificates that came as one piece. */
  readonly remembered: { readonly hosts: number; readonly bytes: number };
  /** Whether some host is served while the store does not reply. */
  readonly hasLastKnown: boolean;
}

/** A store that is open. */
export interface OpenStore {
  /** Resolves when lookups can be answered, or when the first attempt to connect has failed. Never rejects. */
  ready(): Promise<void>;
  /** Frees sockets and timers. Lookups after it reject with `store-unavailable`. */
  close(): Promise<void>;
}

/** Where routes come from. One implementation per scheme of the `driver` URL; test/store/contract.ts holds all to this. */
export interface RouteStore extends RouteLookups, HealthMarks, RouteMemory, OpenStore {}

/**
 * What came of a death. `marked`: the backend is hidden. `announced`: a health checker decides. `last`: no other backend
 * lives, so this one goes on being served. `moved`: another URL is at its place in the list by now.
 */
export type Marking = 'marked' | 'announced' | 'last' | 'moved';

/** What a store remembers of one host. Plain data. */
export interface Recollection {
  /** Null: nobody knew the host. */
  readonly route: Route | null;
  /** Whether it serves without anybody being asked; otherwise only while the store gives no answer. */
  readonly isFresh: boolean;
  /** Since it was read. */
  readonly ageMs: number;
}

/** What a store tells the operator. The composition root turns it into log lines. */
export type StoreEvent =
  | { readonly type: 'store-up'; readonly store: string }
  | { readonly type: 'store-down'; readonly store: string; readonly cause: Error }
  /** Redis answers, as another run, and holds no frontend: last-known routes serve. */
  | { readonly type: 'store-emptied'; readonly store: string }
  /** Redis cannot tell of changes: it is asked on each request. Said once until it can. */
  | { readonly type: 'push-refused'; readonly cause: Error }
  /** All routes were read in the background. Said once. */
  | { readonly type: 'preloaded'; readonly frontends: number }
  | { readonly type: 'snapshot-loaded'; readonly file: string; readonly routes: number }
  /** The snapshot cannot be used: the router starts without. */
  | { readonly type: 'snapshot-refused'; readonly file: string; readonly cause: Error }
  /** The snapshot cannot be written. Said once until it can. */
  | { readonly type: 'snapshot-failed'; readonly file: string; readonly cause: Error }
  /** A key that an operator should mend. Said once per key and fault within a minute. */
  | { readonly type: 'route-fault'; readonly key: string; readonly fault: string }
  /**
   * What stands under a key is no certificate and its key, or has expired: the last good one serves, or another. Said
   * once, until it is mended.
   */
  | { readonly type: 'certificate-fault'; readonly key: string; readonly fault: string }
  | { readonly type: 'routes-loaded'; readonly file: string; readonly frontends: number }
  /** The routes file is broken: `fault` says where; the last good routes stay. */
  | { readonly type: 'routes-refused'; readonly file: string; readonly fault: string };

export type Notify = (notice: StoreEvent) => void;

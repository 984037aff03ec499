/** The responses of the admin API, as in docs/admin.md. Types only: the dashboard imports them, too. */
import type { ActivityView, FrontendView, LiveExplanation } from '../diagnostics/explanation.ts';

export type {
  ActivityView,
  BackendActivity,
  BackendView,
  CheckView,
  FailureView,
  FrontendView,
  KeyView,
  LiveExplanation,
  MemoryView,
} from '../diagnostics/explanation.ts';
export type { Fault } from '../diagnostics/fault.ts';

/** The response to `GET /api/v1/frontends`. */
export interface FrontendsAnswer {
  readonly frontends: readonly FrontendView[];
  readonly next: string | null;
  /** How many match; null where there are too many to count (20,000, or 5 s). */
  readonly total: number | null;
}

/** The response to an edit of a list. */
export interface EditedAnswer extends FrontendView {
  /**
   * The entity tag, for If-Match: of the list and of what belongs to it, not of dead marks. Null for a Redis user that may
   * not read all of that.
   */
  readonly etag: string | null;
}

/** The response to `GET /api/v1/frontends/HOST`. */
export interface FrontendAnswer extends EditedAnswer {
  readonly activity: ActivityView;
  /** The last five minutes of its identifier; null if that has no metrics of its own. */
  readonly traffic: Seconds | null;
}

/** The response to `GET /api/v1/frontends/HOST/explain`. */
export interface ExplainAnswer extends LiveExplanation {
  /** Of the identifier of `route`, as in FrontendAnswer; null without a route. */
  readonly traffic: Seconds | null;
}

/** The columns that frontends can be sorted by. `state`: the worst first. */
export type SortKey = 'key' | 'traffic' | 'errors' | 'latency' | 'state';

/**
 * The worst that is known of a frontend. `down`: no backend can be used. `degraded`: some cannot. `faulty`: `hipache
 * lint` finds an error. `failing`: it had errors within the last minute.
 */
export type FrontendState = 'down' | 'failing' | 'degraded' | 'faulty' | 'good';

/** A frontend in one line. */
export interface FrontendSummary {
  readonly key: string;
  readonly name: string;
  readonly state: FrontendState;
  readonly backends: number;
  /** Backends that are not marked dead, and that the router can use. */
  readonly alive: number;
  readonly dead: number;
  /** Backends whose time as dead ones is over: one request of each decides whether it lives. */
  readonly onTrial: number;
  readonly unusable: number;
  /** Problems of the severity `error`. */
  readonly errors: number;
  /**
   * Of the last 30 to 60 s, of all frontends with this identifier; null if it has no metrics of its own
   * (`metrics.topN`). Durations in seconds.
   */
  readonly requestsPerSecond: number | null;
  readonly errorsPerSecond: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
}

/** Something that an operator should look at. */
export interface Problem {
  readonly kind: 'all-dead' | 'errors' | 'fault' | 'certificate' | 'unread';
  readonly severity: 'error' | 'note';
  /** The frontend; null where it is none. */
  readonly frontend: string | null;
  readonly text: string;
  /** Commands for redis-cli, one a line, or what to write in the file; empty without. */
  readonly advice: string;
}

/** The response to `GET /api/v1/summary`. */
export interface SummaryAnswer {
  /** When the frontends were read, ISO 8601. */
  readonly readAt: string;
  /** Whether all frontends were read. */
  readonly isComplete: boolean;
  readonly counts: {
    readonly frontends: number;
    readonly down: number;
    readonly failing: number;
    readonly degraded: number;
    readonly faulty: number;
    readonly backends: number;
    readonly dead: number;
  };
  /** The worst first, at most 100. */
  readonly problems: readonly Problem[];
  readonly moreProblems: number;
  /** How many frontends match. */
  readonly found: number;
  /** Those of the page that was asked for. */
  readonly frontends: readonly FrontendSummary[];
}

/** The state of a worker. Fields are null for a worker that starts or hangs. */
export interface WorkerAnswer {
  readonly pid: number;
  readonly generation: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly upSeconds: number;
  readonly residentBytes: number | null;
  readonly heapBytes: number | null;
  readonly connections: number | null;
  readonly exchanges: number | null;
  readonly tunnels: number | null;
  /** Certificates in the store that the worker cannot use. */
  readonly certificateFaults: number | null;
  readonly loopDelay: { readonly p50: number; readonly p99: number; readonly max: number } | null;
}

/** The response to `GET /api/v1/workers`. */
export interface WorkersAnswer {
  readonly master: {
    readonly pid: number;
    readonly version: string;
    readonly upSeconds: number;
    readonly residentBytes: number;
  };
  readonly workers: readonly WorkerAnswer[];
}

/** The last attempt at a change. Times in ISO 8601. */
export interface ChangeAnswer {
  readonly outcome: 'made' | 'refused';
  readonly time: string;
  /** Why it was refused; null when it was made. */
  readonly reason: string | null;
  /** When it last succeeded; null for never. */
  readonly lastMade: string | null;
}

/** Null for a kind that was not attempted yet. */
export interface ChangesAnswer {
  readonly reload: ChangeAnswer | null;
  readonly upgrade: ChangeAnswer | null;
  readonly routes: ChangeAnswer | null;
  readonly logs: ChangeAnswer | null;
  readonly snapshot: ChangeAnswer | null;
}

/** Values of each of the last seconds, the oldest first. Times in seconds; null where there was no request. */
export interface Seconds {
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
}

/** The response to `GET /api/v1/live`. */
export interface LiveAnswer {
  /** Seconds since 1970. The last value of each series is of the second before. */
  readonly now: number;
  readonly version: string;
  readonly needsToken: boolean;
  readonly total: Seconds;
  /** The frontends with the most requests. */
  readonly frontends: readonly (Seconds & { readonly name: string })[];
  readonly connections: number;
  readonly exchanges: number;
  readonly tunnels: number;
  readonly store: { readonly name: string; readonly isUp: boolean };
  /** The changes whose last attempt was refused, each with its reason. */
  readonly refused: readonly string[];
  readonly ready: { readonly isReady: boolean; readonly isDegraded: boolean; readonly reasons: readonly string[] };
}

/** An event of the operator's log: a parsed line of JSON. */
export type EventLine = Readonly<Record<string, unknown>>;

/** The response to `GET /api/v1/events`. */
export interface EventsAnswer {
  /** The last events, the oldest first. */
  readonly events: readonly EventLine[];
}

/** A router of the fleet, as its workers say. Times in seconds. */
export interface FleetRouter {
  /** Another one after each start. */
  readonly id: string;
  /** The name of the machine. */
  readonly host: string;
  readonly version: string;
  /** Of the master. */
  readonly pid: number;
  /** When its oldest worker started, ISO 8601. */
  readonly since: string;
  readonly workers: number;
  /** Of these, workers that finish their last requests. */
  readonly draining: number;
  /** Of these, workers that have missed three heartbeats. */
  readonly silent: number;
  /** The age of the oldest last heartbeat. */
  readonly heartbeatAgo: number;
  /** Responses of backends. */
  readonly requestsPerSecond: number;
  readonly connections: number;
  readonly exchanges: number;
  /** Requests that wait for a permit of their site. */
  readonly queued: number;
  /** Permits for requests in flight that its workers have leased, and how many of them are in use. */
  readonly permits: number;
  readonly permitsInUse: number;
  /** Rates and bandwidths of sites that its workers share with others. */
  readonly sharedRates: number;
  /** How late the slowest worker was with its heartbeat. */
  readonly loopLag: number;
  /** How far its clock is ahead of that of Redis; null with a routes file. */
  readonly clockSkew: number | null;
}

/** The response to `GET /api/v1/fleet`. */
export interface FleetAnswer {
  readonly routers: readonly FleetRouter[];
}

/** The response to `POST` and `GET /api/v1/frontends/HOST/deploy`. */
export interface DeployAnswer {
  readonly key: string;
  readonly phase: 'checking' | 'joining' | 'draining' | 'leaving' | 'returning' | 'done' | 'failed';
  /** What is happening, for people. */
  readonly text: string;
  /** Requests in flight at the old backends, by URL, in all routers. */
  readonly inFlight: Readonly<Record<string, number>>;
  readonly routers: number;
  /** The routers that use the list that was written last. */
  readonly ready: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Why it has failed. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

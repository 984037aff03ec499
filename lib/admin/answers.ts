/** The responses of the admin API, as in docs/admin.md. Types only: the dashboard imports them, too. */
import type { ActivityView, FrontendView } from '../diagnostics/explanation.ts';

export type {
  ActivityView,
  BackendActivity,
  BackendView,
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
}

/** The response to `GET /api/v1/frontends/HOST`. */
export interface FrontendAnswer extends FrontendView {
  readonly activity: ActivityView;
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

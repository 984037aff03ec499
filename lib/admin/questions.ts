/** The questions of the admin interface to every worker, sent by way of the master. Plain data, types only. */
import type { BackendSnapshot } from '../backends/state/backend-states.ts';
import type { MetricsReport } from '../observe/worker-metrics.ts';
import type { Announcement, WorkerBeat } from '../store/fleet.ts';
import type { DeadMark } from '../store/dead-marks.ts';

/** `host` null means all hosts. */
export type Question =
  | { readonly type: 'metrics' }
  /** What does the worker remember of this host and path? */
  | { readonly type: 'recollect'; readonly host: string; readonly path: string }
  /** Which dead marks does only the worker know? */
  | { readonly type: 'marks'; readonly host: string | null }
  /**
   * What does the worker know of these servers, which are as `serverOf` returns them? `more`: how many others, those with
   * the most responses.
   */
  | { readonly type: 'backends'; readonly servers: readonly string[]; readonly more: number }
  /** What does the worker do now, and under these deploys? With a routes file, whose workers send no heartbeats. */
  | { readonly type: 'fleet'; readonly announced: readonly Announcement[] }
  /** Which certificate of the store does the worker use for this host? */
  | { readonly type: 'certificate'; readonly host: string }
  /** Drops what the worker remembers. */
  | { readonly type: 'forget'; readonly host: string | null };

/** A worker's reply to a Question. */
export type Answer =
  /** Null where the worker counts nothing. */
  | { readonly type: 'metrics'; readonly metrics: MetricsReport | null }
  | { readonly type: 'recollect'; readonly remembered: Remembered | null }
  | { readonly type: 'marks'; readonly marks: readonly DeadMark[] }
  /** Only of servers that the worker has a record of. */
  | { readonly type: 'backends'; readonly backends: readonly BackendSnapshot[] }
  | { readonly type: 'fleet'; readonly beat: WorkerBeat }
  /** Null when the store has none: the configuration's is used, if there is one. */
  | { readonly type: 'certificate'; readonly shown: ShownCertificate | null }
  /** `hosts`: how many were dropped. */
  | { readonly type: 'forget'; readonly hosts: number };

/** What a worker remembers. `route`: null when it knows that there is none. */
export interface Remembered {
  readonly route: RememberedRoute | null;
  /** Whether the worker uses it without asking the store. */
  readonly isFresh: boolean;
  readonly ageMs: number;
}

/** A route that a worker remembers. */
export interface RememberedRoute {
  readonly key: string;
  readonly name: string;
  /** URLs. */
  readonly backends: readonly string[];
  /** Ids, with those on trial. */
  readonly dead: readonly number[];
  readonly onTrial: readonly number[];
  readonly options: Readonly<Record<string, string>>;
}

/** A certificate of the store that clients get. */
export interface ShownCertificate {
  /** Its key, as the store spells it. */
  readonly name: string;
  /** The names that it is valid for. */
  readonly names: readonly string[];
  /** ISO 8601; null when the date cannot be read. */
  readonly expiresAt: string | null;
  /** Why the last valid certificate is used instead of the current one; null when it is the current one. */
  readonly why: string | null;
}

/** A worker process, as the master sees it. */
export interface Known {
  readonly pid: number;
  /** The number of its generation: 1 is that of the start, counted up by each reload. */
  readonly generation: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly upSeconds: number;
}

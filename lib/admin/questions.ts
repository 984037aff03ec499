/** What the admin interface asks of every worker, by way of the master. Plain data, types only. */
import type { MetricsReport } from '../observe/worker-metrics.ts';
import type { DeadMark } from '../store/dead-marks.ts';

/** `host` null stands for all. */
export type Question =
  | { readonly type: 'metrics' }
  /** What do you remember for this host and path? */
  | { readonly type: 'recollect'; readonly host: string; readonly path: string }
  /** Which dead marks do only you know? */
  | { readonly type: 'marks'; readonly host: string | null }
  /** Which certificate of the store's do you show for this host? */
  | { readonly type: 'certificate'; readonly host: string }
  /** Forget what you remember. */
  | { readonly type: 'forget'; readonly host: string | null };

export type Answer =
  /** Null where the worker does not count. */
  | { readonly type: 'metrics'; readonly metrics: MetricsReport | null }
  | { readonly type: 'recollect'; readonly remembered: Remembered | null }
  | { readonly type: 'marks'; readonly marks: readonly DeadMark[] }
  /** Null for none: the configuration's serves, or none. */
  | { readonly type: 'certificate'; readonly shown: ShownCertificate | null }
  /** `hosts`: how many were forgotten. */
  | { readonly type: 'forget'; readonly hosts: number };

/** What a worker remembers. `route`: null where it knows that there is none. */
export interface Remembered {
  readonly route: RememberedRoute | null;
  /** Whether it serves without the store being asked. */
  readonly isFresh: boolean;
  readonly ageMs: number;
}

export interface RememberedRoute {
  readonly key: string;
  readonly name: string;
  /** URLs. */
  readonly backends: readonly string[];
  /** Ids. */
  readonly dead: readonly number[];
  readonly options: Readonly<Record<string, string>>;
}

/** A certificate of the store's that handshakes are shown. */
export interface ShownCertificate {
  /** Where it stands, or stood, as the store spells it. */
  readonly name: string;
  /** The names that it is for. */
  readonly names: readonly string[];
  /** As ISO 8601; null where that cannot be read. */
  readonly expiresAt: string | null;
  /** Why it is shown though it is not what stands there now: then it is the last good one. Null where it does. */
  readonly why: string | null;
}

/** A worker process, as the master knows it. */
export interface Known {
  readonly pid: number;
  /** Of which reload it is: 1 is the start. */
  readonly generation: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly upSeconds: number;
}

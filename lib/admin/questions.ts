/** What the admin interface asks of every worker, by way of the master. Plain data, types only. */
import type { WorkerFigures } from '../observe/figures.ts';
import type { DeadMark } from '../store/dead-marks.ts';

/** `host` null stands for all. */
export type Question =
  | { readonly type: 'figures' }
  /** What do you remember for this host and path? */
  | { readonly type: 'recollect'; readonly host: string; readonly path: string }
  /** Which dead marks do only you know? */
  | { readonly type: 'marks'; readonly host: string | null }
  /** Forget what you remember. */
  | { readonly type: 'forget'; readonly host: string | null };

export type Answer =
  /** Null where the worker does not count. */
  | { readonly type: 'figures'; readonly figures: WorkerFigures | null }
  | { readonly type: 'recollect'; readonly remembered: Remembered | null }
  | { readonly type: 'marks'; readonly marks: readonly DeadMark[] }
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

/** A worker process, as the master knows it. */
export interface Known {
  readonly pid: number;
  /** Of which reload it is: 1 is the start. */
  readonly generation: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly upSeconds: number;
}

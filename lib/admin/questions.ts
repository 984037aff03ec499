/** What the admin interface asks of every worker, by way of the master. Plain data, types only. */
import type { WorkerFigures } from '../observe/figures.ts';
import type { DeadMark } from '../store/dead-marks.ts';
import type { Recollection } from '../store/store.ts';

/** `host` null stands for all. */
export type Question =
  | { readonly type: 'figures' }
  /** What do you remember of this host? */
  | { readonly type: 'recollect'; readonly host: string }
  /** Which dead marks do only you know? */
  | { readonly type: 'marks'; readonly host: string | null }
  /** Forget what you remember. */
  | { readonly type: 'forget'; readonly host: string | null };

export type Answer =
  /** Null where the worker does not count. */
  | { readonly type: 'figures'; readonly figures: WorkerFigures | null }
  | { readonly type: 'recollect'; readonly recollection: Recollection | null }
  | { readonly type: 'marks'; readonly marks: readonly DeadMark[] }
  /** `hosts`: how many were forgotten. */
  | { readonly type: 'forget'; readonly hosts: number };

/** A worker process, as the master knows it. */
export interface Known {
  readonly pid: number;
  /** Of which reload it is: 1 is the start. */
  readonly generation: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly upSeconds: number;
}

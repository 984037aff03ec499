/** What the master and the admin process say to each other. Plain data, types only. */
import type { Config } from '../config/config.ts';
import type { Changes } from './changes.ts';
import type { Answer, Known, Question } from './questions.ts';

/** The master's own state. */
export interface MasterState {
  readonly pid: number;
  readonly upSeconds: number;
  readonly residentBytes: number;
  /** Where sites are served, as URLs; none before the first start. */
  readonly listening: readonly string[];
  /** How many workers there should be. */
  readonly workers: number;
  readonly isStopping: boolean;
  /** Whether workers that have no answer from their store are given routes that others know. */
  readonly hasRoutes: boolean;
  readonly changes: Changes;
}

export type ToAdmin =
  /** The answer to `hello`; said again after a reload. */
  | { readonly type: 'configure'; readonly config: Config }
  /** The answer to `ask`: whom the question went to. Their own answers follow. */
  | { readonly type: 'asked'; readonly id: number; readonly master: MasterState; readonly workers: readonly Known[] }
  | { readonly type: 'told'; readonly id: number; readonly pid: number; readonly answer: Answer }
  /** A line of the operator's log, of the master's or of a worker's. */
  | { readonly type: 'event'; readonly line: string }
  /** End. */
  | { readonly type: 'close' };

export type FromAdmin =
  | { readonly type: 'hello' }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question };

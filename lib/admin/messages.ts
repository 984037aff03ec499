/** The messages between the master and the admin process. Plain data, types only. */
import type { Config } from '../config/config.ts';
import type { Changes } from './changes.ts';
import type { Answer, Known, Question } from './questions.ts';

/** The master's own state. */
export interface MasterState {
  readonly pid: number;
  readonly upSeconds: number;
  readonly residentBytes: number;
  /** The listening URLs of the router; empty before the first start. */
  readonly listening: readonly string[];
  /** The configured number of workers. */
  readonly workers: number;
  readonly isStopping: boolean;
  /** Whether workers without a reply from their store get routes that others know. */
  readonly hasRoutes: boolean;
  readonly changes: Changes;
}

/** Messages from the master to the admin process. */
export type ToAdmin =
  /** The reply to `hello`; sent again after a reload. */
  | { readonly type: 'configure'; readonly config: Config }
  /** The reply to `ask`: the workers that were asked. Their replies follow. */
  | { readonly type: 'asked'; readonly id: number; readonly master: MasterState; readonly workers: readonly Known[] }
  | { readonly type: 'told'; readonly id: number; readonly pid: number; readonly answer: Answer }
  /** A line of the operator's log, from the master or a worker. */
  | { readonly type: 'event'; readonly line: string }
  /** Exit. */
  | { readonly type: 'close' };

/** Messages from the admin process to the master. */
export type FromAdmin =
  | { readonly type: 'hello' }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question };

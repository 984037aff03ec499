import type { Config } from '../config/config.ts';
import type { DeadMark } from '../store/dead-marks.ts';
import type { RouteEntry } from '../store/route-table.ts';

/** What the master says to a worker. */
export type ToWorker =
  /** The answer to `hello`: a worker never reads a configuration that is being edited. `routes`: the file store's. */
  | { readonly type: 'configure'; readonly config: Config; readonly routes: readonly RouteEntry[] | null }
  /** The routes file changed. */
  | { readonly type: 'routes'; readonly routes: readonly RouteEntry[] }
  /** Another worker found a backend dead, and there is no Redis to tell. */
  | { readonly type: 'dead'; readonly mark: DeadMark }
  | { readonly type: 'reopen-logs' }
  /** Finish what is under way, then end. */
  | { readonly type: 'drain' };

/** What a worker says to the master. */
export type ToMaster =
  | { readonly type: 'hello' }
  /** It accepts connections. `listening`: where, as URLs. */
  | { readonly type: 'ready'; readonly listening: readonly string[] }
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly message: string }
  /** It wants a successor. */
  | { readonly type: 'fat'; readonly megabytes: number }
  | { readonly type: 'dead'; readonly mark: DeadMark };

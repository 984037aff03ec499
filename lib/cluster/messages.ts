import type { Answer, Question } from '../admin/questions.ts';
import type { Config } from '../config/config.ts';
import type { AskedMark } from '../store/file/asked-marks.ts';
import type { AskedTrialRight, TrialName } from '../store/file/trials.ts';
import type { MemoryExcess } from '../core/limits/memory-judgement.ts';
import type { DeadMark } from '../store/dead-marks.ts';
import type { StoredPair } from '../store/certificates.ts';
import type { KnownRun } from '../store/cache/known-routes.ts';
import type { Member } from '../store/fleet.ts';
import type { SnapshotUpdate } from '../store/cache/snapshot-updates.ts';
import type { Piece } from '../store/file/pieces.ts';
import type { AskedShares, RepliedShares } from '../store/file/shares.ts';

/** A worker's question for routes that other workers know; see `ToMaster`. */
export interface SnapshotQuery {
  readonly id: number;
  readonly hosts: readonly string[];
}

/**
 * `lines`: SavedRoutes as JSON, for each host in order. The last hosts are missing when the reply would be too long.
 */
export interface SnapshotReply {
  readonly id: number;
  readonly lines: readonly (readonly string[])[];
}

/** The reply to `hello`. Workers never read the configuration file, which may be being edited. */
export interface Configure {
  readonly type: 'configure';
  readonly config: Config;
  /** Which worker it is. */
  readonly member: Member;
  /** The run of Redis that the routes of the master's snapshot come from. */
  readonly known: KnownRun;
  /** Whether this worker reads all routes in the background, and makes active checks; one per generation does. */
  readonly preloads: boolean;
  /** The keys of session tickets; later ones come by `ticket-keys`. */
  readonly ticketKeys: Uint8Array;
  /** For sticky cookies, where neither the configuration nor Redis has a secret. */
  readonly stickySecret: string;
  /** Keys for which the master has a last good certificate; changes come by `pair-news`. */
  readonly goodPairs: readonly string[];
}

/**
 * `new`: the master has a newer pair. `gone`: the store has none any more. `unknown`: the master dropped its pair for
 * space.
 */
export interface LastGoodChange {
  readonly key: string;
  readonly is: 'new' | 'gone' | 'unknown';
}

/** Messages from the master to a worker. */
export type ToWorker =
  | Configure
  /** The reply to `want-routes`: at once while a piece is left, else when the routes file has changed. */
  | { readonly type: 'routes'; readonly piece: Piece }
  /** The reply to `want-certificates`, in the same way. */
  | { readonly type: 'certificates'; readonly piece: Piece }
  /** The reply to `mark`, sent to all workers: a backend is dead. Only without Redis, which has the marks otherwise. */
  | { readonly type: 'dead'; readonly mark: DeadMark }
  /** The reply to `unmark` and `trial-passed`, sent to all workers. */
  | { readonly type: 'alive'; readonly mark: DeadMark }
  /** The other reply to `mark`: the backend is the last living one of its site, and is not marked. */
  | { readonly type: 'last-living'; readonly mark: DeadMark }
  /** The reply to `trial`. `waitMs`: 0 when the worker has the right to the trial, else after how long to ask again. */
  | { readonly type: 'trial-reply'; readonly name: TrialName; readonly waitMs: number }
  /** Another worker, or this one, has sent the same. */
  | { readonly type: 'checked'; readonly key: string; readonly urls: readonly string[] | null }
  /** The reply to `want-shares`. */
  | { readonly type: 'shares'; readonly reply: RepliedShares }
  /** The reply to `snapshot-query`. */
  | { readonly type: 'snapshot-reply'; readonly recalled: SnapshotReply }
  /** New keys for session tickets. */
  | { readonly type: 'ticket-keys'; readonly keys: Uint8Array }
  /** Another worker has changed the last good certificate of a key. */
  | { readonly type: 'pair-news'; readonly news: LastGoodChange }
  /** The reply to `want-pair`. */
  | { readonly type: 'pair'; readonly key: string; readonly pair: StoredPair | null }
  | { readonly type: 'reopen-logs' }
  /** A question of the admin interface. */
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** Stop accepting until `accept`, or for a second: other workers have fewer connections. */
  | { readonly type: 'pause' }
  /** Accept again, then send `accepts`. */
  | { readonly type: 'accept' }
  /** Finish open exchanges, then exit. `isEnd`: the program ends, so idle clients get less time. */
  | { readonly type: 'drain'; readonly isEnd: boolean }
  /** The drain has taken too long: cut what is open. */
  | { readonly type: 'cut' }
  /** Report not ready to load balancers. */
  | { readonly type: 'unready' }
  /** The reply to `want-socket`, with a socket to listen on. Without one, the worker makes its own. */
  | { readonly type: 'socket'; readonly index: number };

/** Messages to a worker about its routes, its certificates, dead marks and shares. */
export type StoreMessage = Extract<
  ToWorker,
  {
    type:
      | 'routes'
      | 'certificates'
      | 'dead'
      | 'alive'
      | 'last-living'
      | 'trial-reply'
      | 'checked'
      | 'shares'
      | 'snapshot-reply';
  }
>;

/** Messages from a worker to the master. */
export type ToMaster =
  | { readonly type: 'hello' }
  /** It has processed the last piece of the routes file, and requests the next. */
  | { readonly type: 'want-routes' }
  /** The same for the certificates folder. */
  | { readonly type: 'want-certificates' }
  /** It found a certificate valid. Never log this message: it has a private key. */
  | { readonly type: 'good-pair'; readonly key: string; readonly pair: StoredPair }
  /** The store has no certificate under the key any more. */
  | { readonly type: 'no-pair'; readonly key: string }
  /** Requests the last good certificate of a key. */
  | { readonly type: 'want-pair'; readonly key: string }
  /** Requests the socket of a listener in its configuration, at the start or after a pause. */
  | { readonly type: 'want-socket'; readonly index: number }
  /** The heartbeat of its event loop. */
  | { readonly type: 'alive' }
  /** It accepts connections. `listening`: its URLs. */
  | { readonly type: 'ready'; readonly listening: readonly string[] }
  /** It could not start, and exits. */
  | { readonly type: 'failed'; readonly message: string }
  /** It uses too much memory. Sent at every check while it does. */
  | { readonly type: 'fat'; readonly excess: MemoryExcess }
  /** It wants a successor: it got a SIGTERM of its own, or lacks a permission that it had at its start. */
  | { readonly type: 'leaving' }
  /** It accepts connections: for the first time, or again. Like `open`, sent only when there are several workers. */
  | { readonly type: 'accepts' }
  /** About how many connections it has. */
  | { readonly type: 'open'; readonly open: number }
  /** After `reopen-logs`: the log cannot be opened; it keeps writing to its old file. */
  | { readonly type: 'log-kept'; readonly cause: string }
  /** It is about to stop accepting. */
  | { readonly type: 'closing' }
  /** It accepts no more. */
  | { readonly type: 'closed' }
  /** It found a backend dead. Only without Redis. */
  | { readonly type: 'mark'; readonly asked: AskedMark }
  /** A backend that is marked dead passes its checks. Only without Redis. */
  | { readonly type: 'unmark'; readonly mark: DeadMark }
  /** It asks for the right to the trial of a backend whose time as a dead one is over. Only without Redis. */
  | { readonly type: 'trial'; readonly asked: AskedTrialRight }
  /** A backend on trial has responded. Only without Redis. */
  | { readonly type: 'trial-passed'; readonly name: TrialName }
  /**
   * With the rule `first` of active checks: the URLs of a list that have passed a check. Null: no backend of it waits for that.
   * Only without Redis.
   */
  | { readonly type: 'checked'; readonly key: string; readonly urls: readonly string[] | null }
  /** What it is asked for and needs under limits that all workers share. Only without Redis. */
  | { readonly type: 'want-shares'; readonly asked: AskedShares }
  /** The reply to `ask`. With `id` 0: its last metrics, sent unasked before it exits. */
  | { readonly type: 'told'; readonly id: number; readonly answer: Answer }
  /** A line of the operator's log. Only with an admin interface. */
  | { readonly type: 'event'; readonly line: string }
  /** What it read from Redis, for the snapshot. */
  | { readonly type: 'snapshot-update'; readonly update: SnapshotUpdate }
  /** Redis does not reply: requests what other workers know of these hosts. */
  | { readonly type: 'snapshot-query'; readonly recall: SnapshotQuery };

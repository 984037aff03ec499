import type { Answer, Question } from '../admin/questions.ts';
import type { Config } from '../config/config.ts';
import type { AskedMark } from '../store/file/asked-marks.ts';
import type { MemoryExcess } from '../core/limits/memory-judgement.ts';
import type { DeadMark } from '../store/dead-marks.ts';
import type { StoredPair } from '../store/certificates.ts';
import type { KnownRun } from '../store/cache/known-routes.ts';
import type { SnapshotUpdate } from '../store/cache/snapshot-updates.ts';
import type { Piece } from '../store/file/pieces.ts';

/** What a worker asks the master; see `ToMaster`. */
export interface SnapshotQuery {
  readonly id: number;
  readonly hosts: readonly string[];
}

/** `lines`: SavedRoutes as JSON, for each host in order; those of the last hosts are missing where the answer grew too long. */
export interface SnapshotReply {
  readonly id: number;
  readonly lines: readonly (readonly string[])[];
}

/** The answer to `hello`: a worker never reads a configuration that is being edited. */
export interface Configure {
  readonly type: 'configure';
  readonly config: Config;
  /** Of which run of Redis the routes are that other workers know. */
  readonly known: KnownRun;
  /** Whether it is the one of its generation that reads all routes in the background. */
  readonly preloads: boolean;
  /** What session tickets are sealed with; later ones come by `ticket-keys`. */
  readonly ticketKeys: Uint8Array;
  /** Keys whose last good certificate the master has; what changes comes by `pair-news`. */
  readonly goodPairs: readonly string[];
}

/** `new`: it has another pair than before. `gone`: none stands there any more. `unknown`: it had to forget it. */
export interface LastGoodChange {
  readonly key: string;
  readonly is: 'new' | 'gone' | 'unknown';
}

/** What the master says to a worker. */
export type ToWorker =
  | Configure
  /** The answer to `want-routes`: at once as long as there is more of them, else when the routes file has changed. */
  | { readonly type: 'routes'; readonly piece: Piece }
  /** The answer to `want-certificates`, in the same way. */
  | { readonly type: 'certificates'; readonly piece: Piece }
  /** A worker found a backend dead, and there is no Redis to tell. The answer to `mark`, for all workers. */
  | { readonly type: 'dead'; readonly mark: DeadMark }
  /** The other answer to `mark`: the backend is the last living one of its site. */
  | { readonly type: 'last-living'; readonly mark: DeadMark }
  /** The answer to `recall`. */
  | { readonly type: 'snapshot-reply'; readonly recalled: SnapshotReply }
  /** Session tickets are sealed with these from now on. */
  | { readonly type: 'ticket-keys'; readonly keys: Uint8Array }
  /** What the master knows of the last good certificate for a key has changed, by another worker's word. */
  | { readonly type: 'pair-news'; readonly news: LastGoodChange }
  /** The answer to `want-pair`. */
  | { readonly type: 'pair'; readonly key: string; readonly pair: StoredPair | null }
  | { readonly type: 'reopen-logs' }
  /** The admin interface wants to know. */
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** Leave new connections to the other workers, until `accept`, or for a second. */
  | { readonly type: 'pause' }
  /** Accept again, and say `accepts` then. */
  | { readonly type: 'accept' }
  /** Finish what is under way, then end. `isEnd`: the program ends, so there is no time for idle clients. */
  | { readonly type: 'drain'; readonly isEnd: boolean }
  /** It has drained for long enough: cut what is open. */
  | { readonly type: 'cut' }
  /** Tell load balancers to go elsewhere. */
  | { readonly type: 'unready' }
  /** The answer to `want-socket`, with a socket to listen on; without one the worker makes it by itself. */
  | { readonly type: 'socket'; readonly index: number };

/** What a worker says to the master. */
export type ToMaster =
  | { readonly type: 'hello' }
  /** It has dealt with what it was given of the routes file, and wants the next piece. */
  | { readonly type: 'want-routes' }
  /** The same of the certificates beside it. */
  | { readonly type: 'want-certificates' }
  /** A certificate that it found good; never to be logged. */
  | { readonly type: 'good-pair'; readonly key: string; readonly pair: StoredPair }
  /** Nothing stands under the key now. */
  | { readonly type: 'no-pair'; readonly key: string }
  /** What was the last good certificate for a key? */
  | { readonly type: 'want-pair'; readonly key: string }
  /** It is to accept through this listener of its configuration: again, if it has paused. */
  | { readonly type: 'want-socket'; readonly index: number }
  /** Its event loop turns. */
  | { readonly type: 'alive' }
  /** It accepts connections. `listening`: where, as URLs. */
  | { readonly type: 'ready'; readonly listening: readonly string[] }
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly message: string }
  /** It takes too much memory. Said at every look, as long as it does. */
  | { readonly type: 'fat'; readonly excess: MemoryExcess }
  /** It goes on until it has a successor: somebody asked this one worker to end, or it lacks a right it once had. */
  | { readonly type: 'leaving' }
  /** It accepts connections: for the first time, or again. Said, like `open`, where there are several workers. */
  | { readonly type: 'accepts' }
  /** How many connections it has, about. */
  | { readonly type: 'open'; readonly open: number }
  /** After `reopen-logs`: it could not, and goes on with the file that it has. */
  | { readonly type: 'log-kept'; readonly cause: string }
  /** It is about to accept no more. */
  | { readonly type: 'closing' }
  /** It accepts no more. */
  | { readonly type: 'closed' }
  /** It found a backend dead, and there is no Redis to tell. */
  | { readonly type: 'mark'; readonly asked: AskedMark }
  /** The answer to `ask`; with `id` 0 its last metrics, which nobody asked for. */
  | { readonly type: 'told'; readonly id: number; readonly answer: Answer }
  /** A line of the operator's log. Said where there is an admin interface. */
  | { readonly type: 'event'; readonly line: string }
  /** What it read from Redis, for other workers and those that come after it. */
  | { readonly type: 'snapshot-update'; readonly update: SnapshotUpdate }
  /** Redis gives no answer: what do other workers know of these hosts? */
  | { readonly type: 'snapshot-query'; readonly recall: SnapshotQuery };

import type { Answer, Question } from '../admin/questions.ts';
import type { Config } from '../config/config.ts';
import type { DeadMark } from '../store/dead-marks.ts';
import type { Lesson } from '../store/learned.ts';
import type { Piece } from '../store/pieces.ts';

/** The answer to `hello`: a worker never reads a configuration that is being edited. */
export interface Configure {
  readonly type: 'configure';
  readonly config: Config;
  /** Whether a Redis that lost its routes is in trouble. After a reload it is not. */
  readonly mindsRun: boolean;
  /** What session tickets are sealed with; later ones come by `ticket-keys`. */
  readonly ticketKeys: Uint8Array;
}

/** What the master says to a worker. */
export type ToWorker =
  | Configure
  /** The answer to `want-routes`: at once as long as there is more of them, else when the routes file has changed. */
  | { readonly type: 'routes'; readonly piece: Piece }
  /** The answer to `want-certificates`, in the same way. */
  | { readonly type: 'certificates'; readonly piece: Piece }
  /** Another worker found a backend dead, and there is no Redis to tell. */
  | { readonly type: 'dead'; readonly mark: DeadMark }
  /** Session tickets are sealed with these from now on. */
  | { readonly type: 'ticket-keys'; readonly keys: Uint8Array }
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
  /** It is to accept through this listener of its configuration: again, if it has paused. */
  | { readonly type: 'want-socket'; readonly index: number }
  /** Its event loop turns. */
  | { readonly type: 'alive' }
  /** It accepts connections. `listening`: where, as URLs. */
  | { readonly type: 'ready'; readonly listening: readonly string[] }
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly message: string }
  /** It is past `server.memory.limitMB`. Said at every look, as long as it is. */
  | { readonly type: 'fat'; readonly megabytes: number }
  /** It goes on until it has a successor: somebody asked this one worker to end, or it lacks a right it once had. */
  | { readonly type: 'leaving' }
  /** It accepts connections: for the first time, or again. Said, like `open`, where there are several workers. */
  | { readonly type: 'accepts' }
  /** How many connections it has, about. */
  | { readonly type: 'open'; readonly open: number }
  /** It is about to accept no more. */
  | { readonly type: 'closing' }
  /** It accepts no more. */
  | { readonly type: 'closed' }
  | { readonly type: 'dead'; readonly mark: DeadMark }
  /** The answer to `ask`; with `id` 0 its last figures, which nobody asked for. */
  | { readonly type: 'told'; readonly id: number; readonly answer: Answer }
  /** A line of the operator's log. Said where there is an admin interface. */
  | { readonly type: 'event'; readonly line: string }
  /** What it read from Redis, for the snapshot. */
  | { readonly type: 'learned'; readonly lesson: Lesson };

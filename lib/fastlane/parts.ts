/** What the fast lane is made of, and what it asks of others. Types only. */
import type { ClientStream } from '../http1/client-stream.ts';
import type { TimeLimits } from '../clock/time-limits.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import type { ConnectionSlots } from '../backends/slots/connection-slots.ts';
import type { RequestHeaderPolicy } from '../core/http/request-headers.ts';
import type { TracedExchange } from '../core/record/spans.ts';
import type { ExchangeRecord } from '../core/record/exchange-record.ts';
import type { ResponseCut } from '../core/record/response-cut.ts';
import type { SpoolBudget } from '../core/limits/spool.ts';
import type { Balancing } from '../core/routing/selection.ts';
import type { ConnectionUse, HandoffState } from '../core/routing/types.ts';
import type { Judged } from '../core/health/verdict.ts';
import type { Dialer } from '../backends/dialing/dialer.ts';
import type { RouteLookups } from '../store/store.ts';
import type { BackendStates } from '../backends/state/backend-states.ts';

/** Times in ms, sizes in bytes; 0 is no limit. What they limit: see config/config.ts. */
export interface LaneLimits {
  readonly headerMs: number;
  readonly idleMs: number;
  readonly bodyMs: number;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly responseMs: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  /** Silence of a client that holds an answer up. */
  readonly readMs: number;
  /** Bytes per second. */
  readonly bodyMinRate: number;
  /** The same of a client that holds an answer up. */
  readonly readMinRate: number;
}

export interface LaneParts extends Balancing {
  readonly store: Pick<RouteLookups, 'find' | 'peek'>;
  /** ms; only differences count. */
  readonly now: () => number;
  /** Time limits of both lanes, on the scale of `now`. */
  readonly clock: TimeLimits;
  readonly headerPolicy: RequestHeaderPolicy;
  readonly budget: { requestStarted(): void; requestEnded(): void };
  readonly slots: ConnectionSlots;
  readonly spools: SpoolBudget;
  /** Told of each client whose connection is cut within an answer because it reads too slowly. */
  readonly onCut: (reason: CutReason, clientIp: string, host: string | null) => void;
  /** Called for each response that its backend breaks off behind its head. */
  readonly onResponseCut: (cut: ResponseCut) => void;
  /** What is known of backends, shared with the full lane. */
  readonly backends: BackendStates;
  readonly maxSockets: number;
  readonly dialer: Pick<Dialer, 'dial'>;
  readonly use: ConnectionUse;
  /** Whether the paths of backends' URLs count. */
  readonly hasBackendPath: boolean;
  /** Whether connections to backends are kept for the next request. */
  readonly isKeeping: boolean;
  readonly limits: LaneLimits;
  /** Whether accepted sockets read into one buffer: see accepted-reads.ts. */
  readonly readsAccepted: () => boolean;
  /**
   * Told of an answer that may say that its backend is ill, and of all others of a backend that was found dead; the answer
   * is passed on all the same.
   */
  readonly judge: (judged: Judged) => void;
  /** Told once of every exchange that ended in this lane, and its client's version; null when nobody wants to know. */
  readonly record: ((exchange: ExchangeRecord, version: string) => void) | null;
  /** Told once of every sampled one; null where the router takes no part in traces. */
  readonly trace: ((exchange: TracedExchange) => void) | null;
  /** Whether answers should ask clients to close their connection. */
  readonly isDraining: () => boolean;
  /** Whether connections are not to wait for a next request any more. */
  readonly isClosing: () => boolean;
}

/** The full lane, as one connection of the fast lane sees it. */
export interface FullLane {
  /** Takes the connection over and keeps it. The fast lane has put back what it had read of it. */
  adopt(socket: ClientStream): void;
  /** Answers the one request that comes by `stream`. `onEnded` is told when all of the answer was written to it. */
  serveOnce(stream: ClientStream, peer: Peer, handoff: HandoffState, onEnded: () => void): void;
  /** Answers 408, because the request head took too long, and closes the connection. */
  timeOut(socket: ClientStream): void;
}

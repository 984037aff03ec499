/** The dependencies of the fast lane. Types only. */
import type { ClientStream } from '../http1/client-stream.ts';
import type { TimeLimits } from '../clock/time-limits.ts';
import type { Peer } from '../core/http/forwarded.ts';
import type { RouterError } from '../core/errors.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import type { ConnectionSlots } from '../backends/slots/connection-slots.ts';
import type { RequestHeaderPolicy } from '../core/http/request-headers.ts';
import type { TracedExchange } from '../core/record/spans.ts';
import type { ExchangeRecord } from '../core/record/exchange-record.ts';
import type { ResponseCut } from '../core/record/response-cut.ts';
import type { FastLaneLimits } from '../core/limits/exchange-limits.ts';
import type { LimitsBySite } from '../core/limits/limits-by-site.ts';
import type { SpoolBudget } from '../core/limits/spool.ts';
import type { Balancing } from '../core/routing/choice.ts';
import type { RateRule } from '../core/routing/site.ts';
import type { ConnectionUse, HandoffState } from '../core/routing/types.ts';
import type { Judged } from '../core/health/verdict.ts';
import type { ReadAccepted } from '../http1/read-buffer.ts';
import type { Dialer } from '../backends/dialing/dialer.ts';
import type { RouteLookups } from '../store/store.ts';
import type { BackendStates } from '../backends/state/backend-states.ts';
import type { Permits } from '../concurrency/permits.ts';
import type { SiteQueue } from '../concurrency/site-queue.ts';
import type { Overload } from '../overload/overload.ts';
import type { RateLimits } from '../rates/rate-limits.ts';

/** A response by the router itself. */
export interface OwnResponse {
  readonly code: 'rate-limited' | 'overloaded' | 'site-busy' | 'no-frontend' | 'unknown-hosts';
  readonly status: number;
  /** Latin1, without fields about the connection, Date, and the empty line. */
  readonly head: string;
  readonly body: Buffer;
}

/** The responses to requests that this lane refuses. */
export interface OwnResponses {
  readonly overloaded: OwnResponse;
  readonly noFrontend: OwnResponse;
  readonly unknownHosts: OwnResponse;
  /** Beyond a rate limit. @param waitMs until a request would pass */
  limited(rule: RateRule, waitMs: number): OwnResponse;
  /** Refused by the queue of its site. */
  busy(error: RouterError): OwnResponse;
}

export interface LaneParts extends Balancing {
  readonly store: Pick<RouteLookups, 'find' | 'peek' | 'page'>;
  /** ms; only differences count. */
  readonly now: () => number;
  /** Time limits of both lanes, on the scale of `now`. */
  readonly clock: TimeLimits;
  readonly headerPolicy: RequestHeaderPolicy;
  readonly budget: { requestStarted(): void; requestEnded(): void };
  readonly rates: Pick<RateLimits, 'take'>;
  readonly permits: Pick<Permits, 'enter'>;
  readonly queue: Pick<SiteQueue, 'waitForSite'>;
  /** Null: this worker refuses nothing however late it is. */
  readonly overload: Pick<Overload, 'refuses' | 'sent'> | null;
  readonly own: OwnResponses;
  /** Called for each request that is refused in this lane. @param host of the route, or that is asked for */
  readonly onRefused: (error: RouterError, clientIp: string, host: string) => void;
  readonly slots: ConnectionSlots;
  readonly spools: SpoolBudget;
  /** Called for each client that is cut off because it reads a response too slowly. */
  readonly onCut: (reason: CutReason, clientIp: string, host: string | null) => void;
  /** Called for each response that its backend breaks off behind its head. */
  readonly onResponseCut: (cut: ResponseCut) => void;
  /** The run-time state of backends, shared with the full lane. */
  readonly backends: BackendStates;
  readonly maxSockets: number;
  readonly dialer: Pick<Dialer, 'dial'>;
  readonly use: ConnectionUse;
  /** Whether the paths of backends' URLs are prepended to request paths. */
  readonly hasBackendPath: boolean;
  /** Whether connections to backends are kept for the next request. */
  readonly isKeeping: boolean;
  readonly limits: FastLaneLimits;
  readonly limitsBySite: LimitsBySite;
  /** Makes a client's socket read into the shared buffer, where this Node can: see accepted-reads.ts. */
  readonly readAccepted: ReadAccepted;
  /**
   * Called for each response that may mark its backend dead, and for all responses of a dead backend. The response is
   * passed on in any case.
   */
  readonly judge: (judged: Judged) => void;
  /**
   * Called once for each exchange that ended in this lane, with the client's HTTP version; null without access log
   * and metrics.
   */
  readonly record: ((exchange: ExchangeRecord, version: string) => void) | null;
  /** Called once for each exchange in a sampled trace; null without tracing. */
  readonly trace: ((exchange: TracedExchange) => void) | null;
  /** Whether responses ask clients to close their connections. */
  readonly isDraining: () => boolean;
  /** Whether idle connections are to be closed. */
  readonly isClosing: () => boolean;
}

/** The full lane, as one connection of the fast lane sees it. */
export interface FullLane {
  /** Takes the connection over and keeps it. The fast lane has put back all bytes that it had read. */
  adopt(socket: ClientStream): void;
  /** Serves the one request in `stream`. Calls `onEnded` when the whole response was written to it. */
  serveOnce(stream: ClientStream, peer: Peer, handoff: HandoffState, onEnded: () => void): void;
  /** Responds 408 to a client whose request head took too long, and closes the connection. */
  timeOut(socket: ClientStream): void;
}

/** What the full lane's exchanges are made with. Types only. */
import type { SpoolBudget } from '../core/limits/spool.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import type { ConnectionUse } from '../core/routing/types.ts';
import type { Exchange } from './exchange.ts';
import type { AgentPool } from '../backends/http1/agent-pool.ts';
import type { TimeLimits } from '../clock/time-limits.ts';

/** Time limits in ms and sizes in bytes, as the full lane keeps them. 0 is no limit. */
export interface Limits {
  readonly bodyMs: number;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly responseMs: number;
  readonly tunnelMs: number;
  readonly bodyBytes: number;
  /** Bytes per second that a request body must keep up after its first seconds. */
  readonly bodyMinRate: number;
  /** Silence of a client that holds a response up. */
  readonly readMs: number;
  /** Bytes per second that a client must take of a response, in the time in which it holds that up. */
  readonly readMinRate: number;
}

/** What an attempt, and the response that it gets, need of others. */
export interface AttemptParts {
  readonly clock: TimeLimits;
  readonly limits: Limits;
  readonly use: ConnectionUse;
  readonly spools: SpoolBudget;
  /** Told of each client that is cut off within a response because it reads too slowly. */
  readonly onCut: (reason: CutReason, exchange: Exchange) => void;
  /** Called for each response that its backend breaks off behind its head. */
  readonly onResponseCut: (why: Error, exchange: Exchange) => void;
  readonly pools: Pick<AgentPool, 'keepUntilSent'>;
  /** Whether the paths of backends' URLs count. */
  readonly hasBackendPath: boolean;
  /** Whether answers should ask clients to close their connection. */
  readonly isDraining: () => boolean;
}

/** The dependencies of the full lane's exchanges. Types only. */
import type { ExchangeLimits } from '../core/limits/exchange-limits.ts';
import type { SpoolBudget } from '../core/limits/spool.ts';
import type { CutReason } from '../core/record/cut-reason.ts';
import type { ConnectionUse } from '../core/routing/types.ts';
import type { Exchange } from './exchange.ts';
import type { AgentPool } from '../backends/http1/agent-pool.ts';
import type { BufferParts } from './overflow-file.ts';
import type { SlowFlowParts } from './slow-flow.ts';
import type { TunnelParts } from './tunnel.ts';

/** The dependencies of an attempt and of the relay of its response. */
export interface AttemptParts extends TunnelParts, SlowFlowParts {
  readonly limits: ExchangeLimits;
  readonly use: ConnectionUse;
  readonly spools: SpoolBudget;
  readonly buffers: BufferParts;
  /** Called for each client that is cut off because it reads a response too slowly. */
  readonly onCut: (reason: CutReason, exchange: Exchange) => void;
  /** Called for each response that its backend breaks off behind its head. */
  readonly onResponseCut: (why: Error, exchange: Exchange) => void;
  readonly pools: Pick<AgentPool, 'keepUntilSent'>;
  /** Whether the paths of backends' URLs are prepended to request paths. */
  readonly hasBackendPath: boolean;
  /** Whether responses ask clients to close their connections. */
  readonly isDraining: () => boolean;
}

import type { ExchangeRecorder } from '../../observe/exchange-recorder.ts';
import type { Log } from '../../observe/log.ts';
import type { Overload } from '../../overload/overload.ts';
import type { Exchange } from '../../proxy/exchange.ts';
import type { ShareSource } from '../../store/shares.ts';
import type { RouteStore } from '../../store/store.ts';
import type { SecretSource } from './sticky-secret.ts';

/** What Lanes needs of its worker. */
export interface LanesParts {
  readonly store: RouteStore;
  readonly stickySecret: SecretSource;
  readonly shares: ShareSource;
  /** Null with `server.overloadLag` 0. It is closed with the lanes. */
  readonly overload: Overload | null;
  readonly log: Log;
  readonly recorder: ExchangeRecorder;
  readonly isTrusted: (address: string) => boolean;
  /** The port where clients can use TLS; null if there is none. */
  readonly securePort: () => number | null;
  /** Whether load balancers should send requests here. */
  readonly isReady: () => boolean;
  /** Whether responses should ask clients to close their connection. */
  readonly isDraining: () => boolean;
  /** Whether connections are closed instead of waiting for a next request. */
  readonly isClosing: () => boolean;
  /** Called when there is no file descriptor left for a connection to a backend. */
  readonly onShortage: () => void;
  /** Called once for every exchange that ended in the full lane. The recorder gets those of the fast lane itself. */
  readonly onEnded: (exchange: Exchange) => void;
}

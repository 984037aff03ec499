import type { Limits } from '../../config/config.ts';
import { connectionLimits } from '../../core/limits/connection-limits.ts';
import type { ExchangeRecorder } from '../../observe/exchange-recorder.ts';
import { LimitWarnings } from '../../observe/limit-warnings.ts';
import type { Log } from '../../observe/log.ts';
import { ConnectionLimit } from '../../server/connection-limit.ts';
import { maxClientConnections } from '../open-files.ts';

/** The bound of a worker's client connections, which counts and logs those that it closes. */
export function makeConnectionLimit(
  { connections, connectionsPerClient }: Limits,
  recorder: ExchangeRecorder,
  log: Log,
): ConnectionLimit {
  const limits = connectionLimits(maxClientConnections(), connections, connectionsPerClient);
  const limitWarnings = new LimitWarnings(log, limits, () => performance.now());
  return new ConnectionLimit(limits, (reason, client) => {
    recorder.metrics?.closed(reason);
    limitWarnings.closed(reason, client);
  });
}

import type { ServerConfig } from '../../config/config.ts';
import { logOverload } from '../../observe/refusals.ts';
import type { Log } from '../../observe/log.ts';
import { LoopLag } from '../../overload/loop-lag.ts';
import { Overload } from '../../overload/overload.ts';

/** Begins to measure the lag of this worker; null with `server.overloadLag` 0. */
export function watchOverload({ overloadLag }: Pick<ServerConfig, 'overloadLag'>, log: Log): Overload | null {
  if (overloadLag === 0) return null;
  const overload = new Overload({
    lag: new LoopLag(),
    limitMs: overloadLag * 1000,
    now: () => performance.now(),
    notify: (notice) => logOverload(log, notice),
  });
  overload.start();
  return overload;
}

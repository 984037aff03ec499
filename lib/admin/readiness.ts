import type { WorkerState } from '../observe/worker-metrics.ts';
import type { MasterState } from './messages.ts';
import type { Known } from './questions.ts';

export interface Readiness {
  /** Whether the router should be sent requests: it serves at least what it knows. */
  readonly isReady: boolean;
  /** Whether something that it needs is missing, ready or not. */
  readonly isDegraded: boolean;
  /** What is missing, in words; none when nothing is. They name no address: every client that can connect may read them. */
  readonly reasons: readonly string[];
}

/**
 * Whether the router should be sent requests. An outage that all routers have in common, such as that of Redis, takes
 * none of them out of service while routes are known: a load balancer would be left without any.
 * @param states of the workers that said how they are
 */
export function readinessOf(
  master: MasterState,
  workers: readonly Known[],
  states: ReadonlyMap<number, WorkerState>,
): Readiness {
  const reasons: string[] = [];
  if (master.isStopping) reasons.push('the router stops');
  const serving = workers.filter(({ state }) => state === 'serving');
  if (serving.length < master.workers) reasons.push(`${serving.length} of ${master.workers} workers listen`);
  const alive = serving.flatMap(({ pid }) => states.get(pid) ?? []);
  const silent = serving.length - alive.length;
  if (silent > 0) reasons.push(`${silent} of ${serving.length} workers give no sign of life`);
  const lost = alive.filter(({ isStoreUp }) => !isStoreUp);
  if (lost.length > 0) reasons.push(`the store does not answer ${lost.length} of ${serving.length} workers`);
  const ignorant = master.hasRoutes ? [] : alive.filter(({ hasRoutes }) => !hasRoutes);
  if (ignorant.length > 0) reasons.push(`${ignorant.length} of ${serving.length} workers know no routes`);
  return {
    isReady: !master.isStopping && alive.length > ignorant.length,
    isDegraded: reasons.length > 0,
    reasons,
  };
}

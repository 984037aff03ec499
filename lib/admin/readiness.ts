import type { WorkerState } from '../observe/worker-metrics.ts';
import type { MasterState } from './messages.ts';
import type { Known } from './questions.ts';

/** The router's readiness, as `GET /readyz` responds with it. */
export interface Readiness {
  /** Whether load balancers should send requests: the router serves at least what it knows. */
  readonly isReady: boolean;
  /** Whether something is missing, ready or not. */
  readonly isDegraded: boolean;
  /**
   * What is missing, as texts; empty when nothing is. They contain no addresses, since every client that can connect
   * may read them.
   */
  readonly reasons: readonly string[];
}

/**
 * Whether load balancers should send requests. An outage that all routers share, such as that of Redis, does not make
 * them unready while they know routes: otherwise a load balancer would have no router left.
 * @param states the states of the workers that replied
 */
export function readinessOf(
  master: MasterState,
  workers: readonly Known[],
  states: ReadonlyMap<number, WorkerState>,
): Readiness {
  const reasons: string[] = [];
  if (master.isStopping) reasons.push('the router is stopping');
  const serving = workers.filter(({ state }) => state === 'serving');
  if (serving.length < master.workers)
    reasons.push(`${serving.length} of ${master.workers} workers accept connections`);
  const alive = serving.flatMap(({ pid }) => states.get(pid) ?? []);
  const silent = serving.length - alive.length;
  if (silent > 0) reasons.push(`${silent} of ${serving.length} workers do not respond`);
  const lost = alive.filter(({ isStoreUp }) => !isStoreUp);
  if (lost.length > 0) reasons.push(`the store does not reply to ${lost.length} of ${serving.length} workers`);
  const ignorant = master.hasRoutes ? [] : alive.filter(({ hasRoutes }) => !hasRoutes);
  if (ignorant.length > 0) reasons.push(`${ignorant.length} of ${serving.length} workers know no routes`);
  return {
    isReady: !master.isStopping && alive.length > ignorant.length,
    isDegraded: reasons.length > 0,
    reasons,
  };
}

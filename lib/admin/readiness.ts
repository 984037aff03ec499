import type { WorkerState } from '../observe/figures.ts';
import type { MasterState } from './messages.ts';
import type { Known } from './questions.ts';

export interface Readiness {
  readonly isReady: boolean;
  /** Why not, in words; none when it is. */
  readonly reasons: readonly string[];
}

/**
 * Whether the router should be sent requests.
 * @param states of the workers that said how they are
 * @param store its name
 */
export function readinessOf(
  master: MasterState,
  workers: readonly Known[],
  states: ReadonlyMap<number, WorkerState>,
  store: string,
): Readiness {
  const reasons: string[] = [];
  if (master.isStopping) reasons.push('the router stops');
  const serving = workers.filter(({ state }) => state === 'serving');
  if (serving.length < master.workers) reasons.push(`${serving.length} of ${master.workers} workers listen`);
  const silent = serving.filter(({ pid }) => !states.has(pid));
  if (silent.length > 0) reasons.push(`no sign of life from ${silent.map(({ pid }) => `worker ${pid}`).join(', ')}`);
  const lost = serving.filter(({ pid }) => states.get(pid)?.isStoreUp === false);
  if (lost.length > 0) reasons.push(`${store} does not answer ${lost.length} of ${serving.length} workers`);
  return { isReady: reasons.length === 0, reasons };
}

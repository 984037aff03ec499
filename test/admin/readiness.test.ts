import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MasterState } from '../../lib/admin/messages.ts';
import type { Known } from '../../lib/admin/questions.ts';
import { readinessOf } from '../../lib/admin/readiness.ts';
import type { WorkerState } from '../../lib/observe/figures.ts';

const MASTER: MasterState = { pid: 1, upSeconds: 1, residentBytes: 1, listening: [], workers: 2, isStopping: false };
const FINE: WorkerState = {
  connections: 0,
  exchanges: 0,
  tunnels: 0,
  isStoreUp: true,
  linesDropped: 0,
  spansDropped: 0,
  residentBytes: 1,
  heapBytes: 1,
  loopDelay: { p50: 0, p99: 0, max: 0 },
};

function worker(pid: number, state: Known['state'] = 'serving'): Known {
  return { pid, generation: 1, state, upSeconds: 1 };
}

function reasons(master: Partial<MasterState>, workers: readonly Known[], states: [number, WorkerState][]) {
  const { isReady, reasons: found } = readinessOf({ ...MASTER, ...master }, workers, new Map(states), 'redis://r');
  assert.equal(isReady, found.length === 0);
  return found;
}

test('it is ready when all workers listen and their stores answer', () => {
  const both: [number, WorkerState][] = [
    [2, FINE],
    [3, FINE],
  ];
  assert.deepEqual(reasons({}, [worker(2), worker(3)], both), []);
  // During a reload there are more.
  assert.deepEqual(reasons({}, [worker(2), worker(3), worker(4, 'draining'), worker(5, 'starting')], both), []);
});

test('otherwise it says why not', () => {
  const two = [worker(2), worker(3)];
  const fine: [number, WorkerState][] = [
    [2, FINE],
    [3, FINE],
  ];
  assert.deepEqual(reasons({ isStopping: true }, two, fine), ['the router stops']);
  assert.deepEqual(reasons({}, [worker(2), worker(3, 'starting')], fine), ['1 of 2 workers listen']);
  assert.deepEqual(reasons({}, two, [[2, FINE]]), ['no sign of life from worker 3']);
  assert.deepEqual(
    reasons({}, two, [
      [2, FINE],
      [3, { ...FINE, isStoreUp: false }],
    ]),
    ['redis://r does not answer 1 of 2 workers'],
  );
});

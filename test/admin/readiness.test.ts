import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MasterState } from '../../lib/admin/messages.ts';
import type { Known } from '../../lib/admin/questions.ts';
import { readinessOf } from '../../lib/admin/readiness.ts';
import type { WorkerState } from '../../lib/observe/worker-metrics.ts';

const MASTER: MasterState = {
  pid: 1,
  upSeconds: 1,
  residentBytes: 1,
  listening: [],
  workers: 2,
  isStopping: false,
  hasRoutes: false,
  changes: { reload: null, upgrade: null, routes: null, logs: null, snapshot: null },
};
const FINE: WorkerState = {
  connections: 0,
  exchanges: 0,
  tunnels: 0,
  queued: 0,
  bufferedMemory: 0,
  bufferedFiles: 0,
  isStoreUp: true,
  hasRoutes: true,
  certificateFaults: 0,
  linesDropped: 0,
  spansDropped: 0,
  residentBytes: 1,
  heapBytes: 1,
  loopDelay: { p50: 0, p99: 0, max: 0 },
};

function worker(pid: number, state: Known['state'] = 'serving'): Known {
  return { pid, generation: 1, state, upSeconds: 1 };
}

const SILENT: WorkerState = { ...FINE, isStoreUp: false };
const IGNORANT: WorkerState = { ...SILENT, hasRoutes: false };
const TWO = [worker(2), worker(3)];

function readiness(
  workers: readonly Known[],
  states: readonly (readonly [number, WorkerState])[],
  master: Partial<MasterState> = {},
): readonly [isReady: boolean, ...reasons: string[]] {
  const { isReady, isDegraded, reasons } = readinessOf({ ...MASTER, ...master }, workers, new Map(states));
  assert.equal(isDegraded, reasons.length > 0);
  return [isReady, ...reasons];
}

test('it is ready when all workers listen and their stores answer', () => {
  const both = [
    [2, FINE],
    [3, FINE],
  ] as const;
  assert.deepEqual(readiness(TWO, both), [true]);
  // During a reload there are more.
  assert.deepEqual(readiness([...TWO, worker(4, 'draining'), worker(5, 'starting')], both), [true]);
});

test('it is ready and degraded while it serves less than wholly', () => {
  const one = [worker(2), worker(3, 'starting')];
  assert.deepEqual(readiness(one, [[2, FINE]]), [true, '1 of 2 workers accept connections']);
  assert.deepEqual(readiness(TWO, [[2, FINE]]), [true, '1 of 2 workers do not respond']);
  const oneLost = [
    [2, FINE],
    [3, SILENT],
  ] as const;
  assert.deepEqual(readiness(TWO, oneLost), [true, 'the store does not reply to 1 of 2 workers']);
  const allLost = [
    [2, SILENT],
    [3, SILENT],
  ] as const;
  assert.deepEqual(readiness(TWO, allLost), [true, 'the store does not reply to 2 of 2 workers']);
});

test('it is not ready where no worker can serve, nor while it stops', () => {
  const fine = [
    [2, FINE],
    [3, FINE],
  ] as const;
  assert.deepEqual(readiness(TWO, fine, { isStopping: true }), [false, 'the router is stopping']);
  assert.deepEqual(readiness([], []), [false, '0 of 2 workers accept connections']);
  assert.deepEqual(readiness(TWO, []), [false, '2 of 2 workers do not respond']);
  const ignorant = [
    [2, IGNORANT],
    [3, IGNORANT],
  ] as const;
  assert.deepEqual(readiness(TWO, ignorant), [
    false,
    'the store does not reply to 2 of 2 workers',
    '2 of 2 workers know no routes',
  ]);
  // They are given what others have known before them.
  assert.deepEqual(readiness(TWO, ignorant, { hasRoutes: true }), [true, 'the store does not reply to 2 of 2 workers']);
});

import assert from 'node:assert/strict';
import type { Worker } from 'node:cluster';
import { test } from 'node:test';
import type { MemoryExcess } from '../../lib/core/limits/memory-judgement.ts';
import type { Log } from '../../lib/observe/log.ts';
import { WorkerReplacement } from '../../lib/cluster/master/worker-replacement.ts';
import type { WorkerSlot } from '../../lib/cluster/master/worker-slot.ts';
import { deferred } from '../support/deferred.ts';

const EXCESS: MemoryExcess = { fault: 'growth', megabytes: 300, expectedMB: 50, limitMB: 200 };
const WORKER = { process: { pid: 4711 } } as Worker;

function scene() {
  const events: string[] = [];
  const log = { warn: ({ event }: { event: string }) => events.push(event) } as unknown as Log;
  let now = 0;
  const replacement = new WorkerReplacement(log, () => now);
  return { events, replacement, pass: (ms: number) => (now += ms) };
}

function slot(restMs: number | null, replaced: Promise<void> = Promise.resolve()): WorkerSlot {
  const isResting = () => restMs !== 0;
  return { isResting, askForReplacement: () => restMs, replace: () => replaced } as unknown as WorkerSlot;
}

test('a worker is replaced only when the successor of another serves, and not right after', async () => {
  const { events, replacement, pass } = scene();
  const first = deferred<void>();
  const under = replacement.ask(WORKER, slot(0, first.promise), EXCESS);
  await replacement.ask(WORKER, slot(0), EXCESS);
  assert.deepEqual(events, ['worker-fat']);
  first.resolve();
  await under;
  await replacement.ask(WORKER, slot(0), EXCESS);
  assert.deepEqual(events, ['worker-fat']);
  pass(30_000);
  await replacement.ask(WORKER, slot(0), { ...EXCESS, fault: 'ceiling' });
  assert.deepEqual(events, ['worker-fat', 'worker-ceiling']);
});

test('that a worker stays is said at once, and nothing when there is nothing to say', async () => {
  const { events, replacement } = scene();
  await replacement.ask(WORKER, slot(0), { ...EXCESS, fault: 'heap' });
  await replacement.ask(WORKER, slot(60_000), EXCESS);
  await replacement.ask(WORKER, slot(null), EXCESS);
  assert.deepEqual(events, ['worker-heap', 'worker-still-fat']);
});

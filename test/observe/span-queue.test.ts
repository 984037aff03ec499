import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SpanQueue } from '../../lib/observe/span-queue.ts';

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await turn();
}

/** A queue whose batches are taken, or refused, when the test says so. */
function scene(t: TestContext, limitMs = 5_000) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const batches: { readonly items: readonly number[]; settle: (fault?: Error) => void }[] = [];
  const lost: number[] = [];
  const failures: unknown[] = [];
  const queue = new SpanQueue<number>({
    send: (items) =>
      new Promise((resolve, reject) => {
        batches.push({ items, settle: (fault) => (fault ? reject(fault) : resolve()) });
      }),
    limitMs,
    onSent: () => {},
    onFailed: (cause) => failures.push(cause),
    onLost: (items) => lost.push(...items),
  });
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) queue.add(i);
  };
  return { queue, batches, lost, failures, add };
}

test('a few wait a second for more, and go together', async (t) => {
  const { batches, add } = scene(t);
  add(3);
  await pass(999);
  assert.equal(batches.length, 0);
  await pass(1);
  assert.deepEqual(
    batches.map(({ items }) => items),
    [[0, 1, 2]],
  );
});

test('a batch goes at once, the next when the collector has taken it', async (t) => {
  const { batches, add } = scene(t);
  add(200);
  assert.deepEqual(
    batches.map(({ items }) => items.length),
    [64],
  );
  for (let i = 0; i < 3; i++) {
    batches[i]?.settle();
    await pass(0);
  }
  assert.deepEqual(
    batches.map(({ items }) => items.length),
    [64, 64, 64],
  );
  await pass(1_000);
  assert.deepEqual(
    batches.map(({ items }) => items.length),
    [64, 64, 64, 8],
  );
});

test('behind a collector that hangs, so many wait and no more', async (t) => {
  const { batches, lost, add } = scene(t);
  add(100_000);
  assert.equal(batches.length, 1);
  assert.equal(lost.length, 100_000 - 2_048 - 64);
});

test('one that hangs has failed when its time is up, one that fails is left alone for a second', async (t) => {
  const { batches, lost, failures, add } = scene(t);
  add(200);
  await pass(5_000);
  assert.equal(lost.length, 64);
  assert.equal(failures.length, 1);
  add(200);
  await pass(999);
  assert.equal(batches.length, 1);
  await pass(1);
  assert.equal(batches.length, 2);
  batches[1]?.settle(new Error('refused'));
  await pass(0);
  assert.equal(lost.length, 128);
  // The first was given up: what it says now is not heard.
  batches[0]?.settle();
  await pass(0);
  assert.equal(batches.length, 2);
});

test('at the end what waits is sent, and nothing comes in any more', async (t) => {
  const { queue, batches, lost, add } = scene(t);
  add(70);
  const closed = queue.close(2_000);
  for (let i = 0; i < 2; i++) {
    batches[i]?.settle();
    await pass(0);
  }
  await closed;
  assert.deepEqual(
    batches.map(({ items }) => items.length),
    [64, 6],
  );
  assert.deepEqual(lost, []);
  queue.add(99);
  assert.deepEqual(lost, [99]);
});

test('the end comes in time, whatever the collector does', async (t) => {
  const { queue, lost, add } = scene(t);
  add(70);
  const closed = queue.close(2_000);
  await pass(2_000);
  await closed;
  assert.equal(lost.length, 70);
  await pass(10_000);
  assert.equal(lost.length, 70);
});

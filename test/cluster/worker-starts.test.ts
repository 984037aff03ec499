import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_EARLY_ENDS, WorkerStarts } from '../../lib/cluster/master/worker-starts.ts';
import type { WorkerEnd } from '../../lib/cluster/master/worker-end.ts';

const KILLED: WorkerEnd = { type: 'killed', signal: 'SIGKILL' };
const EXITED: WorkerEnd = { type: 'exited', code: 3 };
const UNSTARTED: WorkerEnd = { type: 'unstarted', cause: 'spawn EAGAIN' };
const FAILED: WorkerEnd = { type: 'failed', reason: 'cannot listen on 127.0.0.1 port 80' };
const WHERE = ['http://127.0.0.1:8080'];

/** How often in a row a worker of this place is started again until it is not, at most 20 times. */
function restarts(start: WorkerStarts, index: number, end: WorkerEnd): number {
  let count = 0;
  while (count < 20 && start.ended(index, end)) count++;
  return count;
}

for (const isAlone of [true, false]) {
  const whose = isAlone ? 'the first generation' : 'a generation whose predecessor can go on';

  test(`${whose} serves when all its workers were ready, whatever ended some of them before and after`, async () => {
    const start = new WorkerStarts(2, isAlone);
    assert.ok(start.ended(1, KILLED));
    start.ready(0, WHERE);
    assert.ok(start.ended(1, EXITED));
    assert.ok(start.ended(1, UNSTARTED));
    assert.ok(start.ended(0, KILLED));
    start.ready(1, WHERE);
    assert.deepEqual(await start.done, WHERE);
    assert.equal(restarts(start, 0, EXITED), 20);
    assert.ok(start.ended(1, FAILED));
  });

  test(`a worker of ${whose} that says why it cannot serve refuses the start`, async () => {
    const start = new WorkerStarts(2, isAlone);
    start.ready(0, WHERE);
    assert.equal(start.ended(1, FAILED), false);
    await assert.rejects(start.done, { message: 'cannot listen on 127.0.0.1 port 80' });
    assert.equal(start.ended(0, KILLED), false);
  });

  for (const [end, message] of [
    [EXITED, 'a worker exited with code 3 before it was ready'],
    [UNSTARTED, 'a worker could not be started: spawn EAGAIN'],
  ] as const) {
    test(`in ${whose} one that is ${end.type} refuses the start when no other was ready`, async () => {
      const start = new WorkerStarts(2, isAlone);
      assert.equal(start.ended(1, end), false);
      await assert.rejects(start.done, { message });
    });
  }

  test(`${whose} does not start when each of its workers is killed again and again`, async () => {
    const start = new WorkerStarts(1, isAlone);
    assert.equal(restarts(start, 0, KILLED), MAX_EARLY_ENDS - 1);
    await assert.rejects(start.done, {
      message: 'a worker was killed by SIGKILL before it was ready, 5 times in a row',
    });
  });
}

test('the first generation goes without a worker that is killed again and again, and goes on starting it', async () => {
  for (const isReadyFirst of [true, false]) {
    const start = new WorkerStarts(2, true);
    if (isReadyFirst) start.ready(0, WHERE);
    for (let i = 0; i < MAX_EARLY_ENDS + 1; i++) assert.ok(start.ended(1, KILLED));
    if (!isReadyFirst) start.ready(0, WHERE);
    assert.deepEqual(await start.done, WHERE);
    assert.equal(restarts(start, 1, KILLED), 20);
  }
});

test('the first generation does not start when all its workers are killed again and again', async () => {
  const start = new WorkerStarts(2, true);
  for (let i = 0; i < MAX_EARLY_ENDS; i++) assert.ok(start.ended(0, KILLED));
  assert.equal(restarts(start, 1, KILLED), MAX_EARLY_ENDS - 1);
  await assert.rejects(start.done, /killed by SIGKILL/);
});

test('a later generation does not start when one worker is killed again and again', async () => {
  const start = new WorkerStarts(2, false);
  start.ready(0, WHERE);
  assert.equal(restarts(start, 1, KILLED), MAX_EARLY_ENDS - 1);
  await assert.rejects(start.done, /killed by SIGKILL/);
});

test('a start that was stopped starts no worker again', async () => {
  const start = new WorkerStarts(2, true);
  start.refuse('it was stopped');
  assert.equal(start.ended(0, KILLED), false);
  start.ready(0, WHERE);
  start.ready(1, WHERE);
  await assert.rejects(start.done, { message: 'it was stopped' });
});

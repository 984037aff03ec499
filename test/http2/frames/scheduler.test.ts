import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PRIORITY, priorityOf } from '../../../lib/http2/frames/priority.ts';
import { type Scheduled, Scheduler } from '../../../lib/http2/frames/scheduler.ts';

function schedulerOf(...all: readonly Scheduled[]): Scheduler<Scheduled> {
  const scheduler = new Scheduler<Scheduled>();
  for (const each of all) scheduler.add(each);
  return scheduler;
}

function stream(id: number, value = ''): Scheduled {
  return { id, priority: priorityOf(value, DEFAULT_PRIORITY) };
}

/** The ids of the streams that send the next frames. */
function next(scheduler: Scheduler<Scheduled>, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => scheduler.next()?.id);
}

test('the lowest urgency sends first, and of equal ones the stream that was opened first', () => {
  const scheduler = schedulerOf(stream(5), stream(3), stream(7, 'u=1'), stream(1, 'u=7'));
  const order: number[] = [];
  for (let first = scheduler.next(); first !== null; first = scheduler.next()) {
    assert.equal(scheduler.next(), first, 'it sends until it is done');
    order.push(first.id);
    scheduler.remove(first);
  }
  assert.deepEqual(order, [7, 3, 5, 1]);
  assert.equal(scheduler.size, 0);
});

test('incremental responses take turns, frame by frame', () => {
  const scheduler = schedulerOf(stream(1, 'i'), stream(3, 'i'), stream(5, 'i'));
  assert.deepEqual(next(scheduler, 7), [1, 3, 5, 1, 3, 5, 1]);
});

test('where both kinds wait, neither starves the other', () => {
  const scheduler = schedulerOf(stream(1), stream(3, 'i'), stream(5, 'i'), stream(7));
  const ids = next(scheduler, 8);
  assert.equal(ids.filter((id) => id === 1).length, 4);
  assert.equal(ids.filter((id) => id === 3).length, 2);
  assert.equal(ids.filter((id) => id === 5).length, 2);
});

test('what is removed sends nothing, and removing it again does nothing', () => {
  const [one, two] = [stream(1), stream(3, 'i')];
  const scheduler = schedulerOf(one, two);
  scheduler.remove(one);
  scheduler.remove(one);
  assert.deepEqual(next(scheduler, 2), [3, 3]);
  scheduler.remove(two);
  assert.deepEqual([scheduler.next(), scheduler.size], [null, 0]);
});

test('a priority is what its last members say, and keeps the rest', () => {
  const before = { urgency: 5, isIncremental: true };
  for (const [value, urgency, isIncremental] of [
    ['', 5, true],
    ['u=1', 1, true],
    ['i=?0', 5, false],
    ['u=0, i', 0, true],
    ['i, u=2;x=1', 2, true],
    ['u=1,u=6', 6, true],
    ['i=?0,i=?1', 5, true],
    ['u=8', 5, true],
    ['u=-1', 5, true],
    ['u="1"', 5, true],
    ['i=2', 5, true],
    ['xu=1, x=?0', 5, true],
    [`u=1${' '.repeat(500)}`, 5, true],
  ] as const) {
    assert.deepEqual(priorityOf(value, before), { urgency, isIncremental }, value);
  }
  assert.deepEqual(priorityOf('i', DEFAULT_PRIORITY), { urgency: 3, isIncremental: true });
});

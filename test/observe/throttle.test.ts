import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BURST_LINES, BURST_MS, type Suppressed } from '../../lib/observe/bursts.ts';
import { Throttle } from '../../lib/observe/throttle.ts';

test('what a burst left out is told when its window is over, one after the other', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const pass = (ms: number): void => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  const told: Suppressed[] = [];
  const throttle = new Throttle(
    (left) => told.push(left),
    () => now,
  );
  const tryLines = (name: string, count: number): void => {
    for (let i = 0; i < count; i++) if (!throttle.isFull(name)) throttle.logged(name);
  };
  tryLines('a', BURST_LINES);
  pass(2_000);
  tryLines('a', 3);
  tryLines('b', BURST_LINES + 1);
  pass(BURST_MS - 2_001);
  assert.deepEqual(told, []);
  pass(1);
  assert.deepEqual(told, [{ of: 'a', count: 3, seconds: 10 }]);
  tryLines('a', BURST_LINES + 5);
  pass(2_000);
  assert.deepEqual(told.splice(0), [
    { of: 'a', count: 3, seconds: 10 },
    { of: 'b', count: 1, seconds: 10 },
  ]);
  throttle.end();
  assert.deepEqual(told, [{ of: 'a', count: 5, seconds: 2 }]);
  pass(10 * BURST_MS);
  assert.equal(told.length, 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BURST_LINES, BURST_MS, Bursts } from '../../lib/observe/bursts.ts';

/** Tries to log so many lines at once. Returns how many could be. */
function tryLines(bursts: Bursts, name: string, count: number, now: number): number {
  let logged = 0;
  for (let i = 0; i < count; i++) {
    if (bursts.isFull(name, now)) continue;
    bursts.logged(name, now);
    logged++;
  }
  return logged;
}

test('20 lines in 10 s are logged, the others counted, and told once when the time is over', () => {
  const bursts = new Bursts();
  assert.equal(tryLines(bursts, 'a', 15, 1_000), 15);
  assert.equal(bursts.dueIn(1_000), null);
  assert.equal(tryLines(bursts, 'a', 15, 7_000), 5);
  assert.equal(bursts.dueIn(7_000), 4_000);
  assert.deepEqual(bursts.take(10_999), []);
  assert.equal(tryLines(bursts, 'a', 5, 10_999), 0);
  assert.deepEqual(bursts.take(11_000), [{ of: 'a', count: 15, seconds: 10 }]);
  assert.deepEqual(bursts.take(11_000), []);
  assert.equal(bursts.dueIn(11_000), null);
});

test('each name is counted for itself', () => {
  const bursts = new Bursts();
  assert.equal(tryLines(bursts, 'a', 100, 0), BURST_LINES);
  assert.equal(tryLines(bursts, 'b', 100, 4_000), BURST_LINES);
  assert.equal(bursts.dueIn(4_000), 6_000);
  assert.deepEqual(bursts.take(BURST_MS), [{ of: 'a', count: 80, seconds: 10 }]);
  assert.equal(bursts.dueIn(BURST_MS), 4_000);
});

test('when a next window begins before anybody has asked, no count is lost', () => {
  const bursts = new Bursts();
  tryLines(bursts, 'a', 25, 0);
  assert.equal(tryLines(bursts, 'a', 30, 12_000), BURST_LINES);
  assert.equal(bursts.dueIn(12_000), 0);
  assert.deepEqual(bursts.take(12_000), [{ of: 'a', count: 5, seconds: 10 }]);
  assert.deepEqual(bursts.take(22_000), [{ of: 'a', count: 10, seconds: 10 }]);
});

test('at the end all is told, with the time it took', () => {
  const bursts = new Bursts();
  tryLines(bursts, 'a', 21, 0);
  tryLines(bursts, 'b', 20, 0);
  tryLines(bursts, 'c', 30, 2_100);
  assert.deepEqual(bursts.take(3_000, true), [
    { of: 'a', count: 1, seconds: 3 },
    { of: 'c', count: 10, seconds: 1 },
  ]);
  assert.deepEqual(bursts.take(3_000, true), []);
});

test('lines at a bearable pace are all logged', () => {
  const bursts = new Bursts();
  for (let now = 0; now < 100 * BURST_MS; now += BURST_MS / BURST_LINES) assert.equal(tryLines(bursts, 'a', 1, now), 1);
  assert.deepEqual(bursts.take(Infinity), []);
});

test('however many names there are, memory is bounded, and lines without a count are logged', () => {
  const bursts = new Bursts();
  for (let i = 0; i < 10_000; i++) assert.equal(tryLines(bursts, `name ${i}`, 21, 0), i < 500 ? 20 : 21);
  assert.equal(bursts.take(BURST_MS).length, 500);
});

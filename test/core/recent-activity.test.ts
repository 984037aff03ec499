import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DURATION_CELLS, addDuration } from '../../lib/core/record/durations.ts';
import { type Activity, RecentActivity, ratesOf, WINDOW_MS } from '../../lib/core/record/recent-activity.ts';

/** The counts alone. */
function counted({ requests, errors, durations }: Activity): readonly number[] {
  return [requests, errors, durations.reduce((sum, count) => sum + count, 0)];
}

test('what happened in the present window and in the one before counts, and nothing older', () => {
  const activity = new RecentActivity();
  activity.responded(0, 3, false);
  activity.responded(WINDOW_MS - 1, 3, true);
  assert.deepEqual(counted(activity.read(WINDOW_MS - 1)), [2, 1, 2]);
  activity.failed(WINDOW_MS, false);
  assert.deepEqual(counted(activity.read(WINDOW_MS)), [3, 2, 2]);
  activity.failed(2 * WINDOW_MS - 1, true);
  assert.deepEqual(counted(activity.read(2 * WINDOW_MS - 1)), [3, 3, 2]);
  assert.deepEqual(counted(activity.read(2 * WINDOW_MS)), [1, 2, 0], 'also without a request since');
  assert.deepEqual(counted(activity.read(3 * WINDOW_MS)), [0, 0, 0]);
  activity.responded(9 * WINDOW_MS, 3, false);
  assert.deepEqual(counted(activity.read(9 * WINDOW_MS)), [1, 0, 1]);
});

test('a rate is over the time that is counted: at least a second, at most two windows', () => {
  const activity = new RecentActivity();
  assert.equal(activity.read(0).seconds, 1);
  assert.equal(activity.read(10_000).seconds, 10);
  assert.equal(activity.read(WINDOW_MS + 10_000).seconds, 40);
  assert.equal(activity.read(9 * WINDOW_MS).seconds, 30);
  activity.responded(9 * WINDOW_MS, 1, false);
  // One request after minutes without any is not one each second.
  assert.equal(ratesOf([activity.read(9 * WINDOW_MS)]).requestsPerSecond, 0.033);
});

test('counts are added to those of the same window', () => {
  const activity = new RecentActivity();
  const cells = new Float64Array(3 + DURATION_CELLS);
  addDuration(cells, 3, 20, 4);
  activity.add(5, 4, 1, cells, 3);
  activity.add(6, 4, 1, cells, 3);
  activity.responded(7, 20, false);
  assert.deepEqual(counted(activity.read(7)), [9, 2, 9]);
});

test('rates of several processes are added; quantiles are of all durations together', () => {
  const fast = new RecentActivity();
  const slow = new RecentActivity();
  for (let i = 0; i < 980; i++) fast.responded(1_000, 1, false);
  for (let i = 0; i < 20; i++) slow.responded(1_000, 400, true);
  const rates = ratesOf([fast.read(10_000), slow.read(10_000)]);
  assert.equal(rates.requestsPerSecond, 100);
  assert.equal(rates.errorsPerSecond, 2);
  assert.ok(rates.p50 !== null && rates.p50 <= 0.001);
  assert.ok(rates.p99 !== null && rates.p99 >= 0.25 && rates.p99 <= 0.5);
  assert.deepEqual(ratesOf([]), { requestsPerSecond: 0, errorsPerSecond: 0, p50: null, p99: null });
});

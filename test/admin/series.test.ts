import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrontendSeries, SECONDS } from '../../lib/admin/series.ts';
import { ROW, RequestCounters } from '../../lib/observe/request-counters.ts';

function row(...statuses: readonly number[]): Float64Array {
  const counters = new RequestCounters(0);
  for (const status of statuses) counters.count(1, null, status, 3, null);
  return counters.take().rows.subarray(0, ROW);
}

test('a second holds what was added while it lasted', () => {
  const series = new FrontendSeries();
  series.add(row(200, 200));
  series.add(row(502, 0));
  series.endSecond();
  series.endSecond();
  series.add(row(404));
  series.endSecond();
  const { requests, errors, p50, p99 } = series.read(4);
  assert.deepEqual(requests, [0, 4, 0, 1]);
  assert.deepEqual(errors, [0, 1, 0, 0]);
  assert.equal(p50[2], null);
  assert.ok(p50[1] !== null && p50[1] !== undefined && p50[1] > 0.0025 && p50[1] <= 0.005, String(p50[1]));
  assert.ok((p99[1] ?? 0) >= (p50[1] ?? 1));
  assert.equal(series.recent(2), 1);
  assert.equal(series.recent(3), 5);
});

test('only the last five minutes are kept', () => {
  const series = new FrontendSeries();
  for (let i = 0; i < SECONDS + 10; i++) {
    if (i === 5) series.add(row(200));
    if (i === 15) series.add(row(200, 200));
    series.endSecond();
  }
  const { requests } = series.read(10_000);
  assert.equal(requests.length, SECONDS);
  assert.equal(requests[5], 2);
  assert.equal(series.recent(SECONDS), 2);
});

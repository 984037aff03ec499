import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addDuration,
  DURATION_CELLS,
  DURATION_ENDS_MS,
  durationsIn,
  quantileMs,
} from '../../lib/core/record/durations.ts';

function countsOf(...durations: readonly number[]): readonly number[] {
  const cells = new Float64Array(DURATION_CELLS);
  for (const ms of durations) addDuration(cells, 0, ms);
  return durationsIn(cells, 0).counts;
}

test('a duration falls into the first bucket that it does not exceed', () => {
  for (const [bucket, end] of DURATION_ENDS_MS.entries()) {
    assert.equal(countsOf(end)[bucket], 1, `${end} ms`);
    assert.equal(countsOf(end + 0.01)[bucket + 1], 1, `more than ${end} ms`);
  }
  assert.equal(countsOf(0)[0], 1);
});

test('the sum is kept, and several of the same are counted at once', () => {
  const cells = new Float64Array(3 + DURATION_CELLS);
  addDuration(cells, 3, 4);
  addDuration(cells, 3, 6, 10);
  const { counts, sumMs } = durationsIn(cells, 3);
  assert.equal(sumMs, 64);
  assert.equal(
    counts.reduce((a, b) => a + b),
    11,
  );
  assert.deepEqual([...cells.subarray(0, 3)], [0, 0, 0]);
});

test('quantiles lie within their bucket', () => {
  assert.equal(quantileMs(countsOf(), 0.5), null);
  const mixed = countsOf(...Array<number>(90).fill(0.7), ...Array<number>(10).fill(80));
  const median = quantileMs(mixed, 0.5) ?? 0;
  assert.ok(median > 0.5 && median <= 1, String(median));
  const late = quantileMs(mixed, 0.99) ?? 0;
  assert.ok(late > 50 && late <= 100, String(late));
  assert.equal(quantileMs(countsOf(1e9), 0.5), DURATION_ENDS_MS.at(-1));
});

/** The leaky bucket of rate limits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, integer, property } from 'fast-check';
import { filled, waitMs } from '../../lib/core/limits/leaky-bucket.ts';

/** How many of these requests, at these times in ms, pass. */
function passed(times: readonly number[], perSecond: number, burst: number): readonly number[] {
  let emptyAt = 0;
  return times.filter((now) => {
    if (waitMs(emptyAt, now, perSecond, burst) > 0) return false;
    emptyAt = filled(emptyAt, now, perSecond);
    return true;
  });
}

test('a burst passes at once, then one after the other as the rate has it', () => {
  const times = Array.from({ length: 400 }, (_, i) => 1000 + i * 10);
  const through = passed(times, 10, 5);
  assert.deepEqual(through.slice(0, 6), [1000, 1010, 1020, 1030, 1040, 1100]);
  assert.equal(through.length, 5 + 39);
});

test('the time to wait is when the next one passes, and not earlier', () => {
  assert.equal(waitMs(0, 1000, 2, 1), 0);
  const emptyAt = filled(0, 1000, 2);
  assert.equal(waitMs(emptyAt, 1100, 2, 1), 400);
  assert.equal(waitMs(emptyAt, 1500, 2, 1), 0);
});

test('in no interval more pass than the burst and what the rate has for it', () => {
  check(
    property(
      array(integer({ min: 0, max: 200 }), { maxLength: 200 }),
      integer({ min: 1, max: 50 }),
      integer({ min: 1, max: 20 }),
      (gaps, perSecond, burst) => {
        let now = 1000;
        const through = passed(
          gaps.map((gap) => (now += gap)),
          perSecond,
          burst,
        );
        for (let i = 0; i < through.length; i++) {
          for (let j = i; j < through.length; j++) {
            const seconds = ((through[j] ?? 0) - (through[i] ?? 0)) / 1000;
            assert.ok(j - i + 1 <= burst + seconds * perSecond + 1e-6);
          }
        }
      },
    ),
  );
});

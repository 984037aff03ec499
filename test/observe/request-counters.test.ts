import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationsIn } from '../../lib/core/record/durations.ts';
import {
  BACKEND_AT,
  CLASSES,
  ROW,
  RequestCounters,
  type CountedRequests,
  TOTAL_AT,
} from '../../lib/observe/request-counters.ts';

/** Requests of a row by lane and class: `fast 2xx`. */
function classesOf({ rows }: CountedRequests, row: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [lane, name] of ['full', 'fast'].entries()) {
    for (const [at, each] of CLASSES.entries()) {
      const count = rows[row * ROW + lane * CLASSES.length + at] ?? 0;
      if (count > 0) found[`${name} ${each}`] = count;
    }
  }
  return found;
}

test('requests are counted by frontend, lane and class', () => {
  const counters = new RequestCounters(10);
  for (const status of [200, 204, 301, 404, 500, 503, 101, 0]) counters.count(1, 'a', status, 1, 1);
  counters.count(0, 'b', 200, 1, null);
  counters.count(0, null, 400, 1, null);
  const taken = counters.take();
  assert.deepEqual(taken.names, ['a', 'b']);
  assert.deepEqual(classesOf(taken, 0), { 'full 4xx': 1 });
  assert.deepEqual(classesOf(taken, 2), {
    'fast aborted': 1,
    'fast 1xx': 1,
    'fast 2xx': 2,
    'fast 3xx': 1,
    'fast 4xx': 1,
    'fast 5xx': 2,
  });
  assert.deepEqual(classesOf(taken, 3), { 'full 2xx': 1 });
});

test('durations are kept apart, and a backend that was not tried has none', () => {
  const counters = new RequestCounters(10);
  counters.count(1, 'a', 200, 30, 20);
  counters.count(0, 'a', 502, 5, null);
  const { rows } = counters.take();
  assert.equal(durationsIn(rows, 2 * ROW + TOTAL_AT).sumMs, 35);
  assert.equal(durationsIn(rows, 2 * ROW + BACKEND_AT).sumMs, 20);
});

test('what was taken is not counted again', () => {
  const counters = new RequestCounters(10);
  counters.count(1, 'a', 200, 1, 1);
  counters.take();
  counters.count(1, 'b', 200, 1, 1);
  const second = counters.take();
  assert.deepEqual(second.names, ['b']);
  assert.deepEqual(classesOf(second, 2), { 'fast 2xx': 1 });
  assert.deepEqual(counters.take().names, []);
});

test('frontends beyond the bound are counted together', () => {
  const counters = new RequestCounters(100);
  for (let i = 0; i < 300; i++) counters.count(1, `site ${i}`, 200, 1, 1);
  const taken = counters.take();
  assert.equal(taken.names.length, 100);
  assert.deepEqual(classesOf(taken, 1), { 'fast 2xx': 200 });
  assert.deepEqual(classesOf(taken, 101), { 'fast 2xx': 1 });
});

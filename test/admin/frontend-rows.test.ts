import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrontendRows } from '../../lib/admin/frontend-rows.ts';
import { RequestCounters, TOTAL_AT } from '../../lib/observe/request-counters.ts';

/** Requests by frontend, as a worker would have counted them. */
function tallied(...names: readonly (string | null)[]): ReturnType<RequestCounters['take']> {
  const counters = new RequestCounters(1000);
  for (const name of names) counters.count(1, name, 200, 1, 1);
  return counters.take();
}

function countsOf(rows: FrontendRows): Record<string, number> {
  return Object.fromEntries(
    Array.from(rows.entries(), ([name, { row }]) => [name, row.subarray(0, TOTAL_AT).reduce((a, b) => a + b, 0)]),
  );
}

test('what workers count of a frontend is added up', () => {
  const rows = new FrontendRows(10, () => 0);
  rows.add(tallied('a', 'b', 'a', null));
  rows.add(tallied('b', null));
  assert.deepEqual(countsOf(rows), { unknown: 2, a: 2, b: 2 });
});

test('no more than so many frontends have metrics of their own', () => {
  const rows = new FrontendRows(3, () => 0);
  rows.add(tallied('a', 'b', 'c', 'd', 'e'));
  rows.add(tallied('a', 'f'));
  assert.deepEqual(countsOf(rows), { other: 3, a: 2, b: 1, c: 1 });
});

test('a frontend that was idle for five minutes makes room', () => {
  let now = 0;
  const rows = new FrontendRows(2, () => now);
  rows.add(tallied('a', 'b'));
  now = 200_000;
  rows.add(tallied('b', 'c'));
  assert.deepEqual(countsOf(rows), { other: 1, a: 1, b: 2 });
  now = 300_001;
  rows.add(tallied('c'));
  assert.deepEqual(countsOf(rows), { other: 1, b: 2, c: 1 });
});

test('an identifier that means something else as a label is one of the others', () => {
  const rows = new FrontendRows(10, () => 0);
  rows.add(tallied('unknown', 'other', '__proto__'));
  assert.deepEqual(
    Array.from(rows.entries(), ([name]) => name),
    ['other', '__proto__'],
  );
});

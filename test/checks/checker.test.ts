/** The checks of one site do not keep those of others waiting. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Shown } from '../../lib/backends/checks/answer.ts';
import { CheckQueue } from '../../lib/checks/check-queue.ts';
import { Checker } from '../../lib/checks/checker.ts';
import { PendingChecks } from '../../lib/checks/pending-checks.ts';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import type { CheckReport, CheckTurn, DueList } from '../../lib/store/checks.ts';
import { eventually } from '../support/eventually.ts';

const FIELDS = new Map([
  ['path', '/'],
  ['interval', '1'],
]);

function listOf(key: string, count: number): DueList {
  const urls = Array.from({ length: count }, (_, i) => `http://10.0.${i >> 8}.${i & 255}:80`);
  return { key, fields: FIELDS, list: [key, ...urls], dead: [], marks: [], down: [], results: new Map() };
}

/** A checker that gets these lists in each turn; checks of sites in `silent` do not end. */
function start(t: TestContext, lists: readonly DueList[], silent: ReadonlySet<string>) {
  const seen = { asked: [] as number[], filed: new Map<string, number>(), running: new Map<string, number>() };
  const turn = async (reports: readonly CheckReport[], max: number): Promise<CheckTurn> => {
    seen.asked.push(max);
    for (const { key } of reports) seen.filed.set(key, (seen.filed.get(key) ?? 0) + 1);
    const outcomes = reports.map(() => 'noted' as const);
    return { outcomes, due: lists.slice(0, max), lists: lists.length, isPaused: false, off: null };
  };
  const probe = ({ host }: { readonly host: string }, onShown: (shown: Shown) => void) => {
    seen.running.set(host, (seen.running.get(host) ?? 0) + 1);
    if (!silent.has(host)) setImmediate(() => onShown({ hasPassed: true, detail: '' }));
    return { cancel: () => {} };
  };
  const checker = new Checker({
    source: { turn, close: () => {} },
    probe,
    clock: new TimeLimits(),
    router: 'one',
    notify: () => {},
    onChecked: () => {},
    now: Date.now,
  });
  t.after(() => checker.close());
  return seen;
}

test('a site with 10,000 backends that do not respond leaves half of the checks at a time to others', async (t) => {
  const silent = new Set(['silent.test']);
  const seen = start(t, [listOf('silent.test', 10_000), listOf('other.test', 3)], silent);
  await eventually(() => assert.ok((seen.filed.get('other.test') ?? 0) >= 9, 'three rounds of the other site'));
  assert.equal(seen.running.get('silent.test'), 256);
  assert.ok(
    seen.asked.every((max) => max > 0),
    'lists are taken all the time',
  );
});

test('sites have their turns one after the other, and a site has as many at a time as are left', () => {
  const queue = new CheckQueue(6);
  const begun: string[] = [];
  for (let i = 0; i < 5; i++) queue.add('a', () => begun.push(`a ${i}`));
  for (let i = 0; i < 2; i++) queue.add('b', () => begun.push(`b ${i}`));
  for (let i = 0; i < 2; i++) queue.add('c', () => begun.push(`c ${i}`));
  // One alone has half; of what it leaves the next has half, and so on.
  assert.deepEqual(begun, ['a 0', 'a 1', 'a 2', 'b 0', 'b 1', 'c 0']);
  for (const site of ['a', 'a']) queue.ended(site);
  assert.deepEqual(begun.slice(6), ['a 3']);
  for (const site of ['b', 'b']) queue.ended(site);
  assert.deepEqual(begun.slice(7), ['c 1'], 'it was its turn, and a has as many as are left');
  queue.ended('c');
  assert.deepEqual(begun.slice(8), ['a 4']);
  for (let i = 0; i < 9; i++) queue.add('a', () => begun.push('more'));
  queue.clear();
  const before = begun.length;
  for (const site of ['a', 'a', 'c']) queue.ended(site);
  assert.equal(begun.length, before);
});

test('the same backend is not pending twice, and a site counts for half of the bound', () => {
  const pending = new PendingChecks(10);
  assert.deepEqual([pending.add('a', 'one'), pending.add('a', 'one')], [true, false]);
  for (let i = 0; i < 100; i++) pending.add('a', `${i}`);
  assert.equal(pending.isFull, false);
  for (let i = 0; i < 5; i++) pending.add('b', `b ${i}`);
  assert.equal(pending.isFull, true);
  pending.delete('b', 'b 0');
  pending.delete('b', 'b 0');
  assert.equal(pending.isFull, false);
  pending.delete('a', 'one');
  assert.equal(pending.add('a', 'one'), true);
});

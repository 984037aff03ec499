import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from '../../lib/proxy/retry-budget.ts';

/** How many retries may be in flight at once. */
function room(budget: RetryBudget, site = 'a.test'): number {
  let taken = 0;
  while (taken < 1_000 && budget.take(site)) taken++;
  for (let i = 0; i < taken; i++) budget.giveBack(site);
  return taken;
}

test('a quiet worker may retry three times at once', () => {
  assert.equal(room(new RetryBudget(0.2)), 3);
  assert.equal(room(new RetryBudget(0)), 3);
});

test('a busy worker may retry a share of its requests', () => {
  const budget = new RetryBudget(0.2);
  for (let i = 0; i < 100; i++) budget.requestStarted();
  assert.equal(room(budget), 20);
  for (let i = 0; i < 50; i++) budget.requestEnded();
  assert.equal(room(budget), 10);
});

test('what was given back can be taken again', () => {
  const budget = new RetryBudget(0.2);
  assert.deepEqual(
    [budget.take('a.test'), budget.take('a.test'), budget.take('a.test'), budget.take('a.test')],
    [true, true, true, false],
  );
  budget.giveBack('a.test');
  assert.deepEqual([budget.take('a.test'), budget.take('a.test')], [true, false]);
});

test('a site whose backends all fail leaves retries for the next one', () => {
  const budget = new RetryBudget(0.2);
  for (let i = 0; i < 100; i++) budget.requestStarted();
  let taken = 0;
  while (budget.take('sick.test')) taken++;
  assert.equal(taken, 20);
  assert.equal(room(budget, 'well.test'), 10);
  for (let sites = 0; sites < 50; sites++) while (budget.take(`${sites}.test`)) taken++;
  assert.ok(taken <= 40, `${taken} of all sites together`);
});

test('in a quiet worker, too', () => {
  const budget = new RetryBudget(0.2);
  while (budget.take('sick.test'));
  assert.ok(room(budget, 'well.test') >= 1);
});

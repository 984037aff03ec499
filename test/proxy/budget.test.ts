import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from '../../lib/proxy/budget.ts';

/** How many retries may be in flight at once. */
function room(budget: RetryBudget): number {
  let taken = 0;
  while (taken < 1_000 && budget.take()) taken++;
  for (let i = 0; i < taken; i++) budget.giveBack();
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
  assert.deepEqual([budget.take(), budget.take(), budget.take(), budget.take()], [true, true, true, false]);
  budget.giveBack();
  assert.deepEqual([budget.take(), budget.take()], [true, false]);
});

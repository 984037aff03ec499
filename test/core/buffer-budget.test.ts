import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferBudget } from '../../lib/core/limits/buffer-budget.ts';

test('one site alone has at most half of the bytes in files, and others find some then', () => {
  const budget = new BufferBudget(100, 1000);
  budget.fileBytes.add('a.test', 499);
  assert.equal(budget.mayOpen('a.test'), true);
  budget.fileBytes.add('a.test', 1);
  assert.equal(budget.mayOpen('a.test'), false);
  assert.equal(budget.mayOpen('b.test'), true);
});

test('one site alone has at most half of the files', () => {
  const budget = new BufferBudget(100, 1000);
  let count = 0;
  for (; budget.mayOpen('a.test'); count++) budget.files.add('a.test', 1);
  assert.equal(count, 500);
  assert.equal(budget.mayOpen('b.test'), true);
});

test('without bytes for files there are none', () => {
  assert.equal(new BufferBudget(100, 0).mayOpen('a.test'), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Spool, SpoolBudget } from '../../lib/core/limits/spool.ts';

test('what is held comes out in its order, and counts until then', () => {
  const budget = new SpoolBudget();
  const spool = new Spool<string>(budget, 'a');
  for (let i = 0; i < 200; i++) spool.push(`piece ${i}`);
  spool.push('');
  for (let i = 0; i < 200; i++) assert.equal(spool.shift(), `piece ${i}`);
  assert.equal(spool.shift(), undefined);
  assert.ok(spool.isEmpty);
  assert.equal(budget.used, 0);
});

test('a spool is full at a size of its own', () => {
  const spool = new Spool<Buffer>(new SpoolBudget(), 'a');
  for (let i = 0; i < 3; i++) spool.push(Buffer.alloc(65_536));
  assert.equal(spool.isFull, false);
  spool.push(Buffer.alloc(65_536));
  assert.equal(spool.isFull, true);
  spool.clear();
  assert.equal(spool.isFull, false);
});

test('small pieces cost more than their bytes', () => {
  const spool = new Spool<string>(new SpoolBudget(), 'a');
  let count = 0;
  for (; !spool.isFull; count++) spool.push('x');
  assert.ok(count < 3_000);
});

test('one client may hold as much as is left for all others', () => {
  const budget = new SpoolBudget(100_000);
  const held = (client: string): Spool<Buffer> => {
    const spool = new Spool<Buffer>(budget, client);
    while (!spool.isFull) spool.push(Buffer.alloc(1_000));
    return spool;
  };
  const first = held('a');
  assert.ok(budget.used >= 50_000 && budget.used < 52_000, `${budget.used}`);
  assert.ok(new Spool<Buffer>(budget, 'a').isFull, 'by other responses, too');
  held('b');
  assert.ok(budget.used >= 75_000 && budget.used < 77_000, `${budget.used}`);
  first.clear();
  assert.equal(new Spool<Buffer>(budget, 'a').isFull, false);
});

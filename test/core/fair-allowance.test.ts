import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairAllowance } from '../../lib/core/limits/fair-allowance.ts';

function scene(burst: number, perSecond: number) {
  const clock = { now: 0 };
  const allowance = new FairAllowance(burst, perSecond, () => clock.now);
  /** How many of so many it gets. */
  const take = (holder: string, count: number): number => {
    let taken = 0;
    for (let i = 0; i < count; i++) if (allowance.takeOne(holder)) taken++;
    return taken;
  };
  return { allowance, clock, take };
}

test('one holder has half of the burst, and half of the rate', () => {
  const { clock, take } = scene(100, 10);
  assert.equal(take('a', 100), 50);
  assert.equal(take('b', 100), 50);
  clock.now = 1_000;
  assert.equal(take('a', 100), 5);
  assert.equal(take('b', 100), 5);
});

test('all holders together have the burst, and what one could not take is not counted for it', () => {
  const { clock, take } = scene(100, 10);
  assert.equal(take('a', 50) + take('b', 40), 90);
  assert.equal(take('c', 40), 10);
  clock.now = 3_000;
  assert.equal(take('c', 100), 30);
});

test('what is given back may be taken again, by the holder or by the others alone', () => {
  const { allowance, take } = scene(10, 1);
  assert.equal(take('a', 10), 5);
  for (let i = 0; i < 5; i++) allowance.giveBack('a');
  assert.equal(take('a', 10), 5);
  for (let i = 0; i < 5; i++) allowance.giveBackToAll();
  assert.equal(take('a', 10), 0);
  assert.equal(take('b', 10) + take('c', 10), 10);
});

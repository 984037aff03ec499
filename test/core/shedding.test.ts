/** What an overloaded worker refuses, and of which sites. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nextPart, refusedParts } from '../../lib/core/limits/shedding.ts';

test('the part that is refused grows while the lag stays, faster the longer it is, and never is all', () => {
  assert.ok(Math.abs(nextPart(0, 100, 100) - 0.1) < 1e-9);
  assert.ok(Math.abs(nextPart(0.2, 200, 100) - 0.4) < 1e-9);
  assert.ok(Math.abs(nextPart(0.2, 60_000, 100) - 0.5) < 1e-9);
  assert.equal(nextPart(0.85, 100, 100), 0.9);
});

test('it stays while the lag is near the limit, shrinks without lag, and ends', () => {
  assert.equal(nextPart(0.3, 60, 100), 0.3);
  assert.equal(nextPart(0, 60, 100), 0);
  assert.equal(nextPart(0, 0, 100), 0);
  let part = 0.9;
  let turns = 0;
  for (; part > 0 && turns < 100; turns++) part = nextPart(part, 10, 100);
  assert.equal(part, 0);
  assert.equal(turns, 11);
});

const refused = (costs: Readonly<Record<string, number>>, part: number): Readonly<Record<string, number>> =>
  Object.fromEntries([...refusedParts(new Map(Object.entries(costs)), part)].map(([site, it]) => [site, round(it)]));
const round = (number: number): number => Math.round(number * 1e6) / 1e6;

test('the site with the most loses first, and those with less only when it has come down to them', () => {
  assert.deepEqual(refused({ small: 1, big: 99 }, 0.1), { big: round(10 / 99) });
  assert.deepEqual(refused({ a: 60, b: 30, c: 10 }, 0.3), { a: 0.5 });
  assert.deepEqual(refused({ a: 60, b: 30, c: 10 }, 0.5), { a: round(1 - 20 / 60), b: round(1 - 20 / 30) });
  assert.deepEqual(refused({ a: 50, b: 50 }, 0.5), { a: 0.5, b: 0.5 });
  assert.deepEqual(refused({ alone: 10 }, 0.25), {}, 'there is no other site to make room for');
  assert.deepEqual(refused({ a: 60, b: 30 }, 0), {});
  assert.deepEqual(refused({}, 0.5), {});
});

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

test('all sites together lose the part, and no site loses while one with more keeps more', () => {
  const sites = fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 2, maxLength: 50 });
  fc.assert(
    fc.property(sites, fc.double({ min: 0, max: 0.9, noNaN: true }), (costs, part) => {
      const parts = refusedParts(new Map(costs.map((cost, i) => [String(i), cost])), part);
      const kept = costs.map((cost, i) => cost * (1 - (parts.get(String(i)) ?? 0)));
      assert.ok(Math.abs(sum(kept) - sum(costs) * (1 - part)) < 1e-3);
      const most = Math.max(...kept);
      for (const [i, cost] of costs.entries()) {
        if (parts.has(String(i))) assert.ok(Math.abs((kept[i] ?? 0) - most) < 1e-3);
        else assert.equal(kept[i], cost);
      }
    }),
  );
});

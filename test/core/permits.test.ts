/** How the permits of a limit are divided: see core/limits/permits.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SILENT_MS } from '../../lib/core/limits/demand.ts';
import { permitsOf, type PermitUse, ROUND_MS } from '../../lib/core/limits/permits.ts';

const NOW = 1_000_000;
const WORKERS = ['a', 'b', 'c'];
const use = (wanted: number, taken = 0, at = NOW): PermitUse => ({ wanted, taken, at });

test('scarce permits are divided by what is wanted, and all of them are given', () => {
  const wants = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.double({ min: 0.1, max: 50, noNaN: true })), {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(wants, fc.integer({ min: 1, max: 200 }), fc.nat(10_000), (pairs, limit, later) => {
      const uses = new Map(pairs.map(([name, wanted]) => [name, use(wanted, 0, NOW + later)]));
      const given = pairs.map(([name]) => permitsOf(name, limit, uses, NOW + later));
      const all = given.reduce((sum, { permits }) => sum + permits, 0);
      const wanted = pairs.reduce((sum, [, each]) => sum + each, 0);
      assert.ok(all <= limit + (wanted > limit ? 0 : pairs.length), `${all} of ${limit}`);
      if (wanted <= limit) return;
      assert.equal(all, limit);
      for (const [i, [, each]] of pairs.entries()) {
        assert.ok(Math.abs((given[i]?.permits ?? 0) - (limit * each) / wanted) <= 1);
      }
    }),
  );
});

test('no one gets what another has taken, however little that one wants', () => {
  const uses = new Map([
    ['a', use(0.05, 8)],
    ['b', use(100)],
  ]);
  assert.equal(permitsOf('b', 10, uses, NOW).permits, 2);
  assert.equal(
    permitsOf(
      'b',
      10,
      new Map([
        ['a', use(0, 20)],
        ['b', use(100)],
      ]),
      NOW,
    ).permits,
    0,
  );
});

test('one that is silent has no part any more', () => {
  const uses = new Map([
    ['a', use(50, 10, NOW - SILENT_MS - 1)],
    ['b', use(100)],
  ]);
  assert.deepEqual(permitsOf('b', 10, uses, NOW), { permits: 10, share: 1, isScarce: true });
});

test('half of what is left over goes to those that want something, the other half waits', () => {
  const uses = new Map([
    ['a', use(20)],
    ['b', use(20)],
  ]);
  assert.equal(permitsOf('a', 100, uses, NOW).permits, 20 + 15);
  assert.equal(permitsOf('a', 1, new Map([['a', use(1)]]), NOW).permits, 1);
  assert.equal(
    permitsOf('a', 1, new Map([['a', use(0.05)]]), NOW).permits,
    0,
    'a late user leaves one permit to others',
  );
});

test('one permit goes to each of many in turn', () => {
  const had = new Map<string, number>();
  for (let turn = 0; turn < 100; turn++) {
    const now = NOW + turn * ROUND_MS;
    const uses = new Map(WORKERS.map((name) => [name, use(5, 0, now)]));
    for (const name of WORKERS) {
      had.set(name, (had.get(name) ?? 0) + permitsOf(name, 1, uses, now).permits);
    }
  }
  for (const [name, times] of had) assert.ok(times >= 25 && times <= 42, `${name}: ${times} of 100`);
});

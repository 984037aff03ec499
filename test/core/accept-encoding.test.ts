import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codingsFor, type Coding } from '../../lib/core/http/accept-encoding.ts';

const BOTH: readonly Coding[] = ['br', 'gzip'];

/** RFC 9110 §12.5.3, and what clients send. */
const CASES: readonly (readonly [string | undefined, readonly Coding[], readonly Coding[]])[] = [
  [undefined, BOTH, []],
  ['', BOTH, []],
  ['gzip, deflate, br, zstd', BOTH, ['br', 'gzip']],
  ['gzip, deflate, br', ['gzip'], ['gzip']],
  ['gzip', BOTH, ['gzip']],
  ['x-gzip', BOTH, ['gzip']],
  ['GZIP', BOTH, ['gzip']],
  ['br', [], []],
  ['deflate', BOTH, []],
  ['identity', BOTH, []],
  ['*', BOTH, ['br', 'gzip']],
  ['*;q=0', BOTH, []],
  ['*;q=0, gzip', BOTH, ['gzip']],
  ['br;q=0, *', BOTH, ['gzip']],
  ['br;q=0.5, gzip', BOTH, ['gzip', 'br']],
  ['br;q=0.5, gzip;q=0.5', BOTH, ['br', 'gzip']],
  ['gzip;q=0.5, identity', BOTH, []],
  ['gzip;q=0.5, identity;q=0.5', BOTH, ['gzip']],
  ['gzip;q=0.001', BOTH, ['gzip']],
  ['gzip;q=0', BOTH, []],
  ['gzip;q=0.000, br;q=0.0', BOTH, []],
  ['identity;q=0, gzip;q=0.1', BOTH, ['gzip']],
  ['identity;q=0', BOTH, []],
  ['*;q=0.5, identity', BOTH, []],
  ['  gzip ; q=1.000 ,, br ;Q=0.9', BOTH, ['gzip', 'br']],
  ['gzip;q=1.5', BOTH, ['gzip']],
  ['gzip;q=2', BOTH, []],
  ['gzip;q=-1', BOTH, []],
  ['gzip;q=', BOTH, []],
  ['gzip;level=9', BOTH, []],
  ['gzip br', BOTH, []],
];

for (const [field, there, best] of CASES) {
  test(`${field} with ${there.join(' and ') || 'nothing'} takes ${best.join(', then ') || 'the plain form'}`, () => {
    assert.deepEqual(codingsFor(field, there), best);
  });
}

test('a long field takes no longer than its length asks for', () => {
  const startedAt = performance.now();
  assert.deepEqual(codingsFor(`${'a;q=0.5 ;'.repeat(100_000)},${'gzip ,'.repeat(50_000)}`, BOTH), ['gzip']);
  assert.ok(performance.now() - startedAt < 10_000);
});

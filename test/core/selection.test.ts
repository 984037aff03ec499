import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildRoute } from '../../lib/core/backend.ts';
import { choose, pickRandom } from '../../lib/core/selection.ts';
import type { RequestTraits } from '../../lib/core/types.ts';

const TRAITS: RequestTraits = { method: 'GET', path: '/', clientIp: '192.0.2.1', hasBody: false };
const URLS = ['http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3'];

test('chance picks any of the living, the first and the last too', () => {
  assert.equal(pick({ random: 0 }), 0);
  assert.equal(pick({ random: 0.5 }), 1);
  assert.equal(pick({ random: 0.999999999 }), 2);
});

test('the dead are not picked', () => {
  assert.equal(pick({ dead: [0, 1] }), 2);
  assert.equal(pick({ dead: [1], random: 0.9 }), 2);
});

test('what was tried is not tried again, until all have been', () => {
  assert.equal(pick({ tried: [0, 2] }), 1);
  assert.equal(pick({ tried: [0], dead: [1] }), 2);
  assert.equal(pick({ tried: [0, 1, 2] }), null);
  assert.equal(pick({ tried: [0], dead: [1, 2] }), null);
});

test('ids are places in the list, not among the usable', () => {
  assert.equal(pick({ urls: ['garbage', 'http://10.0.0.1'], dead: [0] }), 1);
});

for (const [what, options, message] of [
  ['an identifier alone', { urls: [] }, /identifier only/],
  ['unusable URLs alone', { urls: ['garbage'] }, /backend is invalid/],
  ['dead backends alone', { dead: [0, 1, 2] }, /all are dead/],
] as const) {
  test(`${what}: a 502 that says so`, () => {
    assert.throws(() => pick(options), { code: 'no-backend', status: 502, message });
  });
}

test('the selection is told what it may know of the request', () => {
  const route = buildRoute('x.io', 'x.io', ['x', ...URLS], new Set([1]), () => {});
  const chosen = choose(
    route,
    new Set(),
    (alive, traits, random) => {
      assert.deepEqual(
        alive.map(({ id }) => id),
        [0, 2],
      );
      assert.equal(traits, TRAITS);
      return pickRandom(alive, traits, random);
    },
    TRAITS,
    () => 0,
  );
  assert.equal(chosen?.id, 0);
});

interface Options {
  readonly urls?: readonly string[];
  readonly dead?: readonly number[];
  readonly tried?: readonly number[];
  readonly random?: number;
}

function pick({ urls = URLS, dead = [], tried = [], random = 0 }: Options): number | null {
  const route = buildRoute('x.io', 'x.io', ['x', ...urls], new Set(dead), () => {});
  return choose(route, new Set(tried), pickRandom, TRAITS, () => random)?.id ?? null;
}

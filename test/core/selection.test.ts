import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_VALUES } from '../../lib/core/balance/sticky.ts';
import { RecentTurns } from '../../lib/core/balance/turns.ts';
import { buildRoute, type Marks } from '../../lib/core/routing/backend.ts';
import { choose, isLastLiving, NO_LOAD, NO_RESTS, NO_TRIALS, pickRandom } from '../../lib/core/routing/selection.ts';
import type { Backend, BackendLoad, Selection } from '../../lib/core/routing/types.ts';
import { TRAITS } from '../support/balancing.ts';

const REST = {
  now: () => 0,
  turns: new RecentTurns(),
  zone: null,
  sticky: NO_VALUES,
  trials: NO_TRIALS,
  outliers: NO_RESTS,
  aliveSince: () => 0,
};
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

test('when all the living were tried, one that a router marked is tried, and no second one', () => {
  assert.equal(pick({ tried: [0], dead: [1, 2], byRouters: [2] }), 2);
  assert.equal(pick({ tried: [0, 2], dead: [1, 2], byRouters: [1, 2] }), null);
  assert.equal(pick({ tried: [], dead: [1, 2], byRouters: [1, 2], random: 0.9 }), 0, 'the living come first');
});

test('a sole backend is served whatever is marked', () => {
  assert.equal(pick({ urls: ['http://10.0.0.1'], dead: [0] }), 0);
});

test('a backend is the last living one when all others that can be used are dead', () => {
  const backends = [{ id: 0 }, { id: 2 }, { id: 3 }];
  const dead = new Set([2, 3]);
  const isLast = (id: number): boolean => isLastLiving(backends, id, (other) => dead.has(other));
  assert.deepEqual([isLast(0), isLast(2)], [true, false]);
  dead.delete(3);
  assert.equal(isLast(0), false);
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
  const route = buildRoute('x.io', 'x.io', ['x', ...URLS], marks([1]), () => {});
  const chosen = choose(
    route,
    new Set(),
    {
      ...REST,
      loadOf: () => NO_LOAD,
      random: () => 0,
      select: (alive, loadOf, traits, random) => {
        assert.deepEqual(
          alive.map(({ id }) => id),
          [0, 2],
        );
        assert.equal(traits, TRAITS);
        return pickRandom(alive, loadOf, traits, random);
      },
    },
    TRAITS,
  );
  assert.equal(chosen?.id, 0);
});

/** What a rule of its own would look like: the backend with the fewest requests, and by chance among several. */
const leastConnections: Selection = (alive, loadOf, _traits, random) => {
  let least = Infinity;
  let count = 0;
  let picked = alive[0];
  for (const backend of alive) {
    const { inFlight, waiting } = loadOf(backend);
    const load = inFlight + waiting;
    if (load > least) continue;
    count = load < least ? 1 : count + 1;
    least = load;
    // Of n with the same load, each is picked with a chance of 1/n.
    if (random() * count < 1) picked = backend;
  }
  if (picked === undefined) throw new RangeError('nothing to pick from');
  return picked;
};

test('a selection sees the load of each backend', () => {
  const route = buildRoute('x.io', 'x.io', ['x', ...URLS], marks([]), () => {});
  const [busy, idler] = [
    { ...NO_LOAD, inFlight: 3 },
    { ...NO_LOAD, inFlight: 1 },
  ];
  const loads: BackendLoad[] = [busy, idler, idler];
  const balancing = { ...REST, select: leastConnections, loadOf: ({ id }: Backend) => loads[id] ?? NO_LOAD };
  const ids = [0, 0.999].map((chance) => choose(route, new Set(), { ...balancing, random: () => chance }, TRAITS)?.id);
  assert.deepEqual(ids, [2, 1]);
  loads[2] = { ...NO_LOAD, waiting: 2 };
  assert.equal(choose(route, new Set(), { ...balancing, random: () => 0 }, TRAITS)?.id, 1);
  assert.equal(choose(route, new Set([1]), { ...balancing, random: () => 0 }, TRAITS)?.id, 2);
});

interface Options {
  readonly urls?: readonly string[];
  readonly dead?: readonly number[];
  /** Those of `dead` that routers marked. */
  readonly byRouters?: readonly number[];
  readonly tried?: readonly number[];
  readonly random?: number;
}

function marks(dead: readonly number[], byRouters: readonly number[] = []): Marks {
  return { dead: new Set(dead), deadByRouters: new Set(byRouters) };
}

function pick({ urls = URLS, dead = [], byRouters = [], tried = [], random = 0 }: Options): number | null {
  const route = buildRoute('x.io', 'x.io', ['x', ...urls], marks(dead, byRouters), () => {});
  return (
    choose(route, new Set(tried), { ...REST, select: pickRandom, loadOf: () => NO_LOAD, random: () => random }, TRAITS)
      ?.id ?? null
  );
}

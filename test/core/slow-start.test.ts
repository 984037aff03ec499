/** `slowStart`: less weight for backends that have just begun to live. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmth } from '../../lib/core/balance/slow-start.ts';
import { NO_MARKS } from '../../lib/core/routing/backend.ts';
import { chiSquare, routeWith, Scene, urlsOf } from '../support/balancing.ts';

const URLS = urlsOf(3);
const RUNS = 20_000;
const SLOW = { slowStart: '100' };

/** Two have lived for long, and the third since this time. */
function sceneSince(since: number, time: number): Scene {
  const scene = new Scene();
  scene.alive.push(-1e9, -1e9, since);
  scene.time = time;
  return scene;
}

test('the weight grows from a tenth to the whole, in proportion to time', () => {
  assert.deepEqual(
    [-1, 0, 50, 100, 1_000].map((ms) => warmth(ms, 100)),
    [0.1, 0.1, 0.55, 1, 1],
  );
});

for (const balance of ['random', 'p2c', 'leastconn', 'latency', 'roundrobin']) {
  test(`${balance}: a new backend gets a tenth at first, half after half the time, then all`, () => {
    const route = routeWith(URLS, { ...SLOW, balance });
    for (const [time, part] of [
      [0, 0.1],
      [50_000, 0.55],
      [100_000, 1],
    ] as const) {
      const counts = sceneSince(0, time).count(route, RUNS);
      assert.ok(chiSquare(counts, [1, 1, part]) < 12, `${time}: ${counts.join(' ')}`);
    }
  });
}

test('where all are new, as in a worker that has just started, all are equal', () => {
  const counts = new Scene().count(routeWith(URLS, SLOW), RUNS);
  assert.ok(chiSquare(counts, [1, 1, 1]) < 12, counts.join(' '));
});

test('a backend whose mark has ended starts slowly, and its weight counts', () => {
  const scene = sceneSince(-1e9, 7_000);
  const [, , third = ''] = URLS;
  const weights = { [third]: '200' };
  const marks = { dead: new Set([2]), deadByRouters: new Set<number>() };
  scene.choose(routeWith(URLS, SLOW, marks, weights));
  const counts = scene.count(routeWith(URLS, SLOW, NO_MARKS, weights), RUNS);
  assert.ok(chiSquare(counts, [1, 1, 0.2]) < 12, counts.join(' '));
});

test('the only one that lives gets all requests at once', () => {
  const marks = { dead: new Set([0, 1]), deadByRouters: new Set<number>() };
  assert.deepEqual(sceneSince(0, 0).count(routeWith(URLS, SLOW, marks), 50), [0, 0, 50]);
});

test('one that was alone is warm when another is added', () => {
  const scene = new Scene();
  scene.choose(routeWith(URLS.slice(0, 1), SLOW));
  scene.time = 100_000;
  const [first = 0, second = 0] = scene.count(routeWith(URLS.slice(0, 2), SLOW), RUNS);
  assert.ok(chiSquare([first, second], [1, 0.1]) < 12, `${first} ${second}`);
});

/** How many choices are the third one. */
const own = (ids: readonly number[]): number => ids.filter((id) => id === 2).length;

test('hash: while a backend starts, its keys move to it little by little', () => {
  const route = routeWith(URLS, { ...SLOW, balance: 'hash:ip' });
  const homes = (time: number): readonly number[] => {
    const scene = sceneSince(0, time);
    return Array.from({ length: 3_000 }, (_, i) => scene.choose(route, { clientIp: `10.0.${i >> 8}.${i & 255}` }));
  };
  const [early, later, whole] = [homes(0), homes(50_000), homes(100_000)];
  assert.ok(own(early) < own(later) && own(later) < own(whole), `${own(early)} ${own(later)} ${own(whole)}`);
  for (const [i, id] of early.entries()) if (id === 2) assert.deepEqual([later[i], whole[i]], [2, 2]);
});

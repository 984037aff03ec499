import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buildRoute, NO_MARKS } from '../../lib/core/routing/backend.ts';
import type { Death } from '../../lib/core/routing/types.ts';
import { WildcardMarks } from '../../lib/store/wildcard-marks.ts';
import { startRedis } from '../support/redis.ts';
import { die, find } from './contract.ts';
import { openRedis } from './redis-subject.ts';

const LIST = ['x', 'http://10.0.0.1', 'http://10.0.0.2'];
const redis = await startRedis({ after });

function deathOf(frontend: string, key: string): Death {
  const route = buildRoute(frontend, key, LIST, NO_MARKS, () => {});
  const [backend] = route.backends;
  assert.ok(backend);
  return { route, backend };
}

test('hosts that clients make up under a wildcard have a thousand keys in Redis at most, and the backend is hidden for all', async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:*.x.io', ...LIST);
  await redis.cli('rpush', 'frontend:own.x.io', ...LIST);
  const { store } = openRedis(t, redis);
  await store.ready();
  for (let i = 0; i < 1_010; i++) assert.equal(await die(store, `h${i}.x.io`, 0, 30), 'marked');
  assert.equal(((await redis.cli('keys', 'dead:*')) as unknown[]).length, 1_000);
  assert.deepEqual((await find(store, 'h0.x.io'))?.dead, new Set([0]));
  assert.deepEqual((await find(store, 'h1009.x.io'))?.dead, new Set([0]));
  assert.deepEqual((await find(store, 'made-up.x.io'))?.dead, new Set([0]));
  assert.equal(await die(store, 'made-up.x.io', 1, 30), 'last');
  // A host with a list of its own is not one of them.
  assert.deepEqual((await find(store, 'own.x.io'))?.dead, new Set());
  assert.equal(await die(store, 'own.x.io', 0, 30), 'marked');
  assert.deepEqual(await redis.cli('smembers', 'dead:own.x.io'), ['0']);
  assert.deepEqual(
    store.ownMarks(null).map(({ frontend, id }) => [frontend, id]),
    [['*.x.io', 0]],
  );
});

test('marks that have ended make room, and one that is made again takes none', () => {
  let now = 0;
  const marks = new WildcardMarks(() => now);
  for (let i = 0; i < 1_000; i++) assert.ok(marks.mayFile(deathOf(`h${i}.x.io`, '*.x.io').route, 30));
  assert.ok(!marks.mayFile(deathOf('more.x.io', '*.x.io').route, 30));
  assert.ok(marks.mayFile(deathOf('h7.x.io', '*.x.io').route, 30));
  assert.ok(marks.mayFile(deathOf('more.y.io', '*.y.io').route, 30), 'each wildcard has its own');
  assert.ok(marks.keep(deathOf('more.x.io', '*.x.io'), 30));
  const { route } = deathOf('any.x.io', '*.x.io');
  assert.deepEqual(marks.applied(route).dead, new Set([0]));
  now = 30_001;
  assert.deepEqual(marks.applied(route).dead, new Set());
  assert.ok(marks.mayFile(deathOf('more.x.io', '*.x.io').route, 30));
});

/** What active checks have shown of a list counts in lookups, with scripts and without, and in a cluster. */
import assert from 'node:assert/strict';
import { after, suite, test, type TestContext } from 'node:test';
import { candidates } from '../../lib/core/routing/hostname.ts';
import type { RouteLookups } from '../../lib/store/store.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startRedis } from '../support/redis.ts';
import { openCluster } from './cluster-subject.ts';
import { openRedis } from './redis-subject.ts';

const A = 'http://10.0.0.1';
const B = 'http://10.0.0.2';
const C = 'http://10.0.0.3';

const redis = await startRedis({ after }, { lines: ['user plain on >pw ~* &* +@all -@scripting'] });
const cluster = await startCluster({ after }, 3);

/** A command whose second word is a key. */
type Cli = (name: string, key: string, ...args: readonly string[]) => Promise<unknown>;

interface Subject {
  readonly name: string;
  readonly open: (t: TestContext) => Promise<{ readonly store: RouteLookups; readonly cli: Cli }>;
}

const SUBJECTS: readonly Subject[] = [
  ...['', 'plain:pw@'].map((user) => ({
    name: user === '' ? 'with scripts' : 'without scripts',
    open: async (t: TestContext) => {
      await redis.cli('flushall');
      return { store: openRedis(t, redis, user).store, cli: ((...words) => redis.cli(...words)) satisfies Cli };
    },
  })),
  {
    name: 'in a cluster',
    open: async (t) => {
      await cluster.flush();
      return { store: openCluster(t, cluster).store, cli: (...words) => cluster.cli(...words) };
    },
  },
];

/** Ids of the dead backends, and those of them that routers have marked. */
async function deadOf(store: RouteLookups, host: string, path = '/'): Promise<readonly (readonly number[])[]> {
  const route = await store.find(candidates(host), path);
  assert.ok(route);
  return [route.dead, route.deadByRouters].map((ids) => [...ids].toSorted((a, b) => a - b));
}

for (const { name, open } of SUBJECTS) {
  void suite(`checked routes ${name}`, () => {
    test('backends under a wildcard that are down get no traffic of any of its hosts', async (t) => {
      const { store, cli } = await open(t);
      await cli('rpush', 'frontend:*.x.io', 'x', A, ` ${B} `, C);
      await cli('sadd', 'down:*.x.io', B, 'http://10.0.0.9');
      for (const host of ['a.x.io', 'b.c.x.io']) assert.deepEqual(await deadOf(store, host), [[1], [1]]);
      // Marks of a host count, too.
      await cli('sadd', 'dead:a.x.io', '2');
      assert.deepEqual(await deadOf(store, 'a.x.io'), [[1, 2], [1]]);
      assert.deepEqual(await deadOf(store, 'b.x.io'), [[1], [1]]);
      // Without another living one, those of the host count alone.
      await cli('sadd', 'down:*.x.io', A);
      assert.deepEqual(await deadOf(store, 'a.x.io'), [[2], []]);
      await cli('hset', 'options:*.x.io', 'pauseMax', '7');
      assert.equal((await store.find(candidates('a.x.io'), '/'))?.site.fields.get('pauseMax'), '7');
    });

    test('a path under a wildcard has those of its own list', async (t) => {
      const { store, cli } = await open(t);
      await cli('rpush', 'frontend:*.x.io', 'x', A, B);
      await cli('sadd', 'prefixes:*.x.io', '/api');
      await cli('rpush', 'frontend:*.x.io/api', 'api', A, B, C);
      await cli('sadd', 'down:*.x.io', A);
      await cli('sadd', 'down:*.x.io/api', C);
      assert.deepEqual(await deadOf(store, 'a.x.io'), [[0], [0]]);
      assert.deepEqual(await deadOf(store, 'a.x.io', '/api/v1'), [[2], [2]]);
      await cli('sadd', 'checked:*.x.io/api', A);
      assert.deepEqual(await deadOf(store, 'a.x.io', '/api/v1'), [
        [1, 2],
        [1, 2],
      ]);
    });

    test('a host with a list of its own does not depend on a wildcard, and an address has two names', async (t) => {
      const { store, cli } = await open(t);
      await cli('rpush', 'frontend:www.x.io', 'x', A, B);
      await cli('sadd', 'down:*.x.io', A);
      await cli('sadd', 'down:www.x.io', B);
      assert.deepEqual(await deadOf(store, 'www.x.io'), [[], []]);
      await cli('rpush', 'frontend:::1', 'x', A, B);
      await cli('sadd', 'down:::1', B);
      assert.deepEqual(await deadOf(store, '[::1]'), [[1], [1]]);
    });

    test('backends without a good check get no traffic where only those with one get it', async (t) => {
      const { store, cli } = await open(t);
      await cli('rpush', 'frontend:www.x.io', 'x', A, ` ${B}`);
      await cli('sadd', 'checked:www.x.io', A);
      assert.deepEqual(await deadOf(store, 'www.x.io'), [[1], [1]]);
      await cli('sadd', 'dead:www.x.io', '0');
      assert.deepEqual(await deadOf(store, 'www.x.io'), [[0], []]);
    });

    test('a set of another type is as good as none', async (t) => {
      const { store, cli } = await open(t);
      await cli('rpush', 'frontend:*.x.io', 'x', A, B);
      await cli('set', 'down:*.x.io', 'text');
      await cli('set', 'checked:*.x.io', 'text');
      assert.deepEqual(await deadOf(store, 'a.x.io'), [[], []]);
    });

    test('a request marks no backend of a host whose others are down', async (t) => {
      const { store, cli } = await open(t);
      await cli('rpush', 'frontend:*.x.io', 'x', A, B);
      await cli('sadd', 'down:*.x.io', B);
      const route = await store.find(candidates('a.x.io'), '/');
      const backend = route?.backends[0];
      assert.ok(route && backend && 'markDead' in store);
      const marks = store as typeof store & { markDead: (death: object, seconds: number) => Promise<unknown> };
      assert.equal(await marks.markDead({ route, backend }, 30), 'last');
      assert.deepEqual(await cli('smembers', 'dead:a.x.io'), []);
      await cli('del', 'down:*.x.io');
      const later = await store.find(candidates('a.x.io'), '/');
      assert.ok(later);
      assert.equal(await marks.markDead({ route: later, backend }, 30), 'marked');
    });
  });
}

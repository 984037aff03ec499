/** Lookups that wait in the same turn of the event loop share a packet, and for one host an answer. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { candidates } from '../../lib/core/routing/hostname.ts';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { startRedis } from '../support/redis.ts';

async function scene(t: TestContext) {
  const redis = await startRedis(t);
  const url = parseDriverUrl(`redis://127.0.0.1:${redis.port}`);
  assert.ok(url.scheme === 'redis');
  const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 5_000, notify: () => {} });
  t.after(() => store.close());
  await store.ready();
  await redis.cli('rpush', 'frontend:a.test', 'a', 'http://127.0.0.1:1');
  await redis.cli('rpush', 'frontend:b.test', 'b', 'http://127.0.0.1:2');
  const lookups = async (): Promise<number> => {
    const stats = String(await redis.cli('info', 'commandstats'));
    const calls = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=([0-9]+)`).exec(stats)?.[1] ?? 0);
    return calls('evalsha') + calls('eval');
  };
  return { redis, store, lookups };
}

test('requests for one host in one turn make one lookup', async (t) => {
  const { store, lookups } = await scene(t);
  await store.find(candidates('a.test'), '/');
  const before = await lookups();
  const routes = await Promise.all(Array.from({ length: 50 }, () => store.find(candidates('a.test'), '/')));
  assert.equal((await lookups()) - before, 1);
  assert.deepEqual(new Set(routes.map((route) => route?.name)), new Set(['a']));
});

test('requests for different hosts in one turn make one command, many make few', async (t) => {
  const { store, lookups } = await scene(t);
  await store.find(candidates('a.test'), '/');
  for (const [hosts, commands] of [
    [64, 1],
    [200, 4],
  ] as const) {
    const before = await lookups();
    const asked = Array.from({ length: hosts }, (_, i) => store.find(candidates(`${i}.test`), '/'));
    assert.ok((await Promise.all(asked)).every((route) => route === null));
    assert.equal((await lookups()) - before, commands);
  }
});

test('a key that is faulty breaks its own host alone', async (t) => {
  const { redis, store } = await scene(t);
  await redis.cli('set', 'frontend:c.test', 'oops');
  const hosts = ['a.test', 'c.test', 'b.test', 'd.test'];
  const [a, c, b, none] = await Promise.allSettled(hosts.map((host) => store.find(candidates(host), '/')));
  assert.equal(a?.status === 'fulfilled' && a.value?.name, 'a');
  assert.equal(b?.status === 'fulfilled' && b.value?.name, 'b');
  assert.equal(none?.status === 'fulfilled' && none.value, null);
  assert.match(String(c?.status === 'rejected' && c.reason), /c\.test holds a string/);
});

test('requests for different hosts in one turn get each their own answer', async (t) => {
  const { store } = await scene(t);
  const [a, b, none] = await Promise.all(
    ['a.test', 'b.test', 'c.test'].map((host) => store.find(candidates(host), '/')),
  );
  assert.deepEqual([a?.name, b?.name, none], ['a', 'b', null]);
});

test('a request that arrives after a write never gets an answer that was asked for before it', async (t) => {
  const { redis, store } = await scene(t);
  for (let n = 2; n < 100; n++) {
    const earlier = store.find(candidates('a.test'), '/');
    await redis.cli('rpush', 'frontend:a.test', `http://127.0.0.1:${n}`);
    const route = await store.find(candidates('a.test'), '/');
    assert.equal(route?.size, n);
    await earlier;
  }
});

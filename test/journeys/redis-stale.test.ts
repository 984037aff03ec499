/** Known sites stay up while Redis gives no answer, in both modes of the cache. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { assertServes, assertUnavailable, at, knownSite } from '../support/known-site.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const MODES = ['request', 'push'] as const;

for (const mode of MODES) {
  test(`${mode}: while Redis is gone known hosts are served, others get 503, and nobody fails when it comes back`, async (t) => {
    const redis = await startRedis(t);
    await knownSite(t, redis);
    const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode } };
    const router = await startRouter(t, { config });
    assertServes(await ask(router));
    assert.equal((await ask(at(router, 'none.test'))).status, 400);
    const over = new AbortController();
    const clients = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) {
        assertServes(await ask(router));
        await delay(5);
      }
    });
    await redis.kill();
    await router.event('store-down');
    assertServes(await ask(router));
    assertUnavailable(await ask(at(router, 'unknown.test')));
    assertUnavailable(await ask(at(router, 'none.test')));

    // It comes back empty: that is an outage, too.
    const seen = router.log.length;
    assert.ok(await redis.start());
    await router.event('store-emptied', seen);
    await redis.cli('set', 'hchecker_ping', '1');
    assertServes(await ask(router));
    assertUnavailable(await ask(at(router, 'unknown.test')));
    const other = await startBackend(t, (_request, response) => response.end('hello'));
    await redis.cli('rpush', 'frontend:site.test', 'site', other.url);
    await router.event('store-up', seen);
    assert.equal((await ask(at(router, 'unknown.test'))).status, 400);
    over.abort();
    await Promise.all(clients);
  });

  test(`${mode}: a Redis that hangs for a while costs known hosts no request`, async (t) => {
    const redis = await startRedis(t);
    await knownSite(t, redis);
    const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode } };
    const router = await startRouter(t, { server: { storeTimeout: 0.5 }, config });
    assertServes(await ask(router));
    redis.pause();
    t.after(() => redis.resume());
    const startedAt = performance.now();
    while (performance.now() - startedAt < 5_000) {
      const askedAt = performance.now();
      assertServes(await ask(router));
      assert.ok(performance.now() - askedAt < 4_000);
    }
    redis.resume();
    await eventually(async () => assert.equal((await ask(at(router, 'none.test'))).status, 400));
    assertServes(await ask(router));
  });

  test(`${mode}: a route that nobody has confirmed for cache.maxStale serves no more`, async (t) => {
    const redis = await startRedis(t);
    await knownSite(t, redis);
    const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode, maxStale: 3 } };
    const router = await startRouter(t, { config });
    assertServes(await ask(router));
    await redis.kill();
    await router.event('store-down');
    assertServes(await ask(router));
    await eventually(async () => assertUnavailable(await ask(router)), 10_000);
  });
}

test('a backend that dies while Redis is gone is hidden, and its death filed when Redis is back', async (t) => {
  const redis = await startRedis(t, { lines: ['appendonly yes', 'appendfsync always'] });
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  const dead = refusingUrl();
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  await redis.cli('rpush', 'frontend:site.test', dead);
  assertServes(await ask(router));
  await redis.cli('del', 'dead:site.test');
  const seen = router.log.length;
  await redis.kill();
  await router.event('store-down', seen);
  await eventually(async () => {
    assertServes(await ask(router));
    assert.ok(router.log.slice(seen).some(({ event }) => event === 'death-unfiled'));
  });
  const deaths = () => router.log.filter(({ event }) => event === 'backend-dead').length;
  const before = deaths();
  for (let i = 0; i < 30; i++) assertServes(await ask(router));
  assert.equal(deaths(), before, 'it was found dead once');
  assert.ok(await redis.start());
  await eventually(async () => assert.deepEqual(await redis.cli('smembers', 'dead:site.test'), ['1']));
  const ttl = Number(await redis.cli('ttl', 'dead:site.test'));
  assert.ok(ttl > 0 && ttl <= 30, `${ttl} s`);
});

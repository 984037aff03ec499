// @waits: for time limits
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { type Answer, ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/ports.ts';
import { startRedis, TestRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

/** "At once" on a busy machine, ms. */
const AT_ONCE_MS = 4_000;
/** A time limit, s, that "at once" is well below. */
const LONG = 10;
/** The promise is about a second; the machine may add its own delays. */
const RECOVERY_MS = 4_000;

async function timed(work: Promise<Answer>): Promise<Answer & { readonly tookMs: number }> {
  const startedAt = performance.now();
  return { ...(await work), tookMs: performance.now() - startedAt };
}

function assertUnavailable(answer: Answer): void {
  assert.equal(answer.status, 503);
  assert.match(answer.headers['content-type'] ?? '', /^text\/html/);
  assert.match(answer.body, /<html/i);
  assert.equal(answer.headers['cache-control'], 'no-cache');
  assert.equal(answer.headers['retry-after'], '5');
}

test('without Redis at the start every answer is a 503 at once; when it comes, so do the routes', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  const port = await freePort();
  const router = await startRouter(t, {
    server: { storeTimeout: LONG },
    config: { driver: `redis://127.0.0.1:${port}` },
  });
  assert.match((await router.event('store-down')).msg ?? '', /ECONNREFUSED/);
  for (let i = 0; i < 5; i++) {
    const answer = await timed(ask(router));
    assertUnavailable(answer);
    assert.ok(answer.tookMs < AT_ONCE_MS, `${answer.tookMs} ms`);
  }
  assert.equal((await ask({ port: router.port, host: '__ping__' })).status, 200);

  const redis = new TestRedis(port, {});
  t.after(() => redis.stop());
  assert.ok(await redis.start());
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  await eventually(async () => assert.equal((await ask(router)).body, 'hello'), RECOVERY_MS);
  await router.event('store-up');
  // Said once, however many requests there were.
  assert.equal(router.log.filter(({ event }) => event === 'store-down').length, 1);
});

test('Redis killed in mid-traffic: 503 at once, nobody hangs, and recovery when it is back', async (t) => {
  const redis = await startRedis(t);
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  const router = await startRouter(t, {
    server: { storeTimeout: LONG },
    config: { driver: `redis://127.0.0.1:${redis.port}`, cache: { maxStale: 0 } },
  });
  assert.equal((await ask(router)).body, 'hello');
  // Each asks on and on until Redis is gone for it.
  const clients = Array.from({ length: 8 }, async () => {
    for (;;) {
      const { status, tookMs } = await timed(ask(router));
      assert.ok(tookMs < AT_ONCE_MS, `${status} after ${tookMs} ms`);
      if (status !== 200) return status;
    }
  });
  await redis.kill();
  assert.deepEqual(new Set(await Promise.all(clients)), new Set([503]));
  const answer = await timed(ask(router));
  assertUnavailable(answer);
  assert.ok(answer.tookMs < AT_ONCE_MS, `${answer.tookMs} ms`);

  assert.ok(await redis.start());
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  await eventually(async () => assert.equal((await ask(router)).body, 'hello'), RECOVERY_MS);
});

test('a Redis that hangs: 503 within server.storeTimeout, at once later, and recovery', async (t) => {
  const redis = await startRedis(t);
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(t, {
    server: { storeTimeout: 0.3 },
    config: { driver, cache: { maxStale: 0 } },
  });
  assert.equal((await ask(router)).body, 'hello');
  redis.pause();
  t.after(() => redis.resume());
  const first = await timed(ask(router));
  assertUnavailable(first);
  assert.ok(first.tookMs < 300 + AT_ONCE_MS, `${first.tookMs} ms`);
  await eventually(async () => assert.ok((await timed(ask(router))).tookMs < 200));
  await router.event('store-down');
  redis.resume();
  await eventually(async () => assert.equal((await ask(router)).body, 'hello'), RECOVERY_MS);
});

test('a Redis that hangs costs each request server.storeTimeout once, whatever it asks for', async (t) => {
  const storeTimeout = 2;
  const redis = await startRedis(t);
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  await redis.cli('rpush', 'frontend:refusing.test', 'refusing', `http://127.0.0.1:${await freePort()}`);
  await redis.cli('rpush', 'frontend:sent.test', 'sent', backend.url);
  await redis.cli('hset', 'options:sent.test', 'canonical', 'site.test');
  const router = await startRouter(t, {
    server: { storeTimeout },
    config: { driver: `redis://127.0.0.1:${redis.port}` },
  });
  t.after(() => redis.resume());
  for (const [host, status, known] of [
    ['unknown.test', 400, 503],
    ['a.b.c.unknown.test', 400, 503],
    ['site.test', 200, 200],
    ['sent.test', 308, 308],
    ['refusing.test', 502, 502],
  ] as const) {
    const timedAsk = () => timed(ask({ port: router.port, host }));
    assert.equal((await timedAsk()).status, status, host);
    redis.pause();
    const answer = await timedAsk();
    redis.resume();
    assert.equal(answer.status, known, host);
    const tookMs = answer.tookMs / 1000;
    assert.ok(tookMs > storeTimeout * 0.8 && tookMs < storeTimeout * 1.8, `${host}: ${tookMs} s`);
    await eventually(async () => {
      // Redis answers again; what is known would be served at once without it, too.
      assert.equal((await ask({ port: router.port, host: 'unknown.test' })).status, 400);
      assert.ok((await timedAsk()).tookMs < storeTimeout * 500);
    }, RECOVERY_MS);
  }
});

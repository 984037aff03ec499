/** What is known of Redis outlives the worker that read it: each way in which workers come and go, in an outage. */
// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noProc, workersOf } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Router, type RouterOptions, startRouter } from '../support/router.ts';

/** Longer than a worker keeps what it has read to itself, also on a busy machine, ms. */
const TOLD_MS = 1_000;

interface Scene {
  readonly redis: TestRedis;
  readonly router: Router;
  /** Each site must be served, and an unknown host get 503. */
  readonly assertServes: (router?: { readonly port: number }) => Promise<void>;
}

/** A router that has served a host, a wildcard's and one's path with an option, and whose Redis has gone since. */
async function startOutage(t: TestContext, { server, config }: RouterOptions = {}): Promise<Scene> {
  const redis = await startRedis(t);
  const site = await startBackend(t, (request, response) => response.end(`site ${request.url}`));
  const api = await startBackend(t, (request, response) => response.end(`api ${request.url}`));
  await redis.cli('rpush', 'frontend:site.test', 'site', site.url);
  await redis.cli('rpush', 'frontend:*.wild.test', 'wild', site.url);
  await redis.cli('rpush', 'frontend:site.test/api', 'api', api.url);
  await redis.cli('sadd', 'prefixes:site.test', '/api');
  await redis.cli('hset', 'options:site.test/api', 'strip', '1');
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(t, { server: { workers: 2, ...server }, config: { driver, ...config } });
  const assertServes = async ({ port }: { readonly port: number } = router): Promise<void> => {
    // Both workers take part.
    for (let i = 0; i < 4; i++) {
      assert.equal((await ask({ port })).body, 'site /');
      assert.equal((await ask({ port, path: '/api/v1' })).body, 'api /v1');
      assert.equal((await ask({ port, host: 'a.wild.test' })).body, 'site /');
    }
    assert.equal((await ask({ port, host: 'unknown.test' })).status, 503);
  };
  assert.equal((await ask(router)).body, 'site /');
  assert.equal((await ask({ port: router.port, path: '/api/v1' })).body, 'api /v1');
  assert.equal((await ask({ port: router.port, host: 'a.wild.test' })).body, 'site /');
  await new Promise((resolve) => setTimeout(resolve, TOLD_MS));
  await redis.kill();
  await router.event('store-down');
  return { redis, router, assertServes };
}

for (const mode of ['request', 'push'] as const) {
  const config = { cache: { mode } };

  test(`${mode}: in an outage every worker serves what one of them has read`, async (t) => {
    const { assertServes } = await startOutage(t, { config, server: { workers: 3 } });
    await assertServes();
  });

  test(`${mode}: a reload in an outage costs no known host a request`, async (t) => {
    const { redis, router, assertServes } = await startOutage(t, { config });
    await assertServes();
    for (let i = 1; i <= 2; i++) {
      const seen = router.log.length;
      router.signal('SIGHUP');
      const isOver = (): boolean => router.log.slice(seen).some(({ event }) => event === 'reloaded');
      while (!isOver()) assert.equal((await ask(router)).body, 'site /');
      await assertServes();
    }
    // And it is Redis that counts as soon as it answers.
    const other = await startBackend(t, (_request, response) => response.end('other'));
    assert.ok(await redis.start());
    await redis.cli('rpush', 'frontend:site.test', 'site', other.url);
    await eventually(async () => {
      for (let i = 0; i < 4; i++) assert.equal((await ask(router)).body, 'other');
      assert.equal((await ask({ port: router.port, host: 'a.wild.test' })).status, 400);
    }, 10_000);
  });

  test(`${mode}: workers that crash in an outage leave what they knew`, { skip: noProc }, async (t) => {
    const { router, assertServes } = await startOutage(t, { config });
    const before = workersOf(router);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await eventually(() => {
      const now = workersOf(router);
      assert.ok(now.length === 2 && now.every((pid) => !before.includes(pid)));
    });
    await eventually(() => assertServes(), 10_000);
    await assertServes();
  });

  test(`${mode}: an upgrade in an outage takes along what was known`, async (t) => {
    const { router, assertServes } = await startOutage(t, { config });
    router.signal('SIGUSR2');
    await router.event('upgraded');
    await assertServes();
  });
}

for (const mode of ['request', 'push'] as const) {
  test(`${mode}: a site keeps its error page in an outage, after a reload and an upgrade too`, async (t) => {
    const redis = await startRedis(t);
    await redis.cli('rpush', 'frontend:site.test', 'site', refusingUrl());
    await redis.cli('hset', 'errors:site.test', '502', '<p>ours</p>');
    const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode } };
    const router = await startRouter(t, { server: { workers: 1 }, config });
    assert.equal((await ask(router)).body, '<p>ours</p>');
    await new Promise((resolve) => setTimeout(resolve, TOLD_MS));
    await redis.kill();
    await router.event('store-down');
    assert.equal((await ask(router)).body, '<p>ours</p>');
    router.signal('SIGHUP');
    await router.event('reloaded');
    assert.equal((await ask(router)).body, '<p>ours</p>');
    router.signal('SIGUSR2');
    await router.event('upgraded');
    assert.equal((await ask(router)).body, '<p>ours</p>');
  });
}

test('a worker that is replaced for its size in an outage has a successor that knows what it knew', async (t) => {
  const { router, assertServes } = await startOutage(t, { server: { memory: { limitMB: 1, interval: 1 } } });
  await router.event('worker-fat');
  await assertServes();
});

test('a Redis that came back empty stays an outage for a successor, and then a real removal counts', async (t) => {
  const { redis, router } = await startOutage(t);
  assert.ok(await redis.start());
  await router.event('store-emptied');
  let seen = router.log.length;
  router.signal('SIGUSR2');
  await router.event('upgraded', seen);
  const { pid } = await router.event('store-emptied', seen);
  assert.ok(pid);
  for (let i = 0; i < 4; i++) assert.equal((await ask(router)).body, 'site /');
  seen = router.log.length;
  await redis.cli('rpush', 'frontend:other.test', 'other', 'http://127.0.0.1:1');
  await router.event('store-up', seen);
  await eventually(async () => assert.equal((await ask(router)).status, 400));
});

test('push: a router that was just started survives the loss of Redis by what it has read in advance', async (t) => {
  const redis = await startRedis(t);
  const backend = await startBackend(t, (request, response) => response.end(`${request.headers.host}`));
  const hosts = Array.from({ length: 100 }, (_, i) => `site-${i}.test`);
  for (const host of hosts) await redis.cli('rpush', `p:frontend:${host}`, host, backend.url);
  const config = { driver: `redis://127.0.0.1:${redis.port}#p:`, cache: { mode: 'push' } };
  const router = await startRouter(t, { server: { workers: 2 }, config });
  assert.equal((await router.event('preloaded'))['frontends'], hosts.length);
  await new Promise((resolve) => setTimeout(resolve, TOLD_MS));
  await redis.kill();
  await router.event('store-down');
  for (const host of hosts) assert.equal((await ask({ port: router.port, host })).body, host);
  assert.equal((await ask({ port: router.port, host: 'unknown.test' })).status, 503);
});

test('what is known of one Redis is not served by workers of another', async (t) => {
  const { router } = await startOutage(t);
  const path = `${router.folder}/config.json`;
  const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const other = await startRedis(t);
  await other.kill();
  writeFileSync(path, JSON.stringify({ ...config, driver: `redis://127.0.0.1:${other.port}` }));
  router.signal('SIGHUP');
  await router.event('reloaded');
  await eventually(async () => assert.equal((await ask(router)).status, 503));
});

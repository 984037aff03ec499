/** The last living backend of a site, as marks of other programs, outages of Redis, and other workers have it. */
// @one-lane: the store decides whether a backend is the last living one
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import {
  askAt,
  assertAll,
  idsDead,
  LARGE,
  lastBackend,
  onFile,
  onRedis,
  siteOn,
  startPicky,
} from '../support/last-backend-scene.ts';
import { noProc, workerOf } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const needsProc = { skip: noProc };

test('marks that others made are obeyed, all of them: the site has no backend then', async (t) => {
  const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
  for (const config of [{}, { cache: { mode: 'push' } }]) {
    const scene = await siteOn(await onRedis(t, config), [one.url, two.url]);
    const { redis, site } = scene;
    await redis?.cli('sadd', `dead:${site}`, 0, 1);
    await assertAll(scene, 502);
    const { headers } = await askAt(scene, { headers: { 'X-Debug': '1' } });
    assert.equal(headers['x-router-error'], 'no-backend');
    assert.equal(headers['x-debug-error'], 'Cannot find a valid backend: all are dead');
    await redis?.cli('srem', `dead:${site}`, 1);
    await eventually(async () => assert.equal((await askAt(scene)).body, 'two'));
  }
});

test('a backend that an operator marked is not tried, though the last living one fails', async (t) => {
  const marked = await startBackend(t, says('marked'));
  const scene = await siteOn(await onRedis(t), [marked.url, refusingUrl()]);
  const { redis, site } = scene;
  await redis?.cli('sadd', `dead:${site}`, 0);
  await assertAll(scene, 502);
  const { id } = await lastBackend(scene);
  assert.equal(id, 1);
  assert.deepEqual(await redis?.cli('smembers', `dead:${site}`), ['0']);
});

test('two routers that find the last two backends dead at the same time leave one', async (t) => {
  const redis = await startRedis(t);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const [one, two] = await Promise.all([1, 2].map(() => startRouter(t, { config: { driver } })));
  assert.ok(one && two);
  for (let round = 0; round < 10; round++) {
    const host = `site-${round}.test`;
    await redis.cli('rpush', `frontend:${host}`, 'site', refusingUrl(), refusingUrl());
    const answers: readonly { readonly status: number }[] = await Promise.all(
      [one, two, one, two].map((router) => ask({ port: router.port, host })),
    );
    for (const answer of answers) assert.equal(answer.status, 502);
    await eventually(async () => assert.equal(await redis.cli('scard', `dead:${host}`), 1));
  }
});

test('while Redis is away, a worker keeps the last living backend of a site too', async (t) => {
  const scene = await siteOn(await onRedis(t, {}, { workers: 1 }), [await startPicky(t), await startPicky(t)]);
  await assertAll(scene, 200);
  await scene.redis?.kill();
  await scene.router.event('store-down');
  for (let i = 0; i < 3; i++) {
    assert.equal((await askAt(scene, LARGE)).status, 502);
    await assertAll(scene, 200);
  }
  await lastBackend(scene);
});

test('a last backend that fails with every request is logged once a minute', async (t) => {
  const scene = await siteOn(await onRedis(t, {}, { workers: 1 }), [refusingUrl(), refusingUrl()]);
  await assertAll(scene, 502);
  const { router } = scene;
  assert.equal(await router.stop(), 0);
  assert.equal(router.log.filter(({ event }) => event === 'last-backend').length, 1);
});

test(
  'with a routes file, marks outlive the workers that made them: a reload, and a worker that dies',
  needsProc,
  async (t) => {
    let asked = 0;
    const failing = await startBackend(t, (_request, response) => {
      asked++;
      response.writeHead(502).end();
    });
    const good = await startBackend(t, says('good'));
    const scene = await siteOn(await onFile(t, { workers: 1 }), [failing.url, good.url]);
    const { router } = scene;
    await eventually(async () => {
      await askAt(scene);
      assert.equal(idsDead(scene).size, 1);
    });
    // The master decides, and a request that comes before its answer may still go there.
    const before = asked;
    router.signal('SIGHUP');
    await router.event('reloaded');
    await assertAll(scene, 200);
    // The worker of before the reload may not have ended yet, and nothing would be said of it.
    const worker = await eventually(() => workerOf(router));
    process.kill(worker, 'SIGKILL');
    await router.event('worker-died');
    await eventually(() => assertAll(scene, 200));
    assert.equal(asked, before);
  },
);

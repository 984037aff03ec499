/** A mark is for a backend, not for a place in a list: platforms remove backends, and the others move up. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { deathsOf } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';

const HOST = 'site.test';
const MODES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'asked on each request': {},
  'with push': { cache: { mode: 'push' } },
  'without a memory': { cache: { maxStale: 0 } },
};

async function start(t: TestContext, cache: Readonly<Record<string, unknown>>, urls: readonly string[]) {
  const redis = await startRedis(t);
  await redis.cli('rpush', `frontend:${HOST}`, 'site', ...urls);
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}`, ...cache } });
  return { redis, router };
}

/** Asks until the first backend of the list is marked. */
async function untilMarked(redis: TestRedis, router: Router): Promise<void> {
  await eventually(async () => {
    assert.equal((await ask({ port: router.port })).status, 200);
    assert.deepEqual(await redis.cli('smembers', `dead:${HOST}`), ['0']);
  });
}

for (const [mode, cache] of Object.entries(MODES)) {
  test(`${mode}: the dead backend of two is removed with LREM, and the other one serves`, async (t) => {
    const good = await startBackend(t, says('good'));
    const bad = refusingUrl();
    const { redis, router } = await start(t, cache, [bad, good.url]);
    await untilMarked(redis, router);
    for (let i = 0; i < 10; i++) assert.equal((await ask({ port: router.port })).status, 200);
    await redis.cli('lrem', `frontend:${HOST}`, 1, bad);
    for (let i = 0; i < 10; i++) assert.equal((await ask({ port: router.port })).body, 'good', `request ${i}`);
    assert.deepEqual(await redis.cli('smembers', `dead:${HOST}`), ['0'], 'the mark is still there');
  });

  test(`${mode}: the dead backend of three is removed, and both others serve`, async (t) => {
    const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
    const bad = refusingUrl();
    const { redis, router } = await start(t, cache, [bad, one.url, two.url]);
    await untilMarked(redis, router);
    await redis.cli('lrem', `frontend:${HOST}`, 1, bad);
    const bodies = new Set<string>();
    for (let i = 0; i < 40; i++) bodies.add((await ask({ port: router.port })).body);
    assert.deepEqual([...bodies].toSorted(), ['one', 'two']);
  });

  test(`${mode}: a list that is written anew has none of its old marks`, async (t) => {
    const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
    const { redis, router } = await start(t, cache, [refusingUrl(), one.url]);
    await untilMarked(redis, router);
    await redis.client().multi().del(`frontend:${HOST}`).rpush(`frontend:${HOST}`, 'site', two.url, one.url).exec();
    const bodies = new Set<string>();
    for (let i = 0; i < 40; i++) bodies.add((await ask({ port: router.port })).body);
    assert.deepEqual([...bodies].toSorted(), ['one', 'two']);
  });

  test(`${mode}: a mark without a URL counts for whatever is at its place, as ever`, async (t) => {
    const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((name) => startBackend(t, says(name))));
    assert.ok(one && two && three);
    const { redis, router } = await start(t, cache, [one.url, two.url, three.url]);
    await redis.cli('sadd', `dead:${HOST}`, 0);
    await redis.cli('lrem', `frontend:${HOST}`, 1, one.url);
    const look = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) assert.equal((await ask({ port: router.port })).body, 'three');
    };
    // In mode push Redis reports the change a moment later.
    await (mode === 'with push' ? eventually(look) : look());
  });

  test(`${mode}: a list of one backend is served whatever is marked`, async (t) => {
    const one = await startBackend(t, says('one'));
    const { redis, router } = await start(t, cache, [one.url]);
    await redis.cli('sadd', `dead:${HOST}`, 0);
    for (let i = 0; i < 10; i++) assert.equal((await ask({ port: router.port })).body, 'one');
  });
}

test('the URL of a mark lives as long as the mark', async (t) => {
  const good = await startBackend(t, says('good'));
  const bad = refusingUrl();
  const { redis, router } = await start(t, {}, [bad, good.url]);
  await untilMarked(redis, router);
  assert.deepEqual(await redis.cli('hgetall', `marks:${HOST}`), { 0: bad });
  // At the same moment.
  const ttls = await redis.client().multi().pttl(`dead:${HOST}`).pttl(`marks:${HOST}`).exec();
  const [mark = 0, url = 0] = (ttls ?? []).map(([, ttl]) => Number(ttl));
  assert.ok(mark > 0 && Math.abs(mark - url) < 1_000, `${mark} and ${url} ms`);
});

test('a user without a right to marks: files marks as before', async (t) => {
  const lines = [
    'user default on nopass ~* &* +@all',
    'user old on >pw ~frontend:* ~dead:* ~prefixes:* ~options:* ~errors:* ~tls:* ~hchecker_ping &dead +@all',
  ];
  const redis = await startRedis(t, { lines });
  const good = await startBackend(t, says('good'));
  const bad = refusingUrl();
  await redis.cli('rpush', `frontend:${HOST}`, 'site', bad, good.url);
  const router = await startRouter(t, { config: { driver: `redis://old:pw@127.0.0.1:${redis.port}` } });
  await untilMarked(redis, router);
  assert.equal(await redis.cli('exists', `marks:${HOST}`), 0);
  for (let i = 0; i < 10; i++) assert.equal((await ask({ port: router.port })).body, 'good');
  assert.equal(deathsOf(router, HOST).length, 1);
  assert.deepEqual(
    router.log.filter(({ event }) => event === 'death-unfiled'),
    [],
  );
});

// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noProc, workersOf } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

test('whatever stands at the keys: a clear answer, a log line, and the worker lives', async (t) => {
  const redis = await startRedis(t);
  const good = await startBackend(t, (_request, response) => response.end('hello'));
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  const workers = noProc ? [] : workersOf(router);
  const get = async (host: string): Promise<number> => (await ask({ port: router.port, host })).status;
  const fault = (key: string) =>
    router.until(`fault of ${key}`, () =>
      router.log.find((entry) => entry.event === 'route-fault' && entry['key'] === key),
    );

  await t.test('another type at the frontend key', async () => {
    await redis.cli('set', 'frontend:string.test', 'text');
    await redis.cli('hset', 'frontend:hash.test', 'a', 'b');
    assert.equal(await get('string.test'), 502);
    assert.equal(await get('hash.test'), 502);
    assert.match((await fault('frontend:string.test')).msg ?? '', /holds a string, not a list/);
    assert.match((await fault('frontend:hash.test')).msg ?? '', /holds a hash, not a list/);
  });

  await t.test('another type at the dead key: nobody is taken for dead, and marking fails aloud', async () => {
    await redis.cli('rpush', 'frontend:dead.test', 'site', good.url, refusingUrl());
    await redis.cli('set', 'dead:dead.test', 'text');
    assert.equal(await get('dead.test'), 200);
    assert.match((await fault('dead:dead.test')).msg ?? '', /holds a string, not a set/);
    await eventually(async () => {
      assert.equal(await get('dead.test'), 200);
      assert.ok(router.log.some(({ event }) => event === 'death-unfiled'));
    });
  });

  await t.test('URLs that are none: the others serve; with no other it is a 502', async () => {
    await redis.cli('rpush', 'frontend:some.test', 'site', 'http://', good.url, 'ftp://10.0.0.1', '::::');
    await redis.cli('rpush', 'frontend:none.test', 'site', 'not a url', 'http://a b/', 'http://10.0.0.1:99999');
    for (let i = 0; i < 10; i++) assert.equal(await get('some.test'), 200);
    assert.equal(await get('none.test'), 502);
    await fault('frontend:some.test');
    await fault('frontend:none.test');
  });

  await t.test('an identifier alone is a 502, no key a 400', async () => {
    await redis.cli('rpush', 'frontend:bare.test', 'site');
    assert.equal(await get('bare.test'), 502);
    assert.equal(await get('nowhere.test'), 400);
  });

  await t.test('a list of 50,000 elements is refused before it is read', async () => {
    const urls = Array.from({ length: 10_000 }, (_, i) => `http://10.${i >> 8}.${i & 255}.1`);
    await redis.cli('rpush', 'frontend:long.test', 'site');
    for (let i = 0; i < 5; i++) await redis.cli('rpush', 'frontend:long.test', ...urls);
    assert.equal(await get('long.test'), 502);
    assert.match((await fault('frontend:long.test')).msg ?? '', /longer than 10000 elements/);
  });

  await t.test('ids in a dead set that are no places in the list', async () => {
    await redis.cli('rpush', 'frontend:ids.test', 'site', good.url);
    await redis.cli('sadd', 'dead:ids.test', '-1', '1e9', '00', 'text', '7', '');
    assert.equal(await get('ids.test'), 200);
  });

  if (!noProc) assert.deepEqual(workersOf(router), workers);
  assert.equal(
    router.log.find(({ event }) => event === 'worker-mistake' || event === 'internal-error'),
    undefined,
  );
});

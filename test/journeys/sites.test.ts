/** Sites as an operator changes them in Redis: each change holds for the next request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';

const named = (t: TestContext, name: string) =>
  startBackend(t, (request, response) => {
    request.resume();
    response.end(`${name} ${request.url}`);
  });

function routerOn(t: TestContext, redis: TestRedis, mode: string, server = {}): Promise<Router> {
  return startRouter(t, { server, config: { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode } } });
}

async function get(router: Router, path: string, host = 'www.x.test'): Promise<string> {
  const { status, body } = await ask({ port: router.port, host, path });
  return status === 200 ? body : String(status);
}

for (const mode of ['request', 'push']) {
  test(`cache.mode ${mode}: prefixes, options and pages hold for the next request`, async (t) => {
    const redis = await startRedis(t);
    const [all, api] = [await named(t, 'all'), await named(t, 'api')];
    const router = await routerOn(t, redis, mode);
    /** In mode push a change is told, which takes a moment. */
    const soon = async (path: string, wanted: string): Promise<void> => {
      if (mode === 'request') assert.equal(await get(router, path), wanted);
      else await eventually(async () => assert.equal(await get(router, path), wanted));
    };
    await redis.cli('rpush', 'frontend:www.x.test', 'all', all.url);
    await soon('/api/a', 'all /api/a');
    await redis.cli('sadd', 'prefixes:www.x.test', '/api');
    await soon('/api/a', 'all /api/a');
    await redis.cli('rpush', 'frontend:www.x.test/api', 'api', api.url);
    await soon('/api/a', 'api /api/a');
    await redis.cli('hset', 'options:www.x.test/api', 'strip', '1');
    await soon('/api/a', 'api /a');
    await redis.cli('hset', 'options:www.x.test/api', 'rewrite', '^/api/([a-z])$ /letters/$1');
    await soon('/api/a', 'api /letters/a');
    await redis.cli('hset', 'options:*', 'state', 'maintenance');
    await soon('/', '503');
    await soon('/api/a', '503');
    await redis.cli('hset', 'options:www.x.test', 'state', 'live');
    await soon('/api/a', 'api /letters/a');
    await redis.cli('del', 'options:*', 'options:www.x.test/api');
    await soon('/api/a', 'api /api/a');
    await redis.cli('srem', 'prefixes:www.x.test', '/api');
    await soon('/api/a', 'all /api/a');
    await redis.cli('del', 'frontend:www.x.test', 'options:www.x.test');
    await soon('/', '400');

    const page = async (): Promise<string> => (await ask({ port: router.port, host: 'www.x.test' })).body;
    await redis.cli('hset', 'errors:*', '400', 'nobody');
    await eventually(async () => assert.equal(await page(), 'nobody'));
    await redis.cli('hset', 'errors:*', '400', 'still nobody');
    await eventually(async () => assert.equal(await page(), 'still nobody'));
    await redis.cli('del', 'errors:*');
    await eventually(async () => assert.match(await page(), /<html/));
  });

  test(`cache.mode ${mode}: a pause keeps requests until it is over, so that nobody sees a failover`, async (t) => {
    const redis = await startRedis(t);
    const [before, after] = [await named(t, 'before'), await named(t, 'after')];
    const router = await routerOn(t, redis, mode);
    await redis.cli('rpush', 'frontend:www.x.test', 'x', before.url);
    assert.equal(await get(router, '/'), 'before /');
    await redis.cli('hset', 'options:www.x.test', 'state', 'paused');
    const held: Promise<string>[] = [];
    await eventually(async () => {
      const answer = get(router, `/${held.length}`);
      const first = await Promise.race([answer, delay(150, null)]);
      assert.equal(first, null, 'it is kept');
      held.push(answer);
    });
    // A list that is written anew is not there for a moment.
    await redis.cli('del', 'frontend:www.x.test');
    await delay(250);
    await redis.cli('rpush', 'frontend:www.x.test', 'x', after.url);
    for (let i = held.length; i < 20; i++) held.push(get(router, `/${i}`));
    const posted = ask({ port: router.port, host: 'www.x.test', method: 'POST', path: '/post', body: 'b'.repeat(1e6) });
    const upgrade = await dial(router.port);
    upgrade.write('GET /ws HTTP/1.1\r\nHost: www.x.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await redis.cli('hdel', 'options:www.x.test', 'state');
    assert.deepEqual(
      await Promise.all(held),
      held.map((_, i) => `after /${i}`),
    );
    assert.equal((await posted).body, 'after /post');
    const [answer] = (await once(upgrade, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 OK\r\n/);
    upgrade.destroy();
    assert.ok(!router.log.some(({ event }) => event === 'backend-dead'));
  });
}

test('a pause has a limit of time and one of number, and whoever leaves makes room', async (t) => {
  const redis = await startRedis(t);
  const backend = await named(t, 'x');
  const router = await routerOn(t, redis, 'request', { limits: { paused: 2 } });
  await redis.cli('rpush', 'frontend:www.x.test', 'x', backend.url);
  await redis.cli('hset', 'options:www.x.test', 'state', 'paused');
  const clients = await Promise.all(Array.from({ length: 3 }, () => dial(router.port)));
  const refused = Promise.race(
    clients.map(async (socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: www.x.test\r\nX-Debug: 1\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString('latin1');
    }),
  );
  assert.match(await refused, /^HTTP\/1\.1 503 [^]*\r\nX-Router-Error: paused\r\nRetry-After: 5\r\n[^]*too many/);
  for (const socket of clients) socket.destroy();
  await redis.cli('hset', 'options:www.x.test', 'pauseMax', '1');
  await eventually(async () => {
    const { status, headers } = await ask({ port: router.port, host: 'www.x.test', headers: { 'X-Debug': '1' } });
    assert.equal(status, 503);
    assert.match(String(headers['x-debug-error']), /too long/);
  });
  // Nobody else waits for them.
  assert.equal(await get(router, '/', 'nobody.test'), '400');
});

test('options that cannot be used are left out, with one line', async (t) => {
  const redis = await startRedis(t);
  const backend = await named(t, 'x');
  const router = await routerOn(t, redis, 'request');
  await redis.cli('rpush', 'frontend:www.x.test', 'x', backend.url);
  await redis.cli('hset', 'options:www.x.test', 'state', 'asleep', 'colour', 'red', 'prepend', '/v2');
  for (let i = 0; i < 5; i++) assert.equal(await get(router, '/a'), 'x /v2/a');
  await router.event('route-fault');
  const faults = router.log
    .filter(({ event }) => event === 'route-fault')
    .map(({ key, msg }) => `${String(key)} ${msg}`);
  assert.equal(faults.length, 2, faults.join('\n'));
  assert.match(faults.join('\n'), /options:www\.x\.test.*"state".*live/);
  assert.match(faults.join('\n'), /"colour".*no such option/);
  await redis.cli('set', 'options:www.y.test', 'no hash');
  await redis.cli('set', 'prefixes:www.y.test', 'no set');
  await redis.cli('rpush', 'frontend:www.y.test', 'y', backend.url);
  assert.equal(await get(router, '/a', 'www.y.test'), 'x /a');
  await eventually(() => assert.equal(router.log.filter(({ event }) => event === 'route-fault').length, 4));
});

test('a user of Redis without rights to options has routes all the same, and one line', async (t) => {
  const lines = [
    'user old on >pw ~frontend:* ~dead:* ~hchecker_ping &dead +evalsha +eval +lrange +smembers +type +pttl +get +ping +select +info',
  ];
  const redis = await startRedis(t, { lines });
  const backend = await named(t, 'x');
  const router = await startRouter(t, { config: { driver: `redis://old:pw@127.0.0.1:${redis.port}` } });
  await redis.cli('rpush', 'frontend:www.x.test', 'x', backend.url);
  for (let i = 0; i < 5; i++) assert.equal(await get(router, '/a'), 'x /a');
  const faults = router.log.filter(({ event }) => event === 'route-fault');
  assert.equal(faults.length, 1);
  assert.match(String(faults[0]?.msg), /may not read options/);
});

test('what was known of paths and options goes on while Redis is gone', async (t) => {
  const redis = await startRedis(t);
  const [all, api] = [await named(t, 'all'), await named(t, 'api')];
  const router = await routerOn(t, redis, 'request');
  await redis.cli('rpush', 'frontend:www.x.test', 'all', all.url);
  await redis.cli('rpush', 'frontend:www.x.test/api', 'api', api.url);
  await redis.cli('sadd', 'prefixes:www.x.test', '/api');
  await redis.cli('hset', 'options:www.x.test/api', 'strip', '1');
  assert.deepEqual([await get(router, '/'), await get(router, '/api/x')], ['all /', 'api /x']);
  await redis.stop();
  await router.event('store-down');
  assert.deepEqual([await get(router, '/'), await get(router, '/api/y')], ['all /', 'api /y']);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { Router, startRouter, temporaryFolder, writeConfig } from '../support/router.ts';

const named = (t: TestContext, name: string) => startBackend(t, (_request, response) => response.end(name));

/** A router with its routes in Redis. `rest`: what follows the port in the driver URL. */
function routerOn(t: TestContext, redis: TestRedis, userinfo = '', rest = ''): Promise<Router> {
  return startRouter(t, { config: { driver: `redis://${userinfo}127.0.0.1:${redis.port}${rest}` } });
}

async function get(router: Router, host: string): Promise<string> {
  const { status, body } = await ask({ port: router.port, host });
  return status === 200 ? body : String(status);
}

test('a vhost is configured as the README says, and the next request goes there', async (t) => {
  const redis = await startRedis(t);
  const [one, two] = [await named(t, 'one'), await named(t, 'two')];
  const router = await routerOn(t, redis);
  assert.equal(await get(router, 'www.dotcloud.com'), '400');
  assert.equal(await redis.cli('rpush', 'frontend:www.dotcloud.com', 'mywebsite'), 1);
  assert.equal(await get(router, 'www.dotcloud.com'), '502');
  assert.equal(await redis.cli('rpush', 'frontend:www.dotcloud.com', one.url), 2);
  assert.equal(await get(router, 'www.dotcloud.com'), 'one');
  assert.equal(await redis.cli('rpush', 'frontend:www.dotcloud.com', two.url), 3);
  const bodies = new Set<string>();
  for (let i = 0; i < 40; i++) bodies.add(await get(router, 'www.dotcloud.com'));
  assert.deepEqual([...bodies].toSorted(), ['one', 'two']);
  assert.deepEqual(await redis.cli('lrange', 'frontend:www.dotcloud.com', 0, -1), ['mywebsite', one.url, two.url]);
  await redis.cli('lrem', 'frontend:www.dotcloud.com', 0, one.url);
  for (let i = 0; i < 10; i++) assert.equal(await get(router, 'www.dotcloud.com'), 'two');
  await redis.cli('del', 'frontend:www.dotcloud.com');
  assert.equal(await get(router, 'www.dotcloud.com'), '400');
  await router.line(/"GET \/ HTTP\/1\.1" 200 3 "-" "-" "mywebsite" /);
});

test('wildcards serve what has no route of its own', async (t) => {
  const redis = await startRedis(t);
  const [exact, wild, any] = [await named(t, 'exact'), await named(t, 'wild'), await named(t, 'any')];
  const router = await routerOn(t, redis);
  await redis.cli('rpush', 'frontend:www.site.test', 'exact', exact.url);
  await redis.cli('rpush', 'frontend:*.site.test', 'wild', wild.url);
  await redis.cli('rpush', 'frontend:*', 'any', any.url);
  assert.equal(await get(router, 'www.site.test'), 'exact');
  assert.equal(await get(router, 'WWW.Site.Test:8080'), 'exact');
  assert.equal(await get(router, 'a.b.c.site.test'), 'wild');
  assert.equal(await get(router, 'elsewhere.test'), 'any');
});

test('password, database and prefix of the driver URL are used', async (t) => {
  const redis = await startRedis(t, { password: 's3cret:with@signs' });
  const backend = await named(t, 'found');
  const client = redis.client();
  await client.select(3);
  await client.rpush('eu-frontend:site.test', 'site', backend.url);
  const password = encodeURIComponent('s3cret:with@signs');
  const router = await routerOn(t, redis, `:${password}@`, '/3#eu-');
  assert.equal(await get(router, 'site.test'), 'found');
  const other = await routerOn(t, redis, `:${password}@`, '/0#eu-');
  assert.equal(await get(other, 'site.test'), '400');
  const wrong = await routerOn(t, redis, ':wrong@', '/3#eu-');
  assert.equal(await get(wrong, 'site.test'), '503');
  const { msg = '' } = await wrong.event('store-down');
  assert.match(msg, /WRONGPASS|password/);
  assert.doesNotMatch(JSON.stringify(wrong.log), /s3cret|:wrong@/);
});

test('routes are read from the first URL, deaths written to the last', async (t) => {
  const [reader, writer] = [await startRedis(t), await startRedis(t)];
  const good = await named(t, 'good');
  const failing = await startBackend(t, (_request, response) => response.writeHead(502).end());
  await reader.cli('rpush', 'frontend:site.test', 'site', failing.url, good.url);
  const subscriber = writer.client().duplicate();
  t.after(() => subscriber.disconnect());
  await subscriber.subscribe('dead');
  const announced = once(subscriber, 'message');
  const driver = [`redis://127.0.0.1:${reader.port}`, `redis://127.0.0.1:${writer.port}`];
  const router = await startRouter(t, { config: { driver } });
  while ((await get(router, 'site.test')) !== '502');
  assert.deepEqual(await announced, ['dead', `site.test;${failing.url};0;2`]);
  assert.deepEqual(await writer.cli('smembers', 'dead:site.test'), ['0']);
  assert.equal(await reader.cli('exists', 'dead:site.test'), 0);
});

test('without a driver it is the local Redis on the default port', async (t) => {
  const folder = temporaryFolder(t);
  const router = new Router(folder, ['--dry', '--config', writeConfig(folder, {})], {});
  assert.equal(await router.exited(), 0);
  const shown = JSON.parse(router.lines.slice(1).join('\n')) as { driver: string };
  assert.deepEqual(parseDriverUrl(shown.driver), parseDriverUrl('redis://127.0.0.1:6379/0'));
});

// @one-lane: marks of both lanes are written in one place
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { test, type TestContext } from 'node:test';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Router, type RouterOptions, startRouter } from '../support/router.ts';

const hello: RequestListener = (_request, response) => response.end('hello');

function routerOn(t: TestContext, redis: TestRedis, rest = '', options: RouterOptions = {}): Promise<Router> {
  return startRouter(t, { ...options, config: { driver: `redis://127.0.0.1:${redis.port}${rest}` } });
}

/** Everything that is published on a channel, as a health checker hears it. */
async function listen(t: TestContext, redis: TestRedis): Promise<{ next: () => Promise<string>; all: string[] }> {
  const subscriber = redis.client().duplicate();
  t.after(() => subscriber.disconnect());
  await subscriber.subscribe('dead');
  const all: string[] = [];
  subscriber.on('message', (_channel: string, message: string) => all.push(message));
  let seen = 0;
  const next = async (): Promise<string> => {
    while (all[seen] === undefined) await once(subscriber, 'message');
    return all[seen++] ?? '';
  };
  return { next, all };
}

test('a dead backend is marked in Redis with server.deadBackendTTL, announced, and not asked again', async (t) => {
  const redis = await startRedis(t);
  const good = await startBackend(t, hello);
  const bad = refusingUrl();
  await redis.cli('rpush', 'eu-frontend:site.test', 'site', good.url, bad);
  const { next, all } = await listen(t, redis);
  const router = await routerOn(t, redis, '#eu-', { server: { deadBackendTTL: 17 } });
  const heard = next();
  await eventually(async () => {
    assert.equal((await ask(router)).body, 'hello');
    assert.equal(all.length, 1);
  });
  // The channel has no prefix; the key has.
  assert.equal(await heard, `site.test;${bad};1;2`);
  assert.deepEqual(await redis.cli('smembers', 'eu-dead:site.test'), ['1']);
  const ttl = Number(await redis.cli('ttl', 'eu-dead:site.test'));
  assert.ok(ttl > 10 && ttl <= 17, String(ttl));
  for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'hello');
  assert.equal(all.length, 1);
});

test('a mark that somebody else made is heeded, and its end too', async (t) => {
  const redis = await startRedis(t);
  const [one, two] = await Promise.all([
    startBackend(t, (_request, response) => response.end('one')),
    startBackend(t, (_request, response) => response.end('two')),
  ]);
  await redis.cli('rpush', 'frontend:site.test', 'site', one.url, two.url);
  await redis.cli('sadd', 'dead:site.test', 0);
  const router = await routerOn(t, redis);
  for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'two');
  await redis.cli('sadd', 'dead:site.test', 1);
  assert.equal((await ask(router)).status, 502);
  await redis.cli('srem', 'dead:site.test', 0);
  for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'one');
});

test('the mark belongs to the host that was asked for, also when a wildcard matched', async (t) => {
  const redis = await startRedis(t);
  const good = await startBackend(t, hello);
  const bad = refusingUrl();
  await redis.cli('rpush', 'frontend:*.site.test', 'site', bad, good.url);
  const { next, all } = await listen(t, redis);
  const router = await routerOn(t, redis);
  const heard = next();
  await eventually(async () => {
    await ask({ port: router.port, host: 'a.site.test' });
    assert.equal(all.length, 1);
  });
  assert.equal(await heard, `a.site.test;${bad};0;2`);
  assert.deepEqual(await redis.cli('keys', 'dead:*'), ['dead:a.site.test']);
});

// What hipache-hchecker 0.2 does, command for command.
test('hipache-hchecker takes a death over, and gives the backend back when it is well', async (t) => {
  const redis = await startRedis(t);
  let isWell = false;
  const good = await startBackend(t, hello);
  const ill = await startBackend(t, (_request, response) => response.writeHead(isWell ? 200 : 503).end('ill'));
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, ill.url);
  await redis.cli('set', 'hchecker_ping', Math.floor(Date.now() / 1000));
  const { next, all } = await listen(t, redis);
  const router = await routerOn(t, redis);
  const heard = next();
  // A request that comes before Redis has replied may be one more announcement: nothing is marked.
  await eventually(async () => {
    await ask(router);
    assert.notEqual(all.length, 0);
  });

  const fields = (await heard).split(';');
  assert.equal(fields.length, 4);
  const [host = '', url = '', id = '', length = ''] = fields;
  assert.ok(Number(length) > 1);
  assert.equal(await redis.cli('lindex', `frontend:${host}`, Number(id) + 1), url);
  const { protocol, host: place } = new URL(url);
  assert.equal(`${protocol}//${place}`, ill.url);
  // While it lives the router only announces: the mark is the checker's.
  assert.equal(await redis.cli('exists', `dead:${host}`), 0);

  await redis.cli('sadd', `dead:${host}`, id);
  await redis.cli('expire', `dead:${host}`, 60);
  for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'hello');
  isWell = true;
  await redis.cli('srem', `dead:${host}`, id);
  await eventually(async () => assert.equal((await ask(router)).body, 'ill'));
});

test('a 500 is deadly while an active checker lives, and only then', async (t) => {
  const redis = await startRedis(t);
  const good = await startBackend(t, hello);
  const failing = await startBackend(t, (_request, response) => response.writeHead(500).end('oops'));
  await redis.cli('rpush', 'frontend:site.test', 'site', good.url, failing.url);
  const now = Math.floor(Date.now() / 1000);
  await redis.cli('set', 'hchecker_ping', now - 31);
  const quiet = await listen(t, redis);
  const without = await routerOn(t, redis);
  for (let failures = 0; failures < 5;) if ((await ask(without)).status === 500) failures++;

  // Read at the start: this one has known it from its first request.
  await redis.cli('set', 'hchecker_ping', now);
  const withChecker = await routerOn(t, redis);
  assert.deepEqual(quiet.all, []);
  const heard = quiet.next();
  await eventually(async () => {
    assert.ok([200, 500].includes((await ask(withChecker)).status));
    assert.notEqual(quiet.all.length, 0);
  });
  assert.equal(await heard, `site.test;${failing.url};1;2`);

  const off = await routerOn(t, redis, '', { server: { deadBackendOn500: false } });
  const before = quiet.all.length;
  for (let failures = 0; failures < 5;) if ((await ask(off)).status === 500) failures++;
  assert.equal(quiet.all.length, before);
});

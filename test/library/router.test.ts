/** A router of the library serves as the command does: in both lanes, with routes in memory, a file and Redis. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRouter, type RouterEvent } from '../../lib/library/index.ts';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { openSession, request } from '../support/http2.ts';
import { openRouter, portOf } from '../support/library.ts';
import { startRedis } from '../support/redis.ts';
import { temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

for (const fastLane of [true, false]) {
  const lane = fastLane ? 'the fast lane' : 'the full lane';

  test(`HTTP/1.1, HTTP/2 and WebSockets go through a created router, with ${lane}`, async (t) => {
    const [plain, socket] = await Promise.all([startBackend(t, says('hello')), startWebSocketBackend(t)]);
    const router = await openRouter(t, {
      config: { server: { fastLane } },
      http: { port: 0, http2: true },
      routes: {
        'site.test': ['site', plain.url],
        'socket.test': ['socket', socket.url],
        'old.test': ['old', plain.url],
        'options:old.test': { https: 'off', canonical: 'site.test' },
      },
    });
    const port = portOf(router);
    assert.equal((await ask({ port })).body, 'hello');
    assert.equal((await request(await openSession(t, port))).body, 'hello');
    const client = openWebSocket(t, `ws://127.0.0.1:${port}/`, 'socket.test');
    await once(client, 'open');
    client.send('ping');
    const [data] = (await once(client, 'message')) as [Buffer];
    assert.equal(data.toString(), 'ping');
    assert.equal((await ask({ port, host: 'old.test' })).headers.location, 'http://site.test/');
    const metrics = await router.metrics();
    assert.match(
      metrics,
      new RegExp(`hipache_requests_total\\{frontend="site",class="2xx",lane="${fastLane ? 'fast' : 'full'}"\\} 2`),
    );
    assert.match(metrics, /^hipache_ready 1$/m);
    assert.match(metrics, /^hipache_tunnels 1$/m);
  });
}

test('the next request goes where a changed route leads', async (t) => {
  const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
  const router = await openRouter(t, { routes: { 'site.test': ['site', one.url] } });
  const port = portOf(router);
  assert.equal((await ask({ port })).body, 'one');
  router.routes.set('site.test', ['site', two.url]);
  assert.equal((await ask({ port })).body, 'two');
  router.routes.set('options:site.test', { state: 'maintenance' });
  assert.equal((await ask({ port })).status, 503);
  assert.deepEqual(router.routes.all(), {
    'site.test': ['site', two.url],
    'options:site.test': { state: 'maintenance' },
  });
  assert.equal(router.routes.remove('options:site.test'), true);
  assert.equal((await ask({ port })).body, 'two');
  router.routes.set('site.test/api', ['api', one.url]);
  assert.equal((await ask({ port, path: '/api/x' })).body, 'one');
  assert.equal(router.routes.remove('site.test'), true);
  assert.equal(router.routes.remove('site.test'), false);
  assert.equal((await ask({ port })).status, 400);
});

test('routes that a file would be refused for are an error, and change nothing', async (t) => {
  const backend = await startBackend(t, says('still'));
  const router = await openRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  assert.throws(() => router.routes.set('site.test', []), {
    message: 'routes: "site.test" is an empty list; its first element must be a name',
  });
  assert.throws(() => router.routes.set('options:site.test', ['site']), /must be an object/);
  assert.equal((await ask({ port: portOf(router) })).body, 'still');
});

test('a backend that refuses is marked dead, is an event, and is explained', async (t) => {
  const events: RouterEvent[] = [];
  const backend = await startBackend(t, says('alive'));
  const dead = refusingUrl();
  const router = await openRouter(t, {
    routes: { 'site.test': ['site', dead, backend.url], 'odd.test': ['odd', 'nonsense'] },
    onEvent: (event) => events.push(event),
  });
  const died = once(router.events, 'backend-dead') as Promise<[RouterEvent]>;
  const port = portOf(router);
  await eventually(async () => {
    assert.equal((await ask({ port })).body, 'alive');
    assert.ok(events.some(({ event }) => event === 'backend-dead'));
  });
  const [{ backend: url, level }] = await died;
  assert.deepEqual([url, level], [dead, 'warn']);
  assert.match(events.find(({ event }) => event === 'route-fault')?.msg ?? '', /^odd\.test: backend "nonsense"/);
  const { route, answer, workers } = await router.explain('site.test', '/path');
  assert.equal(answer.kind, 'backend');
  assert.deepEqual(
    route?.backends.map(({ state }) => state),
    ['dead', 'alive'],
  );
  assert.deepEqual(workers[0]?.dead, [0]);
});

test('several routers in one process are independent', async (t) => {
  const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
  const routers = await Promise.all([
    openRouter(t, { routes: { 'site.test': ['site', one.url], 'only.test': ['only', one.url] } }),
    openRouter(t, { routes: { 'site.test': ['site', two.url] } }),
  ]);
  const asked = await Promise.all(routers.map((router) => ask({ port: portOf(router) })));
  assert.deepEqual(
    asked.map(({ body }) => body),
    ['one', 'two'],
  );
  const [first, second] = routers;
  await first.close();
  await assert.rejects(ask({ port: portOf(first) }), { code: 'ECONNREFUSED' });
  assert.equal((await ask({ port: portOf(second) })).body, 'two');
  assert.equal((await ask({ port: portOf(second), host: 'only.test' })).status, 400);
});

test('the configuration of a file counts, with its routes file, whose changes are followed', async (t) => {
  const [one, two] = await Promise.all([startBackend(t, says('one')), startBackend(t, says('two'))]);
  const folder = temporaryFolder(t);
  const write = (name: string, value: unknown): void => writeFileSync(join(folder, name), JSON.stringify(value));
  write('routes.json', { 'site.test': ['site', one.url] });
  const server = { accessLog: null, requestId: 'both', drain: { requests: 0, tunnels: 0 } };
  write('config.json', { http: { port: 0 }, driver: 'file:routes.json', server });
  const router = await createRouter({ config: join(folder, 'config.json') });
  t.after(() => router.close());
  const port = portOf(router);
  const answer = await ask({ port });
  assert.equal(answer.body, 'one');
  assert.ok(answer.headers['x-request-id']);
  assert.throws(() => router.routes, /the routes of this router are in a store/);
  write('routes.json', { 'site.test': ['site', two.url] });
  await eventually(async () => assert.equal((await ask({ port })).body, 'two'));
  assert.equal((await router.explain('site.test')).store.name, `file:${join(folder, 'routes.json')}`);
});

test('routes in Redis are those of a router with its driver URL', async (t) => {
  const [redis, backend] = await Promise.all([startRedis(t), startBackend(t, says('from Redis'))]);
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  const router = await openRouter(t, {
    config: { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode: 'push' } },
  });
  assert.equal((await ask({ port: portOf(router) })).body, 'from Redis');
  assert.equal((await router.explain('site.test')).route?.name, 'site');
});

/** The admin interface of a whole router. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AdminAddress, adminOf, askAdmin, metric } from '../support/admin.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { deferred } from '../support/deferred.ts';
import { eventually } from '../support/eventually.ts';
import { openSession, request } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { freePort } from '../support/ports.ts';
import { startRedis } from '../support/redis.ts';
import { launchRouter, startRouter, temporaryFolder, writeConfig } from '../support/router.ts';

const ADMIN = { config: { admin: { port: 0 } } };

interface Workers {
  readonly master: { readonly pid: number };
  readonly workers: readonly { readonly pid: number; readonly generation: number; readonly state: string }[];
}

async function workersOf(address: AdminAddress): Promise<Workers> {
  return (await askAdmin(address, '/api/v1/workers')).json as Workers;
}

async function isOpen(port: number): Promise<boolean> {
  return await askAdmin({ port }, '/healthz').then(
    () => true,
    () => false,
  );
}

test('there is none unless it is asked for', async (t) => {
  const router = await startRouter(t, { routes: {} });
  await router.stop();
  assert.deepEqual(
    router.log.filter(({ event }) => event?.startsWith('admin')),
    [],
  );
});

test('health and readiness are told, to whoever asks', async (t) => {
  const router = await startRouter(t, { routes: {}, config: { admin: { port: 0, token: 'secret' } } });
  const admin = await adminOf(router);
  const health = await askAdmin(admin, '/healthz');
  assert.deepEqual([health.status, health.text], [200, 'ok\n']);
  const ready = await askAdmin(admin, '/readyz');
  assert.deepEqual([ready.status, ready.json], [200, { ready: true, degraded: false, reasons: [] }]);
  const head = await askAdmin(admin, '/readyz', { method: 'HEAD' });
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', String(ready.text.length)]);
});

test('while Redis does not answer it is ready by what it knows, and says that it is degraded', async (t) => {
  const redis = await startRedis(t);
  const backend = await startBackend(t, says('hello'));
  await redis.cli('rpush', 'frontend:known.test', 'a', backend.url);
  const router = await startRouter(t, { config: { ...ADMIN.config, driver: `redis://127.0.0.1:${redis.port}` } });
  const admin = await adminOf(router);
  assert.equal((await askAdmin(admin, '/readyz')).status, 200);
  assert.equal(await metric(admin, 'hipache_store_up'), 1);
  assert.equal(await metric(admin, 'hipache_degraded'), 0);
  assert.equal((await ask({ port: router.port, host: 'known.test' })).status, 200);
  await redis.kill();
  await router.event('store-down');
  const reasons = ['the store does not reply to 1 of 1 workers'];
  const { status, json } = await askAdmin(admin, '/readyz');
  assert.deepEqual([status, json], [200, { ready: true, degraded: true, reasons }]);
  const strict = await askAdmin(admin, '/readyz?strict=1');
  assert.deepEqual([strict.status, strict.json], [503, { ready: false, degraded: true, reasons }]);
  const live = (await askAdmin(admin, '/api/v1/live')).json as { readonly ready: unknown };
  assert.deepEqual(live.ready, { isReady: true, isDegraded: true, reasons });
  assert.equal((await ask({ port: router.port, host: 'known.test' })).status, 200);
  assert.equal(await metric(admin, 'hipache_store_up'), 0);
  assert.equal(await metric(admin, 'hipache_ready'), 1);
  assert.equal(await metric(admin, 'hipache_degraded'), 1);
  assert.equal((await askAdmin(admin, '/healthz')).status, 200);
  await redis.start();
  // One that comes back without a frontend has lost them.
  await redis.cli('rpush', 'frontend:a.test', 'a', 'http://127.0.0.1:1');
  await router.event(
    'store-up',
    router.log.findIndex(({ event }) => event === 'store-down'),
  );
  const after = await askAdmin(admin, '/readyz?strict=1');
  assert.deepEqual([after.status, after.json], [200, { ready: true, degraded: false, reasons: [] }]);
});

test('a router that knows nothing is not ready while Redis does not answer', async (t) => {
  const driver = `redis://127.0.0.1:${await freePort()}`;
  const router = await startRouter(t, { config: { ...ADMIN.config, driver } });
  await router.event('store-down');
  const { status, json } = await askAdmin(await adminOf(router), '/readyz');
  const reasons = ['the store does not reply to 1 of 1 workers', '1 of 1 workers know no routes'];
  assert.deepEqual([status, json], [503, { ready: false, degraded: true, reasons }]);
});

test('it is ready while only the server that deaths are written to is gone', async (t) => {
  const redis = await startRedis(t);
  const urls = [`redis://127.0.0.1:${redis.port}`, `redis://127.0.0.1:${await freePort()}`];
  const router = await startRouter(t, { config: { ...ADMIN.config, driver: urls } });
  await router.event('store-down');
  const { status, json } = await askAdmin(await adminOf(router), '/readyz');
  const reasons = ['the store does not reply to 1 of 1 workers'];
  assert.deepEqual([status, json], [200, { ready: true, degraded: true, reasons }]);
});

test('it is not ready when what it knows is older than cache.maxStale', async (t) => {
  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:known.test', 'a', 'http://127.0.0.1:1');
  const config = { ...ADMIN.config, driver: `redis://127.0.0.1:${redis.port}`, cache: { maxStale: 2 } };
  const router = await startRouter(t, { config });
  const admin = await adminOf(router);
  await ask({ port: router.port, host: 'known.test' });
  await redis.kill();
  await router.event('store-down');
  await eventually(async () => assert.equal((await askAdmin(admin, '/readyz')).status, 503), 20_000);
});

test('it is not ready while the router stops', async (t) => {
  const router = await startRouter(t, { routes: {}, server: { drain: { delay: 30 } }, ...ADMIN });
  const admin = await adminOf(router);
  router.signal('SIGTERM');
  await router.event('stopping');
  const { status, json } = await askAdmin(admin, '/readyz');
  assert.deepEqual([status, json], [503, { ready: false, degraded: true, reasons: ['the router is stopping'] }]);
});

test('pings are counted nowhere, whatever they are answered', async (t) => {
  const router = await startRouter(t, { routes: {}, server: { drain: { delay: 60 } }, ...ADMIN });
  const admin = await adminOf(router);
  const { port } = router;
  for (let i = 0; i < 3; i++) assert.equal((await ask({ port, host: '__ping__' })).status, 200);
  await ask({ port, host: 'nobody.test' });
  const all = 'hipache_requests_total{frontend="unknown",class=';
  const lane = process.env['HIPACHE_FAST_LANE'] === 'off' ? 'full' : 'fast';
  await eventually(async () => assert.equal(await metric(admin, `${all}"4xx",lane="${lane}"}`), 1));
  assert.equal(await metric(admin, `${all}"2xx",lane="full"}`), 0);
  assert.equal(await metric(admin, 'hipache_request_duration_seconds_count{frontend="unknown"}'), 1);
  router.signal('SIGTERM');
  await eventually(async () => assert.equal((await ask({ port, host: '__ping__' })).status, 503));
  assert.equal(await metric(admin, `${all}"5xx",lane="full"}`), 0);
  router.signal('SIGTERM');
  await router.exited();
});

test('every request is counted, by identifier, status and lane', async (t) => {
  const backend = await startBackend(t, says('hello'));
  const fails = await startBackend(t, says('no', 500));
  const router = await startRouter(t, {
    routes: {
      'a.test': ['site a', backend.url],
      'b.test': ['site "b"\\', fails.url],
      'c.test': ['site c', 'http://127.0.0.1:1', 'http://127.0.0.1:1'],
    },
    server: { fastLane: true },
    ...ADMIN,
  });
  const admin = await adminOf(router);
  const { port } = router;
  for (let i = 0; i < 5; i++) await ask({ port, host: 'a.test' });
  await ask({ port, host: 'a.test', method: 'POST', headers: { expect: '100-continue' }, body: 'x' });
  await ask({ port, host: 'b.test' });
  await ask({ port, host: 'c.test' });
  await ask({ port, host: 'nobody.test' });
  await send(port, 'BAD\r\n\r\n');
  const counted = (labels: string): Promise<number> => metric(admin, `hipache_requests_total{${labels}}`);
  // Who asks for metrics waits for half a second at most: what a worker says later is in the next ones.
  await eventually(async () => assert.equal(await counted('frontend="site a",class="2xx",lane="fast"'), 5));
  assert.equal(await counted('frontend="site a",class="2xx",lane="full"'), 1);
  assert.equal(await counted('frontend="site \\"b\\"\\\\",class="5xx",lane="fast"'), 1);
  assert.equal(await counted('frontend="site c",class="5xx",lane="full"'), 1);
  assert.equal(await counted('frontend="unknown",class="4xx",lane="fast"'), 1);
  assert.equal(await metric(admin, 'hipache_request_duration_seconds_count{frontend="site a"}'), 6);
  assert.equal(await metric(admin, 'hipache_backend_duration_seconds_count{frontend="site a"}'), 6);
  assert.equal(await metric(admin, 'hipache_backend_duration_seconds_count{frontend="unknown"}'), 0);
  // The other one is the last living of its site.
  assert.equal(await metric(admin, 'hipache_deaths_total'), 1);
  assert.equal(await metric(admin, 'hipache_retries_total{reason="unreachable"}'), 1);
  assert.equal(await metric(admin, 'hipache_refused_total{reason="no-frontend"}'), 1);
  assert.equal(await metric(admin, 'hipache_refused_total{reason="backend-failed"}'), 1);
  assert.equal(await metric(admin, 'hipache_refused_total{reason="bad-request"}'), 1);
  assert.equal(await metric(admin, 'hipache_backend_connections_total{reused="true"}'), 4);
});

test('clients’ connections, requests under way and WebSockets are told while they last', async (t) => {
  const held = deferred<() => void>();
  const backend = await startBackend(t, (_request, response) => held.resolve(() => response.end()));
  const router = await startRouter(t, { routes: { 'a.test': ['a', backend.url] }, ...ADMIN });
  const admin = await adminOf(router);
  const answer = ask({ port: router.port, host: 'a.test' });
  const release = await held.promise;
  await eventually(async () => assert.equal(await metric(admin, 'hipache_exchanges'), 1));
  await eventually(async () => assert.equal(await metric(admin, 'hipache_client_connections'), 1));
  release();
  await answer;
  await eventually(async () => assert.equal(await metric(admin, 'hipache_client_connections'), 0));
  assert.equal(await metric(admin, 'hipache_exchanges'), 0);
});

for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
  test(`a request by ${version} that the fast lane hands off is one request under way`, async (t) => {
    const held = deferred<() => void>();
    const backend = await startHttp2Backend(t, (stream) => held.resolve(() => stream.respond({}, { endStream: true })));
    const routes = { 'site.test': ['site', backend.url] };
    const config = { ...ADMIN.config, http: { port: 0, bind: ['127.0.0.1'], http2: true } };
    const router = await startRouter(t, { routes, config });
    const admin = await adminOf(router);
    const answer =
      version === 'HTTP/2' ? request(await openSession(t, router.port), { ':path': '/' }) : ask({ port: router.port });
    const release = await held.promise;
    await eventually(async () => assert.equal(await metric(admin, 'hipache_exchanges'), 1));
    release();
    await answer;
    await eventually(async () => assert.equal(await metric(admin, 'hipache_exchanges'), 0));
  });
}

test('lookups in Redis and what is served from memory are counted', async (t) => {
  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:a.test', 'a', 'http://127.0.0.1:1');
  const driver = `redis://127.0.0.1:${redis.port}`;
  const router = await startRouter(t, { config: { ...ADMIN.config, driver, cache: { mode: 'push' } } });
  const admin = await adminOf(router);
  const asked = async (): Promise<number> => {
    await ask({ port: router.port, host: 'a.test' });
    return await metric(admin, 'hipache_cache_lookups_total{result="hit"}');
  };
  await eventually(async () => assert.ok((await asked()) > 0));
  assert.ok((await metric(admin, 'hipache_lookup_duration_seconds_count')) > 0);
  assert.deepEqual((await askAdmin(admin, '/api/v1/cache/drop', { method: 'POST' })).json, { workers: 1, hosts: 1 });
  const misses = await metric(admin, 'hipache_cache_lookups_total{result="miss"}');
  await ask({ port: router.port, host: 'a.test' });
  await eventually(async () =>
    assert.equal(await metric(admin, 'hipache_cache_lookups_total{result="miss"}'), misses + 1),
  );
});

test('figures of several workers are one, and those of workers that ended stay', async (t) => {
  const backend = await startBackend(t, says('hello'));
  const router = await startRouter(t, {
    routes: { 'a.test': ['a', backend.url] },
    server: { workers: 2 },
    ...ADMIN,
  });
  const admin = await adminOf(router);
  const count = async (): Promise<number> => {
    const { text } = await askAdmin(admin, '/metrics');
    const lines = text.split('\n').filter((line) => line.startsWith('hipache_requests_total{frontend="a"'));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  for (let i = 0; i < 20; i++) await ask({ port: router.port, host: 'a.test' });
  await eventually(async () => assert.equal(await count(), 20));
  const before = await workersOf(admin);
  assert.deepEqual(
    before.workers.map(({ generation, state }) => [generation, state]),
    [
      [1, 'serving'],
      [1, 'serving'],
    ],
  );
  for (let i = 0; i < 20; i++) await ask({ port: router.port, host: 'a.test' });
  router.signal('SIGHUP');
  await router.event('reloaded');
  // An old worker's last figures come when it ends.
  await eventually(async () => assert.equal(await count(), 40));
  const after = await eventually(async () => {
    const { workers } = await workersOf(admin);
    assert.equal(workers.length, 2);
    return workers;
  });
  assert.ok(after.every(({ generation, pid }) => generation === 2 && before.workers.every((old) => old.pid !== pid)));
});

test('the last minutes are told second by second', async (t) => {
  const backend = await startBackend(t, says('hello'));
  const router = await startRouter(t, { routes: { 'a.test': ['a', backend.url] }, ...ADMIN });
  const admin = await adminOf(router);
  for (let i = 0; i < 7; i++) await ask({ port: router.port, host: 'a.test' });
  const live = await eventually(async () => {
    const { json } = await askAdmin(admin, '/api/v1/live?seconds=60');
    const { total, frontends } = json as {
      readonly total: { readonly requests: readonly number[] };
      readonly frontends: readonly { readonly name: string; readonly requests: readonly number[] }[];
    };
    assert.equal(
      total.requests.reduce((a, b) => a + b),
      7,
    );
    return { total, frontends };
  });
  assert.equal(live.total.requests.length, 60);
  assert.deepEqual(
    live.frontends.map(({ name, requests }) => [name, requests.reduce((a, b) => a + b)]),
    [['a', 7]],
  );
});

test('where it can be reached from elsewhere without a token, the router does not start', async (t) => {
  const router = launchRouter(t, { routes: {}, config: { admin: { bind: '0.0.0.0', port: 0 } } });
  assert.equal(await router.exited(), 1);
  assert.match(router.stray.join('\n'), /^admin\.token: is required, because other machines can reach 0\.0\.0\.0$/m);
});

test('a token is asked for, and a reload changes it', async (t) => {
  const config = { admin: { bind: '0.0.0.0', port: 0, token: 'first' } };
  const router = await startRouter(t, { routes: {}, config });
  const admin = await adminOf(router);
  const asked = async (token: string | null): Promise<number> => {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    return (await askAdmin(admin, '/api/v1/workers', { headers })).status;
  };
  assert.deepEqual([await asked(null), await asked('second'), await asked('first')], [401, 401, 200]);
  const refused = await askAdmin(admin, '/metrics');
  assert.match(String(refused.headers['www-authenticate']), /^Bearer/);
  writeConfig(router.folder, { routes: {}, config: { admin: { ...config.admin, token: 'second' } } });
  router.signal('SIGHUP');
  await router.event('reloaded');
  assert.deepEqual([await asked('first'), await asked('second')], [401, 200]);
  assert.ok(!JSON.stringify(router.log).includes('first'), 'the token is not logged');
});

test('it can be a Unix socket, for its user and group alone, which goes with the router', async (t) => {
  const path = join(temporaryFolder(t), 'admin.sock');
  const start = () => startRouter(t, { routes: {}, config: { admin: path } });
  const router = await start();
  const admin = await adminOf(router);
  assert.deepEqual(admin, { socketPath: path });
  assert.equal((await askAdmin(admin, '/api/v1/workers', { headers: { host: 'whatever' } })).status, 200);
  assert.equal(statSync(path).mode & 0o007, 0);
  await router.stop();
  assert.ok(!existsSync(path));
  // One that was killed leaves it.
  const killed = await start();
  await adminOf(killed);
  const { master } = await workersOf(admin);
  process.kill(master.pid, 'SIGKILL');
  await killed.exited();
  const next = await start();
  await adminOf(next);
  assert.equal((await askAdmin(admin, '/healthz')).status, 200);
});

test('sites’ listeners do not lead to it', async (t) => {
  const backend = await startBackend(t, says('site'));
  const router = await startRouter(t, { routes: { '*': ['all', backend.url] }, ...ADMIN });
  await adminOf(router);
  for (const path of ['/healthz', '/metrics', '/api/v1/workers', '/'])
    for (const host of ['localhost', '127.0.0.1'])
      assert.equal((await ask({ port: router.port, host, path })).body, 'site');
});

test('what there is not is refused in JSON, and nothing is too odd to be answered', async (t) => {
  const router = await startRouter(t, { routes: {}, ...ADMIN });
  const admin = await adminOf(router);
  assert.ok('port' in admin);
  const { status, json } = await askAdmin(admin, '/api/v2');
  assert.deepEqual([status, json], [404, { error: { code: 'not-found', message: 'there is no /api/v2' } }]);
  const wrong = await askAdmin(admin, '/metrics', { method: 'POST', body: 'x' });
  assert.deepEqual([wrong.status, wrong.headers['allow']], [405, 'GET']);
  for (const bytes of [
    'GET  /\r\n\r\n',
    'GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    'GET /../..//etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    'GET /%00%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    'GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'GET /metrics HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ])
    assert.match(await send(admin.port, bytes), /^(?:HTTP\/1\.1 4\d\d |$)/, bytes);
  assert.equal((await askAdmin(admin, '/healthz')).status, 200);
});

test('its process may die: sites are served, and it is there again', async (t) => {
  const backend = await startBackend(t, says('hello'));
  const port = await freePort();
  const router = await startRouter(t, {
    routes: { 'a.test': ['a', backend.url] },
    config: { admin: { port } },
  });
  await adminOf(router);
  const { pid } = await router.event('admin-ready');
  process.kill(Number(pid), 'SIGKILL');
  await router.event('admin-died');
  assert.equal((await ask({ port: router.port, host: 'a.test' })).body, 'hello');
  const from = router.log.findIndex(({ event }) => event === 'admin-died');
  const admin = await adminOf(router, from);
  await ask({ port: router.port, host: 'a.test' });
  assert.ok((await metric(admin, 'hipache_request_duration_seconds_count{frontend="a"}')) > 0);
});

test('a place that another program has is waited for, while sites are served', async (t) => {
  const holder = await startBackend(t, says('holder'));
  const router = await startRouter(t, { routes: {}, config: { admin: { port: holder.port } } });
  const { cause } = await router.event('admin-unheard');
  assert.equal(cause, 'another program listens there (EADDRINUSE)');
  assert.equal((await ask({ port: router.port, host: 'a.test' })).status, 400);
  holder.server.closeAllConnections();
  holder.server.close();
  await adminOf(router);
});

test('a reload moves it, takes it away and brings it back', async (t) => {
  const [first, second] = [await freePort(), await freePort()];
  const router = await startRouter(t, { routes: {}, config: { admin: { port: first } } });
  await adminOf(router);
  const reload = async (admin: unknown): Promise<number> => {
    const from = router.log.length;
    writeConfig(router.folder, { routes: {}, config: { admin } });
    router.signal('SIGHUP');
    await router.event('reloaded', from);
    return from;
  };
  await adminOf(router, await reload({ port: second }));
  assert.deepEqual([await isOpen(first), await isOpen(second)], [false, true]);
  await reload(null);
  assert.equal(await isOpen(second), false);
  await adminOf(router, await reload({ port: first }));
  assert.equal(await isOpen(first), true);
});

test('an upgrade hands its place over', async (t) => {
  const port = await freePort();
  const router = await startRouter(t, { routes: {}, config: { admin: { port } } });
  await adminOf(router);
  const before = await workersOf({ port });
  const from = router.log.length;
  router.signal('SIGUSR2');
  const { successor } = await router.event('upgraded');
  // Two programs write these: either line may come first.
  await adminOf(router, from);
  const after = await workersOf({ port });
  assert.equal(after.master.pid, successor);
  assert.notEqual(after.master.pid, before.master.pid);
});

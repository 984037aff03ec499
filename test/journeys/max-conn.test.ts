/** `maxConn`, `maxConnPerBackend` and `queue`: how many requests of a site are in flight, and how others wait. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { type AdminAddress, adminOf, metric } from '../support/admin.ts';
import { type Answer, ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type HoldingBackend, startHoldingBackend } from '../support/holding-backend.ts';
import { openSession, request } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { type Router, type RouterOptions, startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

/** A router whose queues can be watched. */
async function start(t: TestContext, options: RouterOptions): Promise<Router> {
  const router = await startRouter(t, {
    ...options,
    config: { ...options.config, admin: join(temporaryFolder(t), 'a') },
  });
  ADMINS.set(router, await adminOf(router));
  return router;
}

const ADMINS = new WeakMap<Router, AdminAddress>();

interface Site {
  readonly router: Router;
  readonly backend: HoldingBackend;
}

async function startSite(t: TestContext, options: Readonly<Record<string, string>>): Promise<Site> {
  const backend = await startHoldingBackend(t);
  const other = await startBackend(t, says('ok'));
  const routes = {
    'site.test': ['site', backend.url],
    'options:site.test': options,
    'other.test': ['other', other.url],
  };
  return { backend, router: await start(t, { routes, server: { workers: 1 } }) };
}

const pathsOf = ({ held }: HoldingBackend): readonly string[] => held.map(({ path }) => path);

test('a request beyond maxConn gets 503 at once without a queue, and the next one after an end passes', async (t) => {
  const { router, backend } = await startSite(t, { maxConn: '2', queue: 'off' });
  const { port } = router;
  const asked = [ask({ port }), ask({ port })];
  await backend.holds(2);
  const busy = await ask({ port });
  assert.equal(busy.status, 503);
  assert.equal(busy.headers['x-router-error'], 'site-busy');
  assert.equal(busy.headers['retry-after'], '1');
  assert.equal((await ask({ port, host: 'other.test' })).status, 200, 'other sites are not affected');
  backend.letGo();
  await Promise.race(asked);
  const next = ask({ port, path: '/next' });
  await backend.holds(2);
  backend.letGo();
  backend.letGo();
  assert.deepEqual(
    (await Promise.all([...asked, next])).map(({ status }) => status),
    [200, 200, 200],
  );
  assert.equal(backend.most, 2);
});

test('requests wait in a queue, are served in the order in which they came, and keep their bodies', async (t) => {
  const { router, backend } = await startSite(t, { maxConn: '1', queue: '3 20' });
  const { port } = router;
  const first = ask({ port, path: '/1' });
  await backend.holds(1);
  const queued: Promise<Answer>[] = [];
  for (const path of ['/2', '/3', '/4']) {
    queued.push(ask({ port, path, method: 'POST', body: 'a'.repeat(100_000) }));
    await waits(router, queued.length);
  }
  assert.equal((await ask({ port, path: '/5' })).headers['x-router-error'], 'site-busy', 'the queue is full');
  for (const path of ['/1', '/2', '/3', '/4']) {
    await eventually(() => assert.deepEqual(pathsOf(backend), [path]));
    backend.letGo();
  }
  assert.deepEqual(
    (await Promise.all([first, ...queued])).map(({ body }) => body),
    ['/1', '/2', '/3', '/4'],
  );
});

/** Waits until so many requests are queued. */
async function waits(router: Router, count: number): Promise<void> {
  await eventually(async () =>
    assert.equal(await metric(ADMINS.get(router) ?? assert.fail(), 'hipache_queued_requests'), count),
  );
}

test('a request that waits for too long gets 503, and one whose client leaves frees its place', async (t) => {
  const { router, backend } = await startSite(t, { maxConn: '1', queue: '1 0.5' });
  const { port } = router;
  const first = ask({ port });
  await backend.holds(1);
  const waited = await ask({ port });
  assert.equal(waited.status, 503);
  assert.equal(waited.headers['x-router-error'], 'site-busy');
  const leaving = connect(port, '127.0.0.1');
  leaving.write('GET /left HTTP/1.1\r\nHost: site.test\r\n\r\n');
  await waits(router, 1);
  leaving.destroy();
  await waits(router, 0);
  const stays = ask({ port, path: '/stays' });
  await waits(router, 1);
  backend.letGo();
  await eventually(() => assert.deepEqual(pathsOf(backend), ['/stays']));
  backend.letGo();
  assert.deepEqual([(await first).status, (await stays).status], [200, 200]);
});

test('a connection whose request was refused by the queue serves the next one, also after a body that was not read', async (t) => {
  const { router, backend } = await startSite(t, { maxConn: '1', queue: '1 0.3' });
  const first = ask({ port: router.port });
  await backend.holds(1);
  const client = connect(router.port, '127.0.0.1');
  t.after(() => client.destroy());
  let read = '';
  client.setEncoding('latin1').on('data', (text: string) => (read += text));
  const body = 'a'.repeat(300_000);
  client.write(`POST /1 HTTP/1.1\r\nHost: site.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  client.write('GET /2 HTTP/1.1\r\nHost: other.test\r\n\r\n');
  await eventually(() =>
    assert.deepEqual(read.match(/HTTP\/1.1 \d+|site-busy/g), ['HTTP/1.1 503', 'site-busy', 'HTTP/1.1 200']),
  );
  backend.letGo();
  assert.equal((await first).status, 200);
});

test('the queue of a site with an error page of its own refuses with that page', async (t) => {
  const backend = await startHoldingBackend(t);
  const routes = {
    'site.test': ['site', backend.url],
    'options:site.test': { maxConn: '1', queue: 'off' },
    'errors:site.test': { '503': '<p>busy</p>' },
  };
  const router = await start(t, { routes, server: { workers: 1 } });
  const first = ask({ port: router.port });
  await backend.holds(1);
  const busy = await ask({ port: router.port, method: 'POST', body: 'a'.repeat(1000) });
  assert.deepEqual([busy.status, busy.body, busy.headers['x-router-error']], [503, '<p>busy</p>', 'site-busy']);
  backend.letGo();
  assert.equal((await first).status, 200);
});

test('a WebSocket counts while it lives, streams of HTTP/2 count, and so do requests to HTTP/2 backends', async (t) => {
  const sockets = await startWebSocketBackend(t);
  const h2c = await startHttp2Backend(t, (stream) => {
    stream.respond({ ':status': 200 });
    if (stream.session?.destroyed !== true) setTimeout(() => stream.end(), 300);
  });
  const held = await startHoldingBackend(t);
  const options = { maxConn: '1', queue: 'off' };
  const router = await startRouter(t, {
    routes: {
      'ws.test': ['site', sockets.url],
      'options:ws.test': options,
      'h2c.test': ['site', h2c.url],
      'options:h2c.test': options,
      'site.test': ['site', held.url],
      'options:site.test': options,
    },
    server: { workers: 1 },
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
  });
  const { port } = router;
  const url = `ws://127.0.0.1:${port}/`;
  const open = openWebSocket(t, url, 'ws.test');
  await once(open, 'open');
  const [, refused] = await once(openWebSocket(t, url, 'ws.test'), 'unexpected-response');
  assert.equal(refused.statusCode, 503);
  open.close();
  await eventually(async () => assert.notEqual((await ask({ port, host: 'ws.test' })).status, 503));

  const [one, two] = await Promise.all([ask({ port, host: 'h2c.test' }), ask({ port, host: 'h2c.test' })]);
  assert.deepEqual(new Set([one.status, two.status]), new Set([200, 503]));

  const session = await openSession(t, port);
  const first = request(session);
  await held.holds(1);
  assert.equal((await request(session)).status, 503);
  held.letGo();
  assert.equal((await first).status, 200);
});

test('a retry does not count twice', async (t) => {
  const backend = await startHoldingBackend(t);
  const router = await startRouter(t, {
    routes: {
      'site.test': ['site', refusingUrl(), backend.url],
      'options:site.test': { maxConn: '1', maxConnPerBackend: '1', queue: 'off', balance: 'roundrobin' },
    },
    server: { workers: 1, deadBackendTTL: 1 },
  });
  for (let i = 0; i < 6; i++) {
    const asked = ask({ port: router.port });
    await backend.holds(1);
    backend.letGo();
    assert.equal((await asked).status, 200);
  }
});

test('a full backend gets no more than maxConnPerBackend, others do, and then requests wait', async (t) => {
  const backends = await Promise.all([startHoldingBackend(t), startHoldingBackend(t)]);
  const router = await start(t, {
    routes: {
      'site.test': ['site', ...backends.map(({ url }) => url)],
      'options:site.test': { maxConnPerBackend: '2', queue: '10 20' },
    },
    server: { workers: 1 },
  });
  const asked = Array.from({ length: 6 }, () => ask({ port: router.port }));
  await Promise.all(backends.map((backend) => backend.holds(2)));
  await waits(router, 2);
  const [first, second] = backends;
  first.letGo();
  await waits(router, 1);
  await first.holds(2);
  second.letGo();
  await second.holds(2);
  for (const backend of backends) {
    backend.letGo();
    backend.letGo();
  }
  assert.ok((await Promise.all(asked)).every(({ status }) => status === 200));
  assert.deepEqual(
    backends.map(({ most }) => most),
    [2, 2],
  );
});

test('a client with a sticky cookie waits for its full backend', async (t) => {
  const backends = await Promise.all([startHoldingBackend(t), startHoldingBackend(t)]);
  const router = await start(t, {
    routes: {
      'site.test': ['site', ...backends.map(({ url }) => url)],
      'options:site.test': { maxConnPerBackend: '1', sticky: 'home' },
    },
    server: { workers: 1, stickySecret: 'x'.repeat(32) },
  });
  const { port } = router;
  const first = ask({ port });
  const home = await eventually(() => backends.find(({ held }) => held.length === 1) ?? assert.fail('none'));
  home.letGo();
  const cookie = (await first).headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const one = ask({ port, headers: { cookie } });
  await home.holds(1);
  const two = ask({ port, headers: { cookie }, path: '/two' });
  await waits(router, 1);
  home.letGo();
  await eventually(() => assert.deepEqual(pathsOf(home), ['/two']));
  home.letGo();
  assert.deepEqual([(await one).status, (await two).status], [200, 200]);
});

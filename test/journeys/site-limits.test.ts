/** `timeouts.*` and `limits.*` of `options:<key>`: a site's own limits, within those of the configuration. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { type RunningBackend, startBackend, startRawBackend } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { startBlackhole } from '../support/blackhole.ts';
import { deferred } from '../support/deferred.ts';
import { openSession, request } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

/** Longer than the limits here, shorter than those of the configuration, ms. */
const SOON_MS = 15_000;

async function soon<T>(work: Promise<T>): Promise<T> {
  const began = performance.now();
  const value = await work;
  const tookMs = performance.now() - began;
  assert.ok(tookMs < SOON_MS, `within the site's limit, not after ${tookMs} ms`);
  return value;
}

/** `/silent` gets no response, `/half` half of one; others get the length of their body. */
function startMoody(t: TestContext): Promise<RunningBackend<unknown>> {
  return startBackend(t, (incoming, response) => {
    if (incoming.url === '/silent') return;
    if (incoming.url === '/half') {
      response.writeHead(200, { 'Content-Length': 10 }).write('half');
      return;
    }
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
    incoming.once('end', () => response.end(String(bytes)));
  });
}

const OWN = {
  'timeouts.connect': '0.2',
  'timeouts.firstByte': '0.2',
  'timeouts.response': '0.2',
  'timeouts.body': '0.2',
  'timeouts.tunnel': '0.2',
  'limits.bodyBytes': '1000',
  'limits.headerBytes': '500',
};

test('a backend that does not respond in the site’s time is given up with 504', async (t) => {
  const backend = await startMoody(t);
  const h2c = await startHttp2Backend(t, () => {});
  const routes = {
    'site.test': ['site', backend.url],
    'h2c.test': ['site', h2c.url],
    'options:*': { 'timeouts.firstByte': 0.2 },
  };
  const router = await leaseRouter(t, { routes, config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } });
  const { port } = router;
  const { status, headers } = await soon(ask({ port, path: '/silent' }));
  assert.deepEqual([status, headers['x-router-error']], [504, 'backend-silent']);
  assert.equal((await soon(ask({ port, host: 'h2c.test' }))).status, 504);
  const session = await openSession(t, port);
  assert.equal((await soon(request(session, { ':path': '/silent' }))).status, 504);
});

test('a request waits for a connection slot as long as its site says', async (t) => {
  const backend = await startMoody(t);
  const routes = {
    'site.test': ['site', backend.url],
    'other.test': ['site', backend.url],
    'options:site.test': { 'timeouts.connect': '0.2' },
  };
  const { port } = await leaseRouter(t, { routes, server: { maxSockets: 1, workers: 1, timeouts: { connect: 20 } } });
  const holder = await dial(port);
  t.after(() => holder.destroy());
  holder.write('GET /half HTTP/1.1\r\nHost: other.test\r\n\r\n');
  await once(holder, 'data');
  const { status, headers } = await soon(ask({ port }));
  assert.deepEqual([status, headers['x-router-error']], [503, 'backend-crowded']);
});

test('a connection that is not made in the site’s time is given up, in the time of the configuration elsewhere', async (t) => {
  const url = await startBlackhole(t);
  if (url === null) return t.skip('this system accepts connections beyond the backlog');
  const own = { 'timeouts.connect': '0.2' };
  const routes = { 'site.test': ['site', url], 'options:site.test': own, 'other.test': ['other', url] };
  const { port } = await leaseRouter(t, { routes, server: { timeouts: { connect: 20 } } });
  const other = dial(port);
  t.after(async () => (await other).destroy());
  (await other).write('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n');
  const { status, headers } = await soon(ask({ port }));
  assert.deepEqual([status, headers['x-router-error']], [502, 'backend-failed']);
  assert.equal((await other).bytesRead, 0);
});

test('a response that stops is cut off in the site’s time', async (t) => {
  const backend = await startMoody(t);
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': OWN };
  const { port } = await leaseRouter(t, { routes });
  const text = await soon(send(port, 'GET /half HTTP/1.1\r\nHost: site.test\r\n\r\n'));
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nhalf$/);
});

test('a body that stops gets 408 in the site’s time', async (t) => {
  const backend = await startMoody(t);
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': OWN };
  const { port } = await leaseRouter(t, { routes });
  const text = await soon(send(port, 'POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\nhalf'));
  assert.match(text, /^HTTP\/1\.1 408 /);
});

test('an idle WebSocket is closed in the site’s time', async (t) => {
  const backend = await startWebSocketBackend(t);
  const routes = { 'ws.test': ['site', backend.url], 'options:ws.test': { 'timeouts.tunnel': '0.5' } };
  const { port } = await leaseRouter(t, { routes });
  const socket = openWebSocket(t, `ws://127.0.0.1:${port}/`, 'ws.test');
  await once(socket, 'open');
  await soon(once(socket, 'close'));
});

test('a body or a head that is too large for its site gets 413 or 431, and reaches no backend', async (t) => {
  let reached = 0;
  const backend = await startBackend(t, (incoming, response) => {
    reached++;
    incoming.resume().once('end', () => response.end('ok'));
  });
  const routes = {
    'site.test': ['site', backend.url],
    'options:site.test': { 'limits.bodyBytes': 1000, 'limits.headerBytes': 500 },
    'site.test/any': ['any', backend.url],
    'options:site.test/any': { 'limits.bodyBytes': 0, 'limits.headerBytes': 0 },
  };
  const config = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };
  const { port } = await leaseRouter(t, { routes, config });
  const upload = (bytes: number, path: string, headers = {}): Promise<number> =>
    ask({ port, path, method: 'POST', body: 'a'.repeat(bytes), headers }).then(({ status }) => status);
  const chunked = { 'transfer-encoding': 'chunked' };
  const large = { 'x-large': 'a'.repeat(600) };
  assert.equal(await upload(1001, '/'), 413);
  assert.equal(await upload(1001, '/', chunked), 413);
  assert.equal((await ask({ port, headers: large })).status, 431);
  assert.equal((await ask({ port, headers: large })).headers['x-router-error'], 'head-too-large');
  const session = await openSession(t, port);
  assert.equal((await request(session, large)).status, 431);
  assert.equal(reached, 0);
  assert.equal(await upload(1000, '/'), 200);
  assert.equal(await upload(1000, '/', chunked), 200);
  assert.equal(await upload(1001, '/any', large), 200);
  assert.equal(reached, 3);
});

test('a chunked body that becomes too large while it is sent to a backend gets 413', async (t) => {
  const backend = await startMoody(t);
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': { 'limits.bodyBytes': 200_000 } };
  const { port } = await leaseRouter(t, { routes });
  const client = await dial(port);
  t.after(() => client.destroy());
  const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
  client.write(`POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`);
  client.write(`${chunk}${chunk}${chunk}0\r\n\r\n`);
  const [head] = (await once(client, 'data')) as [Buffer];
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 413 /);
});

test('a backend that has responded early is cut off from a body that becomes too large for its site', async (t) => {
  const cut = deferred<void>();
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    socket.on('data', () => {});
    socket.once('end', () => cut.resolve()).once('close', () => cut.resolve());
  });
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': { 'limits.bodyBytes': 200_000 } };
  const { port } = await leaseRouter(t, { routes });
  const client = await dial(port);
  t.after(() => client.destroy());
  const chunk = `186a0\r\n${'a'.repeat(100_000)}\r\n`;
  client.write(`POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
  const [head] = (await once(client, 'data')) as [Buffer];
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 200 /);
  client.write(chunk.repeat(2));
  await soon(cut.promise);
});

test('no site has more than the configuration allows', async (t) => {
  const backend = await startMoody(t);
  const routes = {
    'site.test': ['site', backend.url],
    'options:site.test': { 'timeouts.firstByte': 60, 'limits.bodyBytes': 2000 },
  };
  const server = { timeouts: { firstByte: 0.3 }, limits: { bodyBytes: 1000 } };
  const { port } = await leaseRouter(t, { routes, server });
  assert.equal((await soon(ask({ port, path: '/silent' }))).status, 504);
  assert.equal((await ask({ port, method: 'POST', body: 'a'.repeat(1001) })).status, 413);
});

/** `bandwidth` and `bandwidthSite`: responses and tunnels are slowed down, and so are their backends. */
// @calm: it measures rates by the clock
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { openSession } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend, webSocketOn } from '../support/websockets.ts';

const RATE = 200_000;
const BODY = Buffer.alloc(3 * RATE);
for (let at = 0; at < BODY.length; at += 4) BODY.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);

interface Download {
  readonly bytes: number;
  readonly ms: number;
  readonly sum: string;
  readonly headers: IncomingHttpHeaders;
}

const sumOf = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

async function read(body: Readable, startedAt: number, headers: IncomingHttpHeaders = {}): Promise<Download> {
  const hash = createHash('md5');
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.length;
    hash.update(part);
  }
  return { bytes, ms: performance.now() - startedAt, sum: hash.digest('hex'), headers };
}

async function open(port: number, host: string, path = '/'): Promise<IncomingMessage> {
  const out = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false });
  out.end();
  const [response] = (await once(out, 'response')) as [IncomingMessage];
  return response;
}

async function download(port: number, host: string, path = '/'): Promise<Download> {
  const response = await open(port, host, path);
  // A busy machine may be slow to connect: that is not the rate of the response.
  return await read(response, performance.now(), response.headers);
}

/** The body has come whole, and at this rate but for its first tenth of a second. */
function assertRate({ bytes, ms, sum }: Pick<Download, 'bytes' | 'ms' | 'sum'>, perSecond: number, what: string): void {
  assert.equal(sum, sumOf(BODY), what);
  const found = (bytes * 1000) / ms;
  assert.ok(Math.abs(found - perSecond) <= perSecond / 10, `${what}: ${found} bytes a second of ${perSecond}`);
}

/** Serves the body in the framing that the path names; `/x` says a rate of its own. */
async function startBodies(t: TestContext): Promise<string> {
  const { url } = await startBackend(t, ({ url: path = '', method }, response) => {
    if (path === '/length') response.setHeader('Content-Length', BODY.length);
    if (path === '/close') response.useChunkedEncodingByDefault = false;
    if (path === '/x') response.setHeader('X-Traffic', String(RATE));
    if (path === '/bad') response.setHeader('X-Traffic', 'fast');
    if (path === '/small') response.end('hello');
    else response.end(method === 'HEAD' ? undefined : BODY);
  });
  return url;
}

test('a response has the rate of its site, in every framing and protocol, and a file too', async (t) => {
  const url = await startBodies(t);
  const h2c = await startHttp2Backend(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end(BODY);
  });
  const folder = realpathSync(temporaryFolder(t));
  writeFileSync(join(folder, 'file'), BODY);
  const slow = { bandwidth: RATE };
  const router = await startRouter(t, {
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
    server: { staticRoots: folder },
    routes: {
      'site.test': ['site', url],
      'options:site.test': slow,
      'h2c.test': ['h2c', h2c.url],
      'options:h2c.test': slow,
      'files.test': ['files', `file://${folder}`],
      'options:files.test': slow,
      'fast.test': ['fast', url],
    },
  });
  const session = await openSession(t, router.port);
  const stream = async (): Promise<Download> => {
    const startedAt = performance.now();
    return await read(session.request({ ':authority': 'site.test', ':path': '/length' }), startedAt);
  };
  const [fast, ...slowed] = await Promise.all([
    download(router.port, 'fast.test', '/length'),
    ...['/length', '/close', '/chunked'].map((path) => download(router.port, 'site.test', path)),
    download(router.port, 'h2c.test'),
    download(router.port, 'files.test', '/file'),
    // Each stream of a session for itself.
    stream(),
    stream(),
  ]);
  const names = ['length', 'close', 'chunked', 'h2c', 'file', 'stream', 'another stream'];
  for (const [i, one] of slowed.entries()) assertRate(one, RATE, names[i] ?? '');
  assert.equal(fast.sum, sumOf(BODY));
  assert.ok(fast.ms < 1_500, `the neighbour took ${fast.ms} ms`);
});

test('X-Traffic of a response is its rate where the site says so, and clients do not get it', async (t) => {
  const url = await startBodies(t);
  const router = await startRouter(t, {
    routes: {
      'x.test': ['x', url],
      'options:x.test': { bandwidth: 'x-traffic' },
      'both.test': ['both', url],
      'options:both.test': { bandwidth: `${RATE / 2} x-traffic` },
      'off.test': ['off', url],
    },
  });
  const [x, other, bad, both, off] = await Promise.all([
    download(router.port, 'x.test', '/x'),
    download(router.port, 'x.test'),
    download(router.port, 'x.test', '/bad'),
    download(router.port, 'both.test', '/x'),
    download(router.port, 'off.test', '/x'),
  ]);
  assertRate(x, RATE, 'x');
  assertRate(both, RATE, 'both');
  for (const fast of [other, bad, off]) assert.ok(fast.ms < 1_500, `${fast.ms} ms`);
  assert.deepEqual(
    [x, bad, both, off].map(({ headers }) => headers['x-traffic']),
    [undefined, undefined, undefined, String(RATE)],
  );
});

test('the responses of a site share its rate, and one that is alone has all of it', async (t) => {
  const url = await startBodies(t);
  const router = await startRouter(t, {
    routes: {
      'site.test': ['site', url],
      'options:site.test': { bandwidthSite: 3 * RATE },
      'site.test/one': ['one', url],
      'options:site.test/one': { bandwidthSite: RATE / 10 },
    },
  });
  // Another list of the host counts for itself.
  const other = await open(router.port, 'site.test', '/one');
  const three = await Promise.all(
    ['/length', '/close', '/chunked'].map((path) => download(router.port, 'site.test', path)),
  );
  const last = Math.max(...three.map(({ ms }) => ms));
  for (const { bytes, sum } of three) assertRate({ bytes, sum, ms: last }, RATE, 'together');
  // What may pass at once at first may pass in one of them.
  for (const { ms } of three) assert.ok(ms > last * 0.8, `${ms} of ${last} ms`);
  const alone = await download(router.port, 'site.test', '/length');
  // All of the rate, but for what was saved before.
  assert.equal(alone.sum, sumOf(BODY));
  assert.ok(alone.ms > 650 && alone.ms < 1_500, `${alone.ms} ms`);
  other.destroy();
});

test('HEAD and small responses are not delayed', async (t) => {
  const url = await startBodies(t);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', url], 'options:site.test': { bandwidth: 1_024, bandwidthSite: 100_000 } },
  });
  const startedAt = performance.now();
  const head = await ask({ port: router.port, method: 'HEAD', path: '/length' });
  assert.equal(head.headers['content-length'], String(BODY.length));
  for (let i = 0; i < 20; i++) assert.equal((await ask({ port: router.port, path: '/small' })).body, 'hello');
  const ms = performance.now() - startedAt;
  // In turns of the clock it would take two seconds.
  assert.ok(ms < 1_500, `${ms} ms`);
});

/** A backend whose response is endless, as fast as it is read. */
async function startEndless(t: TestContext) {
  const counts = { written: 0, open: 0 };
  const piece = Buffer.alloc(65_536);
  const { url } = await startBackend(t, (_request, response) => {
    counts.open++;
    response.once('close', () => counts.open--);
    const send = (): void => {
      do counts.written += piece.length;
      while (response.write(piece));
    };
    response.on('drain', send);
    send();
  });
  return { url, counts };
}

test('the backend waits with its site, and is free when the client leaves', async (t) => {
  const { url, counts } = await startEndless(t);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', url], 'options:site.test': { bandwidth: RATE, bandwidthSite: 4 * RATE } },
  });
  const clients = await Promise.all(Array.from({ length: 10 }, () => open(router.port, 'site.test')));
  let bytes = 0;
  for (const client of clients) client.on('data', (part: Buffer) => (bytes += part.length));
  // When what the kernel and the router hold is full, the backends are as slow as the clients.
  await eventually(async () => {
    const [from, before] = [bytes, counts.written];
    await eventually(() => assert.ok(bytes - from > 4 * RATE), 10_000);
    const written = counts.written - before;
    assert.ok(written < 8 * RATE, `${written} bytes for ${bytes - from}`);
  }, 30_000);
  for (const client of clients) client.destroy();
  await eventually(() => assert.equal(counts.open, 0));
});

test('neither the time limit of a silent backend nor that of a slow client ends a response that is slowed down', async (t) => {
  const { url } = await startBackend(t, ({ url: path }, response) => {
    if (path === '/silent') response.write('a part');
    else response.end(Buffer.alloc(2_500));
  });
  const endless = await startEndless(t);
  const folder = realpathSync(temporaryFolder(t));
  writeFileSync(join(folder, 'file'), Buffer.alloc(2_500));
  const slow = { bandwidthSite: 2_048 };
  const router = await startRouter(t, {
    server: { staticRoots: folder, timeouts: { response: 1 } },
    routes: {
      'site.test': ['site', url],
      'options:site.test': slow,
      'files.test': ['files', `file://${folder}`],
      'options:files.test': slow,
      'endless.test': ['endless', endless.url],
      'options:endless.test': { bandwidth: 900_000_000 },
    },
  });
  // Each waits two seconds for its turn.
  const all = await Promise.all(
    ['site.test', 'files.test'].flatMap((host) =>
      Array.from({ length: 5 }, () => download(router.port, host, '/file')),
    ),
  );
  assert.deepEqual(new Set(all.map(({ bytes }) => bytes)), new Set([2_500]));
  assert.ok(Math.max(...all.map(({ ms }) => ms)) > 4_000, 'they were slowed down');
  // The limits are there nevertheless.
  const silent = await open(router.port, 'site.test', '/silent');
  await assert.rejects(read(silent, 0));
  const dawdler = await dial(router.port);
  t.after(() => dawdler.destroy());
  dawdler.write('GET / HTTP/1.1\r\nHost: endless.test\r\n\r\n');
  dawdler.pause();
  await router.until('the client is cut', () =>
    router.log.find(({ event, code }) => event === 'client-cut' && code === 'slow-reader'),
  );
});

test('a WebSocket gets the rate from its backend, and sends as fast as before', async (t) => {
  const backend = await startWebSocketBackend(t);
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url], 'options:site.test': { bandwidth: RATE } },
  });
  const opened = backend.opened();
  const client = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'site.test');
  await once(client, 'open');
  const { socket } = await opened;
  const arrived = once(socket, 'message');
  const startedAt = performance.now();
  client.send(BODY);
  await arrived;
  const sentMs = performance.now() - startedAt;
  assert.ok(sentMs < 1_500, `${sentMs} ms`);
  const echoedAt = performance.now();
  const [echo] = (await once(client, 'message')) as [Buffer];
  assertRate({ bytes: echo.length, ms: performance.now() - echoedAt, sum: sumOf(echo) }, RATE, 'echo');
  // What the backend has sent before it closes comes whole.
  socket.send(BODY.subarray(0, RATE));
  socket.close(4_000, 'done');
  const last = once(client, 'message');
  const [[rest], [code]] = (await Promise.all([last, once(client, 'close')])) as [[Buffer], [number]];
  assert.deepEqual([rest.length, code], [RATE, 4_000]);
});

test('a WebSocket over HTTP/2 on both sides gets the rate as well', async (t) => {
  const backend = await startHttp2Backend(
    t,
    (stream) => {
      stream.respond({ ':status': 200 });
      const socket = webSocketOn(stream, 'server');
      socket.on('message', () => socket.send(BODY));
    },
    { settings: { enableConnectProtocol: true } },
  );
  const router = await startRouter(t, {
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
    routes: { 'site.test': ['site', backend.url], 'options:site.test': { bandwidth: RATE } },
  });
  const session = await openSession(t, router.port);
  const stream = session.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/', ':authority': 'site.test' },
    { endStream: false },
  );
  await once(stream, 'response');
  const client = webSocketOn(stream, 'client');
  const startedAt = performance.now();
  client.send('go');
  const [echo] = (await once(client, 'message')) as [Buffer];
  assertRate({ bytes: echo.length, ms: performance.now() - startedAt, sum: sumOf(echo) }, RATE, 'HTTP/2');
});

/** `buffer response`: a backend is free as soon as it has responded, however slowly its client reads. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { adminOf, metric } from '../support/admin.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { fileOwner } from '../support/file-owner.ts';
import { openSession } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { noProc, openBelow, residentBytes, workerOf } from '../support/processes.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

const MIB = 1_048_576;
/** More than sockets and the memory for slow readers hold. */
const LARGE = Buffer.alloc(24 * MIB);
for (let at = 0; at < LARGE.length; at += 4) LARGE.writeUInt32LE(at, at);
const SUM = createHash('md5').update(LARGE).digest('hex');
const HTTP2 = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };

interface Scene {
  readonly router: Router;
  readonly port: number;
  readonly folder: string;
  /** How many large responses the backend has sent whole. */
  readonly sent: () => number;
}

async function start(
  t: TestContext,
  buffer = 'response',
  server: Readonly<Record<string, unknown>> = {},
  folder = temporaryFolder(t),
  make: typeof leaseRouter = startRouter,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Scene> {
  let sent = 0;
  const listener: RequestListener = (request, response) => {
    request.resume();
    const fields = { 'X-Accel-Buffering': request.url === '/asked' ? 'no' : 'yes' };
    const type = request.url === '/events' ? 'text/event-stream' : 'application/octet-stream';
    if (request.url === '/small') return void response.end('small');
    response.writeHead(200, { ...fields, 'Content-Type': type });
    response.once('finish', () => sent++);
    response.end(LARGE);
  };
  const backend = await startBackend(t, listener);
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': { buffer } };
  const router = await make(t, {
    routes,
    server: { bufferFolder: folder, timeouts: { connect: 20 }, ...server },
    config: { ...HTTP2, ...config },
  });
  return { router, port: router.port, folder, sent: () => sent };
}

/** Where the responses of tests are that do not look at files. */
const anyFolder = temporaryFolder(fileOwner());

/** As `start`, on a router that other tests use, too. */
function share(t: TestContext, buffer: string, server: Readonly<Record<string, unknown>>): Promise<Scene> {
  return start(t, buffer, server, anyFolder, leaseRouter);
}

/** A client that has got a first part of a response, and reads no more. */
async function readNone(t: TestContext, port: number, path: string): Promise<Socket> {
  const client = await dial(port);
  t.after(() => client.destroy());
  client.write(`GET ${path} HTTP/1.0\r\nHost: site.test\r\n\r\n`);
  await once(client, 'readable');
  return client;
}

async function sumOf(client: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of client) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  const at = all.indexOf('\r\n\r\n') + 4;
  return createHash('md5').update(all.subarray(at)).digest('hex');
}

test('a client that reads nothing does not hold the only slot of its backend, and gets the whole response', async (t) => {
  const { port, router, folder, sent } = await start(t, 'response', { maxSockets: 1 });
  const client = await readNone(t, port, '/');
  await eventually(() => assert.equal(sent(), 1));
  for (let i = 0; i < 3; i++) assert.equal((await ask({ port, path: '/small' })).body, 'small');
  if (noProc === false) {
    assert.equal(openBelow(workerOf(router), folder), 1);
    await eventually(() => assert.deepEqual(readdirSync(folder), []));
  }
  assert.equal(await sumOf(client), SUM);
  if (noProc === false) await eventually(() => assert.equal(openBelow(workerOf(router), folder), 0));
});

test('a stream of HTTP/2 whose window is closed does not hold the slot either', async (t) => {
  const { port, sent } = await start(t, 'both', { maxSockets: 1 });
  const session = await openSession(t, port);
  const stream = session.request({ ':authority': 'site.test', ':path': '/' });
  await once(stream, 'response');
  await eventually(() => assert.equal(sent(), 1));
  assert.equal((await ask({ port, path: '/small' })).body, 'small');
  const sum = createHash('md5');
  for await (const chunk of stream) sum.update(chunk as Buffer);
  assert.equal(sum.digest('hex'), SUM);
});

test('responses in files do not take memory, and end with their clients', { skip: noProc }, async (t) => {
  const { port, router, folder, sent } = await start(t);
  const pid = workerOf(router);
  const first = await readNone(t, port, '/');
  await eventually(() => assert.equal(sent(), 1));
  const before = residentBytes(pid);
  const clients = [first];
  for (let i = 0; i < 8; i++) clients.push(await readNone(t, port, '/'));
  await eventually(() => assert.equal(sent(), 9));
  const more = residentBytes(pid) - before;
  assert.ok(more < 80 * MIB, `${Math.round(more / MIB)} MiB more for 192 MiB of responses`);
  assert.equal(openBelow(pid, folder), 9);
  for (const client of clients) client.destroy();
  await eventually(() => assert.equal(openBelow(pid, folder), 0));
});

test('a metric has the bytes that are buffered', async (t) => {
  const { port, router } = await start(t, 'response', {}, undefined, undefined, { admin: { port: 0 } });
  const admin = await adminOf(router);
  const client = await readNone(t, port, '/');
  const inFiles = (): Promise<number> => metric(admin, 'hipache_buffered_bytes{kind="file"}');
  await eventually(async () => assert.ok((await inFiles()) > LARGE.length / 2));
  client.destroy();
  await eventually(async () => assert.equal(await inFiles(), 0));
});

test('a client that reads as fast as its backend sends needs no file', { skip: noProc }, async (t) => {
  const { port, router, folder } = await start(t);
  const client = await readNone(t, port, '/small');
  assert.equal(openBelow(workerOf(router), folder), 0);
  client.destroy();
});

for (const [what, path, buffer, server] of [
  ['an event stream', '/events', 'both', {}],
  ['a response with X-Accel-Buffering: no', '/asked', 'response', {}],
  ['what is larger than the site’s buffer', '/', 'response 100000', {}],
  ['what does not fit into the files of all', '/', 'response', { limits: { bufferFileBytes: 1_000_000 } }],
  ['a response of a site that buffers requests only', '/', 'request', {}],
] as const) {
  test(`${what} waits for its client`, async (t) => {
    const { port, sent } = await share(t, buffer, { maxSockets: 1, timeouts: { connect: 0.5 }, ...server });
    const client = await readNone(t, port, path);
    // The backend's slot is taken.
    assert.equal((await ask({ port, path: '/small' })).status, 503);
    assert.equal(sent(), 0);
    assert.equal(await sumOf(client), SUM);
  });
}

test('events reach the client one by one', async (t) => {
  const streams: ServerResponse[] = [];
  const backend = await startBackend(t, (request, response) => {
    request.resume();
    streams.push(response.writeHead(200, { 'Content-Type': 'text/event-stream' }));
    response.write('data: 1\n\n');
  });
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': { buffer: 'both' } };
  const { port } = await startRouter(t, { routes });
  const client = await dial(port);
  t.after(() => client.destroy());
  client.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
  for (let i = 1; i <= 3; i++) {
    let text = '';
    while (!text.includes(`data: ${i}\n`)) text += String((await once(client, 'data'))[0]);
    streams[0]?.write(`data: ${i + 1}\n\n`);
  }
});

/** `buffer request`: a body is taken whole before a backend is asked, in both lanes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type IncomingHttpHeaders, request as httpRequest, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { fileOwner } from '../support/file-owner.ts';
import { openSession, request } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { noProc, openBelow, residentBytes, workerOf } from '../support/processes.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

const MIB = 1_048_576;
const HTTP2 = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };

/** What a backend has got: heads when they came, and the sum of each whole body. */
interface Seen {
  readonly heads: IncomingHttpHeaders[];
  readonly trailers: NodeJS.Dict<string>[];
}

/** Responds with the MD5 of the body. */
function sums(seen: Seen): RequestListener {
  return (incoming, response) => {
    seen.heads.push(incoming.headers);
    const sum = createHash('md5');
    incoming.on('data', (chunk: Buffer) => sum.update(chunk));
    incoming.once('end', () => {
      seen.trailers.push(incoming.trailers);
      response.end(sum.digest('hex'));
    });
  };
}

const nothingSeen = (): Seen => ({ heads: [], trailers: [] });
const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

/** A body in which no part is like another. */
function bodyOf(bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) body.writeUInt32LE(at, at);
  return body;
}

interface Scene {
  readonly router: Router;
  readonly port: number;
  readonly seen: Seen;
  readonly folder: string;
}

async function start(
  t: TestContext,
  options: Readonly<Record<string, string>> = { buffer: 'request' },
  server: Readonly<Record<string, unknown>> = {},
): Promise<Scene> {
  const seen = nothingSeen();
  const backend = await startBackend(t, sums(seen));
  const folder = temporaryFolder(t);
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': options };
  const router = await startRouter(t, { routes, server: { bufferFolder: folder, ...server }, config: HTTP2 });
  return { router, port: router.port, seen, folder };
}

/** Where the bodies of tests are that do not look at files. */
const anyFolder = temporaryFolder(fileOwner());

/** As `start`, on a router that other tests use, too. */
async function share(
  t: TestContext,
  options: Readonly<Record<string, string>> = { buffer: 'request' },
): Promise<Pick<Scene, 'port' | 'seen'>> {
  const seen = nothingSeen();
  const backend = await startBackend(t, sums(seen));
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': options };
  const { port } = await leaseRouter(t, { routes, server: { bufferFolder: anyFolder }, config: HTTP2 });
  return { port, seen };
}

/** A client that has sent a head and part of the body. */
async function beginUpload(t: TestContext, port: number, body: Buffer, sent: number, fields = ''): Promise<Socket> {
  const client = await dial(port);
  t.after(() => client.destroy());
  client.write(`POST / HTTP/1.1\r\nHost: site.test\r\n${fields}Content-Length: ${body.length}\r\n\r\n`);
  client.write(body.subarray(0, sent));
  return client;
}

async function drained(client: Socket): Promise<void> {
  if (client.writableNeedDrain) await once(client, 'drain');
}

/** All that comes until it matches. */
async function until(socket: Socket, pattern: RegExp): Promise<string> {
  let text = '';
  while (!pattern.test(text)) {
    const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(20_000) })) as [Buffer];
    text += chunk.toString('latin1');
  }
  return text;
}

test('a slow upload does not hold the only slot of its backend, and arrives whole', async (t) => {
  const { port, seen } = await start(t, { buffer: 'request' }, { maxSockets: 1 });
  const body = bodyOf(300_000);
  const client = await beginUpload(t, port, body, 200_000);
  const session = await openSession(t, port);
  const stream = session.request({ ':authority': 'site.test', ':path': '/', ':method': 'POST' });
  stream.on('error', () => {});
  stream.write(body.subarray(0, 200_000));
  for (let i = 0; i < 3; i++) assert.equal((await ask({ port })).status, 200);
  assert.equal(seen.heads.length, 3, 'the slow ones have reached no backend');
  client.write(body.subarray(200_000));
  assert.match(await until(client, /[0-9a-f]{32}$/), new RegExp(`${md5(body)}$`));
  let answer = '';
  stream.setEncoding('latin1').on('data', (text: string) => (answer += text));
  stream.end(body.subarray(200_000));
  await once(stream, 'close');
  assert.equal(answer, md5(body));
});

test('large bodies are the same behind the buffer, whatever their framing and protocol', async (t) => {
  const { port, seen, router, folder } = await start(t);
  const body = bodyOf(10 * MIB);
  assert.equal((await ask({ port, method: 'POST', body })).body, md5(body));
  assert.equal(seen.heads[0]?.['content-length'], String(body.length));
  const chunked = { 'transfer-encoding': 'chunked' };
  assert.equal((await ask({ port, method: 'PUT', body, headers: chunked })).body, md5(body));
  assert.deepEqual([seen.heads[1]?.['content-length'], seen.heads[1]?.['transfer-encoding']], [undefined, 'chunked']);
  const session = await openSession(t, port);
  assert.equal((await request(session, { ':method': 'POST' }, body)).body, md5(body));
  if (noProc === false) assert.equal(openBelow(workerOf(router), folder), 0, 'all files are closed');
});

test('HTTP/2 backends get buffered bodies, too', async (t) => {
  const backend = await startHttp2Backend(t, (stream) => {
    const sum = createHash('md5');
    stream.on('data', (chunk: Buffer) => sum.update(chunk));
    stream.once('end', () => {
      stream.respond({ ':status': 200 });
      stream.end(sum.digest('hex'));
    });
  });
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': { buffer: 'request' } };
  const { port } = await leaseRouter(t, { routes });
  const body = bodyOf(3 * MIB);
  assert.equal((await ask({ port, method: 'POST', body })).body, md5(body));
});

test('trailers behind a buffered body are passed on', async (t) => {
  const { port, seen } = await share(t);
  const headers = { host: 'site.test', 'transfer-encoding': 'chunked', trailer: 'x-sum' };
  const out = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers, agent: false });
  out.write(bodyOf(200_000));
  out.addTrailers({ 'x-sum': 'abc' });
  out.end();
  const [response] = await once(out, 'response');
  response.resume();
  await once(response, 'end');
  assert.equal(seen.trailers[0]?.['x-sum'], 'abc');
});

test(
  'the file has no name while it is used, and is closed when the client leaves; no backend is asked',
  { skip: noProc },
  async (t) => {
    const { port, seen, router, folder } = await start(t);
    const pid = workerOf(router);
    const client = await beginUpload(t, port, bodyOf(MIB), 500_000);
    await eventually(() => assert.equal(openBelow(pid, folder), 1));
    await eventually(() => assert.deepEqual(readdirSync(folder), []));
    client.destroy();
    await eventually(() => assert.equal(openBelow(pid, folder), 0));
    assert.equal((await ask({ port })).status, 200);
    assert.equal(seen.heads.length, 1);
    assert.equal(seen.heads[0]?.['content-length'], undefined);
  },
);

test('buffered bodies do not take memory', { skip: noProc }, async (t) => {
  const { port, router, folder, seen } = await start(t);
  const pid = workerOf(router);
  const body = bodyOf(10 * MIB);
  const begin = (): Promise<Socket> => beginUpload(t, port, body, body.length - 1);
  // The first ones make what every later one uses again.
  const [first] = await Promise.all([begin(), begin()]);
  await drained(first);
  await eventually(() => assert.equal(openBelow(pid, folder), 2));
  const before = residentBytes(pid);
  const clients = await Promise.all(Array.from({ length: 12 }, begin));
  await Promise.all(clients.map(drained));
  await eventually(() => assert.equal(openBelow(pid, folder), 14));
  const more = residentBytes(pid) - before;
  assert.ok(more < 80 * MIB, `${Math.round(more / MIB)} MiB more for 120 MiB of bodies`);
  assert.equal(seen.heads.length, 0);
  for (const client of clients) client.write(body.subarray(-1));
  for (const client of clients) assert.match(await until(client, /[0-9a-f]{32}$/), new RegExp(`${md5(body)}$`));
});

test('the router itself asks for a body that it buffers, and the backend sees no expectation', async (t) => {
  const { port, seen } = await share(t);
  const body = bodyOf(100_000);
  const client = await beginUpload(t, port, body, 0, 'Expect: 100-continue\r\n');
  assert.equal(await until(client, /\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n');
  assert.equal(seen.heads.length, 0);
  client.write(body);
  const answer = await until(client, /[0-9a-f]{32}$/);
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.match(answer, new RegExp(`${md5(body)}$`));
  assert.equal(seen.heads[0]?.expect, undefined);
});

test('a body that stops gets 408, and one that is too large 413, and neither reaches a backend', async (t) => {
  const options = { buffer: 'request', 'timeouts.body': '0.3', 'limits.bodyBytes': '300000' };
  const { port, seen } = await share(t, options);
  const head = 'POST / HTTP/1.1\r\nHost: site.test\r\n';
  assert.match(await send(port, `${head}Content-Length: 100000\r\n\r\n${'a'.repeat(90_000)}`), /^HTTP\/1\.1 408 /);
  const chunk = `186a0\r\n${'a'.repeat(100_000)}\r\n`;
  const large = await send(
    port,
    `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk.repeat(4)}0\r\n\r\n`,
  );
  assert.match(large, /^HTTP\/1\.1 413 /);
  assert.equal(seen.heads.length, 0);
});

test('a body that is framed wrongly gets 400 while it is taken, and reaches no backend', async (t) => {
  const { port, seen } = await share(t);
  const chunk = `186a0\r\n${'a'.repeat(100_000)}\r\n`;
  const head = 'POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.match(await send(port, `${head}${chunk}xyz\r\n`), /^HTTP\/1\.1 400 /);
  assert.equal(seen.heads.length, 0);
});

test('a request behind a buffered body on the same connection is served after it', async (t) => {
  const { port, seen } = await share(t);
  const body = bodyOf(200_000);
  const client = await beginUpload(t, port, body, body.length);
  client.write('GET /next HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n');
  const text = await until(client, new RegExp(`${md5(body)}[^]*${md5(Buffer.alloc(0))}`));
  assert.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 2);
  assert.equal(seen.heads.length, 2);
});

const UNBUFFERED: readonly (readonly [string, Record<string, string>, Record<string, unknown>, string])[] = [
  ['a gRPC request', { buffer: 'both' }, {}, 'Content-Type: application/grpc+proto\r\n'],
  ['a body that is announced as larger than the site’s buffer', { buffer: 'request 100000' }, {}, ''],
  [
    'what does not fit into the memory where there are no files',
    { buffer: 'request' },
    { limits: { bufferFileBytes: 0 } },
    '',
  ],
  ['what does not fit into the share of the site', { buffer: 'request' }, { limits: { bufferFileBytes: 100_000 } }, ''],
];

for (const [what, options, server, fields] of UNBUFFERED) {
  test(`${what} is streamed`, async (t) => {
    const { port, seen } = await start(t, options, server);
    const body = bodyOf(400_000);
    const client = await beginUpload(t, port, body, 300_000, fields);
    await eventually(() => assert.equal(seen.heads.length, 1));
    client.write(body.subarray(300_000));
    assert.match(await until(client, /[0-9a-f]{32}$/), new RegExp(`${md5(body)}$`));
  });
}

test('a chunked body that becomes larger than the site’s buffer is streamed from there on', async (t) => {
  const { port, seen } = await share(t, { buffer: 'request 200000' });
  const out = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers: { host: 'site.test' }, agent: false });
  const body = bodyOf(600_000);
  out.write(body.subarray(0, 150_000));
  assert.equal((await ask({ port })).status, 200);
  assert.equal(seen.heads.length, 1, 'only the other request has come');
  out.write(body.subarray(150_000, 400_000));
  await eventually(() => assert.equal(seen.heads.length, 2));
  out.end(body.subarray(400_000));
  const [response] = await once(out, 'response');
  assert.equal(String((await once(response, 'data'))[0]), md5(body));
});

test('where the folder cannot be used, bodies are streamed, and the log says why', async (t) => {
  const folder = `${temporaryFolder(t)}/missing`;
  const { port, router } = await start(t, { buffer: 'request' }, { bufferFolder: folder });
  const body = bodyOf(2 * MIB);
  assert.equal((await ask({ port, method: 'POST', body })).body, md5(body));
  const { fault } = await router.event('route-fault');
  assert.match(String(fault), /buffered in server\.bufferFolder: ENOENT/);
});

test('a buffered body goes to the next backend when the first refuses the connection', async (t) => {
  const seen = nothingSeen();
  const backend = await startBackend(t, sums(seen));
  const routes = {
    'site.test': ['site', 'http://127.1.99.1:1', backend.url],
    'options:site.test': { buffer: 'request', balance: 'roundrobin' },
  };
  const { port } = await leaseRouter(t, { routes });
  const body = bodyOf(2 * MIB);
  for (let i = 0; i < 2; i++) assert.equal((await ask({ port, method: 'POST', body })).body, md5(body));
});

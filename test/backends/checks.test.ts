import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Dialer } from '../../lib/backends/dialing/dialer.ts';
import { Names } from '../../lib/backends/dialing/names.ts';
import type { Shown } from '../../lib/backends/checks/answer.ts';
import { healthRequest, readHealth } from '../../lib/backends/checks/grpc-health.ts';
import { Http1Answer } from '../../lib/backends/checks/http1-check.ts';
import { Probe } from '../../lib/backends/checks/probe.ts';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { checkRulesOf } from '../../lib/sites/healthcheck.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { temporaryFolder } from '../support/router.ts';

type Fields = Readonly<Record<string, string>>;

/** Checks a backend once. */
async function check(url: string, fields: Fields, tls = { verify: false, ca: [] as string[] }): Promise<Shown> {
  const parsed = parseBackend(url, 0);
  assert.ok('backend' in parsed, url);
  const clock = new TimeLimits();
  const rules = checkRulesOf(new Map(Object.entries(fields)));
  const parts = { dialer: new Dialer(tls, new Names()), clock };
  const shown = await new Promise<Shown>((resolve) => {
    const probe = new Probe({ backend: parsed.backend, rules, host: 'www.x.io' }, parts, resolve);
    assert.ok(probe);
  });
  assert.equal(clock.size, 0, 'a timer is left');
  return shown;
}

async function listen(t: TestContext, server: Server, place: number | string = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  if (typeof place === 'string') server.listen(place);
  else server.listen(place, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return typeof place === 'string' ? 0 : (server.address() as AddressInfo).port;
}

async function web(t: TestContext, listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer(listener))}`;
}

/** A server that answers each connection's first bytes with this text, in these pieces, and stays open. */
async function raw(t: TestContext, ...pieces: readonly string[]): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.once('data', () => {
      for (const piece of pieces) socket.write(piece, 'latin1');
    });
  });
  return `http://127.0.0.1:${await listen(t, server)}`;
}

test('a check by HTTP is one request, for the path and host of the site, on a connection that is not kept', async (t) => {
  const seen: unknown[] = [];
  const url = await web(t, (request, response) => {
    seen.push([request.method, request.url, request.headers.host, request.headers.connection]);
    response.end('all is well');
  });
  assert.deepEqual(await check(url, { path: '/health?x=1' }), { hasPassed: true, detail: 'status 200' });
  assert.deepEqual(await check(url, { method: 'HEAD', host: 'app.x.io:81' }), {
    hasPassed: true,
    detail: 'status 200',
  });
  assert.deepEqual(seen, [
    ['GET', '/health?x=1', 'www.x.io', 'close'],
    ['HEAD', '/', 'app.x.io:81', 'close'],
  ]);
});

test('the status and the body decide', async (t) => {
  const url = await web(t, (request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.write('all is ');
    response.end('well');
  });
  const passes = async (fields: Fields): Promise<boolean> => (await check(url, fields)).hasPassed;
  assert.equal(await passes({ path: '/200' }), true);
  assert.equal(await passes({ path: '/404' }), true);
  assert.equal(await passes({ path: '/503' }), false);
  assert.equal(await passes({ path: '/503', status: '5xx' }), true);
  assert.equal(await passes({ path: '/404', status: '200-399' }), false);
  assert.equal(await passes({ path: '/200', body: 'is well' }), true);
  assert.equal(await passes({ path: '/200', body: 'is ill' }), false);
  assert.deepEqual(await check(url, { path: '/503' }), { hasPassed: false, detail: 'status 503' });
});

test('a text that is in two pieces of the body is found, and one behind 64 KiB is not', async (t) => {
  const split = await raw(t, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfound', ' here');
  assert.equal((await check(split, { body: 'found here' })).hasPassed, true);
  const far = await raw(t, `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(65_536)}here`);
  assert.equal((await check(far, { body: 'here' })).hasPassed, false);
});

test('a response without an end is read no further than needed', async (t) => {
  let sent = 0;
  const server = createTcpServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const more = (): void => {
      while (!socket.destroyed && socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`)) sent += 4096;
    };
    socket.on('drain', more);
    more();
  });
  const url = `http://127.0.0.1:${await listen(t, server)}`;
  assert.equal((await check(url, { path: '/' })).hasPassed, true);
  assert.equal((await check(url, { body: 'nowhere' })).hasPassed, false);
  assert.ok(sent < 50_000_000, `${sent} bytes`);
});

test('responses are read as requests read them: bare line feeds pass, two lengths do not', async (t) => {
  assert.equal((await check(await raw(t, 'HTTP/1.1 200 OK\nX: y\n\n'), { path: '/' })).hasPassed, true);
  const early = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n';
  assert.deepEqual(await check(await raw(t, early), { path: '/' }), { hasPassed: true, detail: 'status 204' });
  const two = await raw(t, 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n');
  assert.equal((await check(two, { path: '/' })).hasPassed, false);
  assert.equal((await check(await raw(t, 'SSH-2.0-OpenSSH\r\n'), { path: '/' })).hasPassed, false);
  assert.match(
    (await check(await raw(t, `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(40_000)}`), { path: '/' })).detail,
    /large/,
  );
});

test('every cut of a response gives the same result, as long as the end has come', () => {
  const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nall\r\n5\r\n well\r\n0\r\n\r\n';
  for (let cut = 1; cut < text.length; cut++) {
    const answer = new Http1Answer('GET', 'll we');
    const [first, second] = [text.slice(0, cut), text.slice(cut)].map((part) => answer.read(Buffer.from(part)));
    assert.deepEqual(first ?? second, { status: 200, hasBody: true }, `cut at ${cut}`);
  }
});

test('a backend that refuses, closes or stays silent fails within the time limit', async (t) => {
  const port = await listen(t, createTcpServer());
  const closing = `http://127.0.0.1:${await listen(
    t,
    createTcpServer((socket) => socket.end()),
  )}`;
  assert.match((await check(closing, { path: '/' })).detail, /closed|ECONNRESET|EPIPE/);
  const begun = performance.now();
  assert.deepEqual(await check(`http://127.0.0.1:${port}`, { path: '/', timeout: '1' }), {
    hasPassed: false,
    detail: 'no result within 1 s',
  });
  assert.ok(performance.now() - begun < 1_900);
  assert.match((await check('http://127.0.0.1:1', { path: '/' })).detail, /ECONNREFUSED/);
  assert.match((await check('http://127.0.0.1:1', { interval: '5' })).detail, /ECONNREFUSED/);
});

test('a connection is enough for a check by TCP, and another port can be checked', async (t) => {
  const port = await listen(t, createTcpServer());
  assert.deepEqual(await check(`http://127.0.0.1:${port}`, { interval: '5' }), {
    hasPassed: true,
    detail: 'connected',
  });
  assert.equal((await check('http://127.0.0.1:1', { port: `${port}` })).hasPassed, true);
});

test('a backend at a Unix socket is checked, whatever port is given', async (t) => {
  const path = join(temporaryFolder(t), 'app.sock');
  await listen(
    t,
    createServer((_, response) => response.end('ok')),
    path,
  );
  assert.equal((await check(`http://[unix:${path}]`, { path: '/', body: 'ok', port: '1' })).hasPassed, true);
  assert.equal((await check(`http://[unix:${path}.not]`, { path: '/' })).hasPassed, false);
});

test(
  'TLS is checked as for requests: the certificate counts where the router verifies',
  { skip: noOpenssl },
  async (t) => {
    const { key, cert } = makePair(temporaryFolder(t), 'localhost');
    const server = createSecureServer({ key, cert }, (_, response) => response.end('ok'));
    const url = `https://localhost:${await listen(t, server)}`;
    assert.equal((await check(url, { path: '/', body: 'ok' })).hasPassed, true);
    assert.equal((await check(url, { type: 'tcp' })).detail, 'connected, with TLS');
    assert.match((await check(url, { type: 'tcp' }, { verify: true, ca: [] })).detail, /self-signed/);
    assert.equal((await check(url, { path: '/' }, { verify: true, ca: [cert] })).hasPassed, true);
    assert.match((await check(url.replace('https:', 'h2:'), { path: '/' })).detail, /ALPN|no application protocol/);
  },
);

test('a backend that speaks HTTP/2 is checked by HTTP/2', async (t) => {
  const seen: unknown[] = [];
  const { url } = await startHttp2Backend(t, (stream, headers) => {
    seen.push([headers[':method'], headers[':path'], headers[':authority'], headers[':scheme']]);
    stream.respond({ ':status': headers[':path'] === '/ill' ? 503 : 200 });
    stream.write('all is ');
    stream.end('well');
  });
  assert.equal((await check(url, { path: '/well', body: 'is well' })).hasPassed, true);
  assert.equal((await check(url, { path: '/well', body: 'is ill' })).hasPassed, false);
  assert.deepEqual(await check(url, { path: '/ill' }), { hasPassed: false, detail: 'status 503' });
  assert.equal((await check(url, { path: '/well', method: 'HEAD' })).hasPassed, true);
  assert.deepEqual(seen[0], ['GET', '/well', 'www.x.io', 'http']);
  const plain = await web(t, (_, response) => response.end('ok'));
  assert.equal((await check(plain.replace('http:', 'h2c:'), { path: '/' })).hasPassed, false);
});

/** A gRPC server that says this of a service, as bytes of the message, and ends with this status. */
async function grpc(t: TestContext, says: (service: string) => readonly [message: readonly number[], status: string]) {
  const { url } = await startHttp2Backend(t, (stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      assert.equal(headers[':path'], '/grpc.health.v1.Health/Check');
      assert.equal(headers['content-type'], 'application/grpc');
      const [message, status] = says(Buffer.concat(pieces).subarray(7).toString());
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
      stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
    });
  });
  return url;
}

test('a gRPC server passes while its health service says SERVING', async (t) => {
  const url = await grpc(t, (service) => {
    if (service === 'down') return [[8, 2], '0'];
    if (service === 'unknown') return [[], '5'];
    return [[8, 1], '0'];
  });
  assert.deepEqual(await check(url, { type: 'grpc' }), { hasPassed: true, detail: 'SERVING' });
  assert.deepEqual(await check(url.replace('h2c:', 'http:'), { type: 'grpc', service: 'up' }), {
    hasPassed: true,
    detail: 'SERVING',
  });
  assert.deepEqual(await check(url, { type: 'grpc', service: 'down' }), { hasPassed: false, detail: 'NOT_SERVING' });
  assert.deepEqual(await check(url, { type: 'grpc', service: 'unknown' }), {
    hasPassed: false,
    detail: 'grpc-status 5',
  });
});

test('messages of the health service are as protobuf has them', () => {
  assert.deepEqual([...healthRequest('')], [0, 0, 0, 0, 0]);
  assert.deepEqual([...healthRequest('ab')], [0, 0, 0, 0, 4, 10, 2, 97, 98]);
  assert.deepEqual([...healthRequest('x'.repeat(200)).subarray(0, 8)], [0, 0, 0, 0, 203, 10, 200, 1]);
  assert.deepEqual(readHealth(Buffer.from([0, 0, 0, 0, 2, 8, 1])), { isServing: true, name: 'SERVING' });
  assert.deepEqual(readHealth(Buffer.from([0, 0, 0, 0, 0])), { isServing: false, name: 'UNKNOWN' });
  for (const odd of [[], [0, 0, 0], [1, 0, 0, 0, 2, 8, 1], [0, 0, 0, 0, 2, 16, 1], [0, 0, 0, 0, 2, 8]]) {
    assert.equal(readHealth(Buffer.from(odd)).isServing, false, odd.join(' '));
  }
});

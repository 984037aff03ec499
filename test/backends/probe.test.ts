/** One request to a backend on a connection of its own, with real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Dialer } from '../../lib/backends/dialing/dialer.ts';
import { Names } from '../../lib/backends/dialing/names.ts';
import { probe, type ProbeResult } from '../../lib/backends/probe.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { refusingUrl, says, startBackend, startRawBackend, startSecureBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { temporaryFolder } from '../support/router.ts';

const SENT = { authority: 'site.test', path: '/way?q=1' };
const LONG_MS = 10_000;

function probed(url: string, { limitMs = LONG_MS, verify = true, sent = SENT } = {}): Promise<ProbeResult> {
  const parsed = parseBackend(url, 0);
  assert.ok('backend' in parsed);
  return probe(parsed.backend, sent, new Dialer({ verify, ca: [] }, new Names()), limitMs);
}

test('a backend gets one GET with the host and the path, and the result has its status', async (t) => {
  const heads: unknown[] = [];
  const { url, server } = await startBackend(t, (request, response) => {
    heads.push([request.method, request.url, request.headers.host]);
    response.writeHead(503).end('x'.repeat(1_000_000));
  });
  const closed = once(server, 'connection').then(([socket]) => once(socket as NodeJS.EventEmitter, 'close'));
  const { status, fault, connectedMs, respondedMs } = await probed(url);
  assert.deepEqual([status, fault], [503, null]);
  assert.ok(connectedMs !== null && respondedMs !== null && connectedMs <= respondedMs);
  assert.deepEqual(heads, [['GET', '/way?q=1', 'site.test']]);
  await closed;
});

test('a backend that refuses, closes, or sends no HTTP has a fault, not a status', async (t) => {
  const refused = await probed(refusingUrl());
  assert.deepEqual([refused.connectedMs, refused.status], [null, null]);
  assert.match(refused.fault ?? '', /ECONNREFUSED/);
  const closing = await startRawBackend(t, (socket) => socket.destroy());
  const closed = await probed(closing.url);
  assert.ok(closed.connectedMs !== null && closed.status === null && closed.fault !== null);
  const raw = await startRawBackend(t, (socket) => {
    socket.on('error', () => {});
    socket.end('220 mail.test ESMTP\r\n');
  });
  assert.match((await probed(raw.url)).fault ?? '', /Parse Error/);
});

test('a backend that accepts and stays silent is given up at the limit', async (t) => {
  const sink = await startRawBackend(t, (socket) => socket.resume().on('error', () => {}));
  const { connectedMs, status, fault } = await probed(sink.url, { limitMs: 200 });
  assert.ok(connectedMs !== null);
  assert.deepEqual([status, fault], [null, 'no response within 0.2 s']);
});

test('a path that cannot be sent is a fault', async (t) => {
  const { url } = await startBackend(t, says('good'));
  const { fault } = await probed(url, { sent: { ...SENT, path: '/a b' } });
  assert.match(fault ?? '', /path/);
});

test('HTTP/2 backends get one stream; one that speaks HTTP/1.1 has a fault', async (t) => {
  const heads: unknown[] = [];
  const { url } = await startHttp2Backend(t, (stream, headers) => {
    heads.push([headers[':method'], headers[':authority'], headers[':path']]);
    stream.respond({ ':status': 418 });
    stream.end();
  });
  assert.equal((await probed(url)).status, 418);
  assert.deepEqual(heads, [['GET', 'site.test', '/way?q=1']]);
  const plain = await startBackend(t, says('good'));
  const { status, fault } = await probed(plain.url.replace('http:', 'h2c:'), { limitMs: 3_000 });
  assert.equal(status, null);
  assert.ok(fault !== null);
  const silent = await startRawBackend(t, (socket) => socket.resume().on('error', () => {}));
  const late = await probed(silent.url.replace('http:', 'h2c:'), { limitMs: 200 });
  assert.equal(late.fault, 'no response within 0.2 s');
});

test('a certificate is verified as the router verifies it', { skip: noOpenssl }, async (t: TestContext) => {
  const pair = makePair(temporaryFolder(t), 'localhost');
  const { url } = await startSecureBackend(t, pair, 'localhost', says('good'));
  assert.match((await probed(url)).fault ?? '', /self-signed|certificate/i);
  assert.equal((await probed(url, { verify: false })).status, 200);
  const notHttp2 = await probed(url.replace('https:', 'h2:'), { verify: false });
  assert.ok(notHttp2.fault !== null && notHttp2.status === null);
});

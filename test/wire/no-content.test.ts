/** `Content-Length: 0` says what no length says: there is no content (RFC 9110 §6.4.1, §8.6). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { dial, send } from '../support/client.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { answerOf, openSession } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend, webSocketOn } from '../support/websockets.ts';
import { valuesOf } from '../support/wire.ts';
import { converse, request, startScene, statusOf } from './scene.ts';

const EMPTY = { 'Content-Length': '0' };
const HTTP2 = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };

test('a WebSocket handshake with a length of 0 is a handshake, and goes on without the length', async (t) => {
  const echo = await startWebSocketBackend(t);
  const router = await leaseRouter(t, { routes: { 'site.test': ['echo', echo.url] } });
  const opened = echo.opened();
  const client = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'site.test', { headers: EMPTY });
  await once(client, 'open');
  client.send('hello');
  assert.equal(String((await once(client, 'message'))[0]), 'hello');
  assert.equal((await opened).request.headers['content-length'], undefined);
});

test('the same over TLS', { skip: noOpenssl }, async (t) => {
  const echo = await startWebSocketBackend(t);
  const pair = makePair(temporaryFolder(t), 'site.test');
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['echo', echo.url] },
    config: { https: { bind: ['127.0.0.1'], port: 0, key: pair.keyFile, cert: pair.certFile } },
  });
  const options = { headers: EMPTY, rejectUnauthorized: false };
  const url = router.urls.find((each) => each.startsWith('https:')) ?? '';
  const client = openWebSocket(t, url.replace('https:', 'wss:'), 'site.test', options);
  await once(client, 'open');
});

test('the same to an HTTP/2 backend', async (t) => {
  const seen: unknown[] = [];
  const backend = await startHttp2Backend(
    t,
    (stream, headers) => {
      seen.push(headers[':protocol'], headers['content-length']);
      stream.respond({ ':status': 200 });
      const socket = webSocketOn(stream, 'server');
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    },
    { settings: { enableConnectProtocol: true } },
  );
  const router = await leaseRouter(t, { routes: { 'site.test': ['echo', backend.url] } });
  const client = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'site.test', { headers: EMPTY });
  await once(client, 'open');
  client.send('hello');
  assert.equal(String((await once(client, 'message'))[0]), 'hello');
  assert.deepEqual(seen, ['websocket', undefined]);
});

test('a handshake with a body is a plain request', async (t) => {
  const scene = await startScene(t);
  const upgrade = 'Connection: upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const bytes = `GET /chat HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n${upgrade}\r\nhello`;
  assert.equal(statusOf(await converse(scene, bytes)), 200);
  const [seen] = scene.requests();
  assert.deepEqual([seen?.body, seen && valuesOf(seen, 'upgrade')], ['hello', []]);
  await scene.isWell();
});

test('an expectation without content is not passed on: there is nothing to wait for (RFC 9110 §10.1.1)', async (t) => {
  const scene = await startScene(t);
  const lines = ['Expect: 100-continue', 'Content-Length: 0'];
  assert.equal(statusOf(await converse(scene, request('POST / HTTP/1.1', ...lines))), 200);
  const [seen] = scene.requests();
  assert.deepEqual(seen && [valuesOf(seen, 'expect'), valuesOf(seen, 'content-length')], [[], ['0']]);
  await scene.isWell();
});

test('the same by HTTP/2', async (t) => {
  const scene = await startScene(t, { config: HTTP2 });
  const session = await openSession(t, scene.port);
  const fields = { ':authority': 'site.test', ':method': 'POST', 'content-length': '0', expect: '100-continue' };
  const { status, information } = await answerOf(session.request(fields, { endStream: true }));
  assert.deepEqual([status, information], [200, []]);
  const [seen] = scene.requests();
  assert.deepEqual(seen && valuesOf(seen, 'expect'), []);
});

for (const method of ['GET', 'PUT']) {
  test(`${method} with a length of 0 is tried again where one without a length is`, async (t) => {
    let count = 0;
    const backend = await startRawBackend(t, (socket) => {
      socket.once('data', () => {
        if (++count === 1) socket.destroy();
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url, backend.url] } });
    const answer = await send(router.port, request(`${method} / HTTP/1.1`, 'Content-Length: 0'));
    assert.deepEqual([statusOf(answer), count], [200, 2]);
  });
}

test('a length of 0 keeps connections: the client’s, and the backend’s', async (t) => {
  let connections = 0;
  const backend = await startRawBackend(t, (socket) => {
    connections++;
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  });
  const routes = { 'site.test': ['site', backend.url] };
  const router = await leaseRouter(t, { routes, server: { workers: 1, httpKeepAlive: true } });
  const client = await dial(router.port);
  for (const method of ['GET', 'POST', 'PUT', 'GET']) {
    client.write(`${method} / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 0\r\n\r\n`);
    let text = '';
    while (!text.endsWith('ok')) text += String((await once(client, 'data'))[0]);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  }
  client.destroy();
  assert.equal(connections, 1);
});

/** 1xx, 101 and 204 are sent on without Content-Length and Transfer-Encoding; 304 and HEAD keep them (RFC 9110 §8.6). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { send } from '../support/client.ts';
import { startFrameBackend } from '../support/http2-backends.ts';
import { END_HEADERS, END_STREAM, fieldBlock, FRAME, frame, openSession, request } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';

const H2C = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };
const FRAMING = /^(?:content-length|transfer-encoding):/im;
const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

const FIELDS = {
  'a length': 'Content-Length: 5',
  'a length of 0': 'Content-Length: 0',
  chunks: 'Transfer-Encoding: chunked',
  both: 'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'two lengths': 'Content-Length: 5\r\nContent-Length: 6',
  'a length and a field of the connection': 'Content-Length: 5\r\nConnection: keep-alive, foo',
} as const;

const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`;

/** What the backend says to `/<status>/<index of FIELDS>`. */
function answerTo(path: string): string {
  const [, status, index] = path.split('/');
  const fields = Object.values(FIELDS)[Number(index)] ?? '';
  if (status === '103') return `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n${fields}\r\n\r\n${GOOD}`;
  if (status === '204') return `HTTP/1.1 204 No Content\r\nX-A: 1\r\n${fields}\r\n\r\n`;
  if (status === '304') return 'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n';
  if (status === '101') {
    const switching = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}`;
    return `HTTP/1.1 101 Switching Protocols\r\n${switching}\r\n${fields.split('\r\nConnection')[0]}\r\n\r\ntunnel`;
  }
  return GOOD;
}

async function start(t: Parameters<typeof leaseRouter>[0]): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const backend = await startRawBackend(t, (socket) => {
    connections++;
    socket.on('data', (head) => {
      const [method, path = ''] = head.toString('latin1').split(' ');
      socket.write(method === 'HEAD' ? GOOD.slice(0, -4) : answerTo(path));
    });
    socket.on('end', () => socket.end());
  });
  const { port } = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] }, config: H2C });
  return { port, connections: () => connections };
}

test('to HTTP/1.1', async (t) => {
  const { port, connections } = await start(t);
  for (const [index, name] of Object.keys(FIELDS).entries()) {
    await t.test(`a 204 with ${name} has none of it, and the next response follows`, async () => {
      const text = await send(port, ask(`/204/${index}`) + ask('/'), (soFar) => soFar.endsWith('good'));
      const [head = '', rest = ''] = text.split(/\r\n\r\n(.*)/s);
      assert.match(head, /^HTTP\/1\.1 204 No Content\r\nX-A: 1(?:\r\n|$)/);
      assert.doesNotMatch(head, FRAMING);
      assert.match(rest, /^HTTP\/1\.1 200 OK\r\n/);
    });
    await t.test(`a 103 with ${name} has none of it, and its response follows`, async () => {
      const text = await send(port, ask(`/103/${index}`), (soFar) => soFar.endsWith('good'));
      const [head = '', rest = ''] = text.split(/\r\n\r\n(.*)/s);
      assert.equal(head, 'HTTP/1.1 103 Early Hints\r\nLink: </a>');
      assert.match(rest, /^HTTP\/1\.1 200 OK\r\n/);
    });
    await t.test(`a 101 with ${name} has none of it, and the tunnel is joined`, async () => {
      const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
      const handshake = `GET /101/${index} HTTP/1.1\r\nHost: site.test\r\n${fields}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
      const text = await send(port, handshake, (soFar) => soFar.endsWith('tunnel'));
      assert.match(text, /^HTTP\/1\.1 101 [^]*\r\n\r\ntunnel$/);
      assert.doesNotMatch(text, FRAMING);
    });
  }
  await t.test('a 304 and a response to HEAD keep a Content-Length, and have no body', async () => {
    const text = await send(port, ask('/304/0') + ask('/'), (soFar) => soFar.endsWith('good'));
    assert.match(text, /^HTTP\/1\.1 304 Not Modified\r\nContent-Length: 77\r\n[^]*?\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    const head = await send(port, `HEAD / HTTP/1.1\r\nHost: site.test\r\n\r\n${ask('/')}`, (soFar) =>
      soFar.endsWith('good'),
    );
    assert.match(head, /^HTTP\/1\.1 200 OK\r\nContent-Length: 4\r\n[^]*?\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
  const before = connections();
  await send(port, ask('/204/0') + ask('/'), (soFar) => soFar.endsWith('good'));
  assert.equal(connections(), before, 'the connection of a 204 is kept');
});

test('to HTTP/2', async (t) => {
  const { port } = await start(t);
  const session = await openSession(t, port);
  for (const [index, name] of Object.keys(FIELDS).entries()) {
    await t.test(`a 204 with ${name} arrives without`, async () => {
      const { status, headers, code } = await request(session, { ':path': `/204/${index}` });
      assert.deepEqual([status, headers['content-length'], headers['x-a'], code], [204, undefined, '1', 0]);
    });
    await t.test(`a 103 with ${name} arrives, and its response after it`, async () => {
      const { status, information, body } = await request(session, { ':path': `/103/${index}` });
      assert.deepEqual([status, information, body], [200, [103], 'good']);
    });
  }
  await t.test('a 304 and a response to HEAD keep a Content-Length', async () => {
    const notModified = await request(session, { ':path': '/304/0' });
    assert.deepEqual([notModified.status, notModified.headers['content-length']], [304, '77']);
    const head = await request(session, { ':method': 'HEAD' });
    assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '4', '']);
  });
});

test('from an HTTP/2 backend, a 204 with a length of 0 arrives without', async (t) => {
  const block = fieldBlock([
    [':status', '204'],
    ['content-length', '0'],
  ]);
  const url = await startFrameBackend(t, (stream) => [frame(FRAME.headers, END_HEADERS | END_STREAM, stream, block)]);
  const { port } = await leaseRouter(t, { routes: { 'site.test': ['site', url] }, config: H2C });
  const text = await send(port, 'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n');
  assert.match(text, /^HTTP\/1\.1 204 /);
  assert.doesNotMatch(text, FRAMING);
  assert.equal((await request(await openSession(t, port))).status, 204);
});

/** 205 has the body that its fields say (RFC 9112 §6.3), and ends for everybody where that ends. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { send } from '../support/client.ts';
import { openSession, request } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';

const H2C = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };
const GET = 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n';
const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';
/** What must be nobody's answer. */
const EVIL = 'HTTP/1.1 200 OK\r\nX-Evil: yes\r\nContent-Length: 4\r\n\r\nevil';

for (const [framing, head, body] of [
  ['a length', `Content-Length: ${EVIL.length}`, EVIL],
  ['chunks', 'Transfer-Encoding: chunked', `${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`],
  ['chunks behind an odd head', 'Connection: keep-alive, foo\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
] as const) {
  test(`a 205 with ${framing} is relayed whole, and the next answer is the next request's`, async (t) => {
    const reset205 = `HTTP/1.1 205 Reset Content\r\n${head}\r\n\r\n${body}`;
    const backend = await startRawBackend(t, (socket) =>
      socket.on('data', (bytes) => socket.write(bytes.includes('GET /205') ? reset205 : GOOD)),
    );
    const { port } = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
    const text = await send(port, GET.replace('/', '/205') + GET, (soFar) => soFar.endsWith('good'));
    const [, reset = '', rest = ''] = /^HTTP\/1\.1 205 Reset Content\r\n(.*?\r\n)\r\n(.*)$/s.exec(text) ?? [];
    assert.ok(rest.startsWith(body), text);
    assert.match(reset, framing === 'a length' ? /content-length: /i : /transfer-encoding: chunked\r\n/i);
    assert.match(rest.slice(body.length), /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\ngood$/s);
  });
}

test('a 205 with a body, which HTTP/2 has none for, answers no other stream of the connection', async (t) => {
  const begun: Socket[] = [];
  const slow = await startRawBackend(t, (socket) => {
    socket.once('data', () => {
      begun.push(socket);
      socket.write(`HTTP/1.1 205 Reset Content\r\nContent-Length: ${EVIL.length}\r\n\r\n`);
    });
  });
  const good = await startRawBackend(t, (socket) => socket.on('data', () => socket.write(GOOD)));
  const routes = { 'site.test': ['site', slow.url], 'good.test': ['good', good.url] };
  const { port } = await leaseRouter(t, { routes, config: H2C });
  const session = await openSession(t, port);
  const { status, headers, body } = await request(session, { ':authority': 'site.test' });
  assert.deepEqual([status, headers['content-length'], body], [205, undefined, '']);
  const others = Array.from({ length: 3 }, () => request(session, { ':authority': 'good.test' }));
  begun[0]?.write(EVIL);
  for (const answer of await Promise.all(others)) assert.deepEqual([answer.status, answer.body], [200, 'good']);
});

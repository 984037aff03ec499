/** White space around what a field holds is SP and HTAB (RFC 9110 §5.6.3); the byte 0xA0 belongs to the value. */
import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http2';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { send } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startFrameBackend, startHttp2Backend } from '../support/http2-backends.ts';
import {
  answerOf,
  END_HEADERS,
  END_STREAM,
  fieldBlock,
  FRAME,
  frame,
  GET,
  openSession,
  RawHttp2,
} from '../support/http2.ts';
import { readAnswers, valuesOf, type WireRequest } from '../support/wire.ts';
import { converse, request, startScene, statusOf } from './scene.ts';

const HTTP2 = { config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } };
/** In latin1: what `à` ends with in UTF-8, on both sides. */
const ODD = '\u00a0\u00c3\u00a0';
const HEAD = `HTTP/1.1 200 OK\r\nX-Odd: \t ${ODD}\t \r\n`;

for (const [name, answer] of [
  ['with a length', `${HEAD}Content-Length: 2\r\n\r\nok`],
  ['in chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Odd-End: ${ODD}\r\n\r\n`],
] as const) {
  test(`a value of an answer ${name} keeps the byte 0xA0 at its ends, by either version`, async (t) => {
    const scene = await startScene(t, HTTP2, `HTTP/1.1 103 Early Hints\r\nLink: ${ODD}\r\n\r\n${answer}`);
    const text = await converse(scene, request('GET / HTTP/1.1'));
    const [hint, got] = readAnswers(text, ['GET']);
    assert.deepEqual(hint && valuesOf(hint, 'link'), [ODD]);
    assert.deepEqual(got && valuesOf(got, 'x-odd'), [ODD]);
    const session = await openSession(t, scene.port);
    const stream = session.request({ ':authority': 'site.test', ':path': '/' });
    let link: unknown;
    stream.on('headers', (fields: IncomingHttpHeaders) => (link = fields['link']));
    const { headers, trailers } = await answerOf(stream);
    assert.deepEqual([link, headers['x-odd']], [ODD, ODD]);
    if (name === 'in chunks') assert.equal(trailers['x-odd-end'], ODD);
  });
}

test('a value of an answer of an HTTP/2 backend keeps it, too', async (t) => {
  const block = fieldBlock([
    [':status', '200'],
    ['x-odd', ODD],
  ]);
  const trailers = fieldBlock([['x-odd-end', ODD]]);
  const url = await startFrameBackend(t, (stream) => [
    frame(FRAME.headers, END_HEADERS, stream, block),
    frame(FRAME.data, 0, stream, Buffer.from('ok')),
    frame(FRAME.headers, END_HEADERS | END_STREAM, stream, trailers),
  ]);
  const { port } = await startScene(t, { ...HTTP2, routes: { 'two.test': ['two', url] } });
  const text = await send(port, 'GET / HTTP/1.1\r\nHost: two.test\r\nTE: trailers\r\nConnection: close\r\n\r\n');
  const [got] = readAnswers(text, ['GET']);
  assert.deepEqual(got && valuesOf(got, 'x-odd'), [ODD]);
  assert.deepEqual(got?.trailers, [['x-odd-end', ODD]]);
  const session = await openSession(t, port);
  const answer = await answerOf(session.request({ ':authority': 'two.test', ':path': '/' }));
  assert.deepEqual([answer.headers['x-odd'], answer.trailers['x-odd-end']], [ODD, ODD]);
});

test('a value of a request keeps it on its way to a backend of either version', async (t) => {
  const seen: unknown[] = [];
  const two = await startHttp2Backend(t, (stream, headers) => {
    seen.push(headers['x-odd']);
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  const scene = await startScene(t, { ...HTTP2, routes: { 'two.test': ['two', two.url] } });
  const raw = await RawHttp2.open(t, scene.port);
  const forTwo = GET.map(([name, value]) => [name, name === ':authority' ? 'two.test' : value] as const);
  raw.headers(1, [...GET, ['x-odd', ODD]]);
  raw.headers(3, [...forTwo, ['x-odd', ODD]]);
  await converse(scene, request('GET / HTTP/1.1', `X-Odd:\t${ODD} `));
  await send(scene.port, `GET / HTTP/1.1\r\nHost: two.test\r\nX-Odd: ${ODD}\t\r\nConnection: close\r\n\r\n`);
  const requests: WireRequest[] = [];
  await eventually(() => {
    requests.push(...scene.requests());
    assert.deepEqual([requests.length, seen.length], [2, 2]);
  });
  assert.deepEqual(
    requests.map((each) => valuesOf(each, 'x-odd')),
    [[ODD], [ODD]],
  );
  assert.deepEqual(seen, [ODD, ODD]);
});

test('the byte 0xA0 is no white space within a list, nor around a coding', async (t) => {
  const scene = await startScene(t);
  for (const value of ['chunked\u00a0', '\u00a0chunked', 'gzip,\u00a0chunked']) {
    const bytes = request('POST / HTTP/1.1', `Transfer-Encoding: ${value}`);
    assert.equal(statusOf(await converse(scene, `${bytes}0\r\n\r\n`)), 400, value);
  }
  const expecting = request('POST / HTTP/1.1', 'Content-Length: 0', 'Expect: 100-continue\u00a0');
  assert.equal(statusOf(await converse(scene, expecting)), 417);
  assert.equal(scene.received(), '');
  const nominating = 'GET / HTTP/1.1\r\nHost: site.test\r\nX-Kept: 1\r\nConnection: \u00a0X-Kept, close\r\n\r\n';
  await converse(scene, nominating);
  const [seen] = scene.requests();
  assert.deepEqual(seen && valuesOf(seen, 'x-kept'), ['1']);
  await scene.isWell();
});

test('an answer whose coding is only almost chunked is a 502', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\u00a0\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'latin1'),
    );
  });
  const { router, port } = await startScene(t, { routes: { 'odd.test': ['odd', backend.url] } });
  const text = await send(port, 'GET / HTTP/1.1\r\nHost: odd.test\r\nConnection: close\r\n\r\n');
  assert.equal(statusOf(text), 502);
  assert.ok(!router.log.some(({ event }) => event === 'backend-dead'));
});

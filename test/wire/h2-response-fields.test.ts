/** What a stream's response says: fields that came twice, and statuses that node:http2 does not send. */
import assert from 'node:assert/strict';
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { send } from '../support/client.ts';
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
  request as ask,
} from '../support/http2.ts';
import { readAnswers, valuesOf } from '../support/wire.ts';
import { converse, request, shareScene, startScene, statusOf } from './scene.ts';

const HTTP2 = { config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } };
const sceneWith = shareScene(HTTP2);

/** The field lines of an answer, its trailers behind them: Node's object of fields leaves out what came twice. */
async function linesOf(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): Promise<[string, string][]> {
  const stream = session.request({ ':authority': 'site.test', ':path': '/', ...headers });
  const lines: [string, string][] = [];
  const note = (_fields: unknown, _flags: number, raw: readonly string[]): void => {
    for (let i = 0; i < raw.length; i += 2) lines.push([raw[i] ?? '', raw[i + 1] ?? '']);
  };
  stream.on('response', note as never).on('trailers', note as never);
  const { code } = await answerOf(stream);
  assert.equal(code, 0);
  return lines;
}

function valuesIn(lines: readonly (readonly [string, string])[], name: string): string[] {
  return lines.filter(([each]) => each === name).map(([, value]) => value);
}

/** Two values of each field that a message has once. */
const SINGLETONS = {
  age: ['5', '7'],
  'content-location': ['/a', '/b'],
  'content-range': ['bytes 0-1/2', 'bytes 1-1/2'],
  'content-type': ['text/html', 'text/plain'],
  date: ['Sun, 06 Nov 1994 08:49:37 GMT', 'Mon, 07 Nov 1994 08:49:37 GMT'],
  etag: ['"a,b"', '"c"'],
  expires: ['Sun, 06 Nov 1994 08:49:37 GMT', '0'],
  'last-modified': ['Sun, 06 Nov 1994 08:49:37 GMT', 'Mon, 07 Nov 1994 08:49:37 GMT'],
  location: ['/x', '/y'],
  'retry-after': ['1', '2'],
  server: ['a', 'b'],
} as const;

function twice(which: readonly [0 | 1, 0 | 1]): string {
  const lines = Object.entries(SINGLETONS).flatMap(([name, values]) => which.map((i) => `${name}: ${values[i]}\r\n`));
  return `HTTP/1.1 302 Found\r\n${lines.join('')}Content-Length: 0\r\n\r\n`;
}

test('a singleton field that came twice with one value is sent once over HTTP/2, and as it came over HTTP/1.1', async (t) => {
  const scene = await sceneWith(twice([0, 0]));
  const lines = await linesOf(await openSession(t, scene.port));
  const [got] = readAnswers(await converse(scene, request('GET / HTTP/1.1')), ['GET']);
  assert.ok(got);
  for (const [name, [value]] of Object.entries(SINGLETONS)) {
    assert.deepEqual(valuesIn(lines, name), [value], name);
    assert.deepEqual(valuesOf(got, name), [value, value], name);
  }
});

test('two values of a singleton field never become one', async (t) => {
  const scene = await sceneWith(twice([0, 1]));
  const session = await openSession(t, scene.port);
  // Twice: the first one may show what this Node sends.
  for (let i = 0; i < 2; i++) {
    const lines = await linesOf(session);
    for (const [name, [first, second]] of Object.entries(SINGLETONS)) {
      const values = valuesIn(lines, name);
      // Node before 24.15 sends one only.
      assert.deepEqual(values, values.length === 1 ? [first] : [first, second], name);
    }
    assert.deepEqual(valuesIn(lines, ':status'), ['302']);
  }
  const [got] = readAnswers(await converse(scene, request('GET / HTTP/1.1')), ['GET']);
  assert.ok(got);
  for (const [name, values] of Object.entries(SINGLETONS)) assert.deepEqual(valuesOf(got, name), values, name);
});

test('fields that are lists, and those that no document names, stay as many as they were or are joined', async (t) => {
  const fields = ['Vary: a', 'Vary: a', 'X-Odd: 1', 'X-Odd: 1', 'Content-Language: de', 'Content-Language: en'];
  const scene = await sceneWith(
    `HTTP/1.1 200 OK\r\n${fields.join('\r\n')}\r\nLink: <a>\r\nLink: <a>\r\nContent-Length: 0\r\n\r\n`,
  );
  const lines = await linesOf(await openSession(t, scene.port));
  assert.deepEqual(valuesIn(lines, 'vary'), ['a', 'a']);
  assert.deepEqual(valuesIn(lines, 'link'), ['<a>', '<a>']);
  assert.deepEqual(valuesIn(lines, 'x-odd'), ['1', '1']);
  assert.equal(valuesIn(lines, 'content-language').join(', '), 'de, en');
});

test('hints, trailers and the answers of HTTP/2 backends keep to the same', async (t) => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLocation: /h\r\nLocation: /i\r\n\r\n';
  const chunks = 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nETag: "a"\r\nETag: "a"\r\n\r\n';
  const scene = await sceneWith(`${hint}HTTP/1.1 200 OK\r\n${chunks}`);
  const session = await openSession(t, scene.port);
  const stream = session.request({ ':authority': 'site.test', ':path': '/' });
  let hinted: readonly string[] = [];
  stream.on('headers', ((_fields: unknown, _flags: number, raw: readonly string[]) => (hinted = raw)) as never);
  assert.equal((await answerOf(stream)).code, 0);
  assert.ok(hinted.includes('/h') && !hinted.join('|').includes(', '), hinted.join('|'));
  assert.deepEqual(valuesIn(await linesOf(session), 'etag'), ['"a"']);

  const fields = [
    [':status', '302'],
    ['location', '/x'],
    ['location', '/x'],
    ['etag', '"a"'],
    ['etag', '"b"'],
  ] as const;
  const url = await startFrameBackend(t, (id) => [
    frame(FRAME.headers, END_HEADERS | END_STREAM, id, fieldBlock(fields)),
  ]);
  const other = await startScene(t, { ...HTTP2, routes: { 'two.test': ['two', url] } });
  const lines = await linesOf(await openSession(t, other.port), { ':authority': 'two.test' });
  assert.deepEqual(valuesIn(lines, 'location'), ['/x']);
  assert.equal(valuesIn(lines, 'etag')[0], '"a"');
  const text = await send(other.port, 'GET / HTTP/1.1\r\nHost: two.test\r\nConnection: close\r\n\r\n');
  const [got] = readAnswers(text, ['GET']);
  assert.deepEqual(got && valuesOf(got, 'etag'), ['"a"', '"b"']);
});

test('a singleton field of a request that came twice with one value goes to an HTTP/2 backend once', async (t) => {
  const seen: (string | undefined)[] = [];
  const two = await startHttp2Backend(t, (stream, headers) => {
    seen.push(headers['if-modified-since'], headers['content-type'], headers['x-odd']?.toString());
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  const scene = await startScene(t, { ...HTTP2, routes: { 'two.test': ['two', two.url] } });
  const raw = await RawHttp2.open(t, scene.port);
  const asked = GET.map(([name, value]) => [name, name === ':authority' ? 'two.test' : value] as const);
  const since = ['if-modified-since', 'Sun, 06 Nov 1994 08:49:37 GMT'] as const;
  const types = [['content-type', 'a/b'] as const, ['content-type', 'c/d'] as const];
  raw.headers(1, [...asked, since, since, ...types, ['x-odd', '1'], ['x-odd', '1']]);
  await raw.find(({ type, stream }) => type === FRAME.headers && stream === 1);
  assert.deepEqual(seen, [since[1], 'a/b, c/d', '1, 1']);
});

for (const status of [600, 999]) {
  test(`a response of ${status}, which has no class, is passed on by HTTP/1.1 and HTTP/2`, async (t) => {
    const scene = await startScene(t, HTTP2, `HTTP/1.1 ${status} Odd\r\nContent-Length: 2\r\n\r\nok`);
    assert.equal(statusOf(await converse(scene, request('GET / HTTP/1.1'))), status);
    await scene.router.line(new RegExp(`"GET / HTTP/1\\.1" ${status} 2 `));
    const session = await openSession(t, scene.port);
    for (const method of ['GET', 'POST']) {
      const answer = await ask(session, { ':method': method }, method === 'POST' ? 'body' : undefined);
      assert.deepEqual([answer.status, answer.code, answer.body], [status, 0, 'ok'], method);
      await scene.router.line(new RegExp(`"${method} / HTTP/2\\.0" ${status} 2 `));
    }
    assert.ok(!scene.router.log.some(({ event }) => event === 'backend-dead' || event === 'refused'));
  });
}

test('a 101 that was not asked for, and a status below 100, are a 502 from a backend of either version', async (t) => {
  const switching = await startRawBackend(t, (socket) => {
    const fields = 'Connection: Upgrade\r\nUpgrade: websocket';
    socket.on('data', () => socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`));
    socket.on('end', () => socket.end());
  });
  const routes: Record<string, string[]> = { 'switching.test': ['one', switching.url] };
  for (const status of ['101', '099']) {
    const url = await startFrameBackend(t, (id) => [
      frame(FRAME.headers, END_HEADERS | END_STREAM, id, fieldBlock([[':status', status]])),
    ]);
    routes[`two-${status}.test`] = ['two', url];
  }
  const { port, router } = await startScene(t, { ...HTTP2, routes });
  const session = await openSession(t, port);
  for (const host of Object.keys(routes)) {
    const { status, code } = await ask(session, { ':authority': host });
    assert.deepEqual([status, code], [502, 0], host);
    const text = await send(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.equal(statusOf(text), 502, host);
  }
  assert.ok(!router.log.some(({ event }) => event === 'backend-dead'));
});

test('an HTTP/2 backend’s status of 700 is passed on by both', async (t) => {
  const url = await startFrameBackend(t, (id) => [
    frame(FRAME.headers, END_HEADERS | END_STREAM, id, fieldBlock([[':status', '700']])),
  ]);
  const { port } = await startScene(t, { ...HTTP2, routes: { 'two.test': ['two', url] } });
  const { status, code } = await ask(await openSession(t, port), { ':authority': 'two.test' });
  assert.deepEqual([status, code], [700, 0]);
  assert.equal(statusOf(await send(port, 'GET / HTTP/1.1\r\nHost: two.test\r\nConnection: close\r\n\r\n')), 700);
});

test('the 600 with which a backend refuses a WebSocket is passed on, and so is an odd 1xx', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (bytes: Buffer) => {
      const isUpgrade = bytes.toString('latin1').startsWith('GET /socket');
      if (isUpgrade) socket.end('HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n');
      else socket.write('HTTP/1.1 199 Odd\r\nX-A: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
    socket.on('end', () => socket.end());
  });
  const { port } = await startScene(t, { ...HTTP2, routes: { 'odd.test': ['odd', backend.url] } });
  const session = await openSession(t, port);
  const socket = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/socket' };
  const opened = answerOf(session.request({ ...socket, ':authority': 'odd.test', 'sec-websocket-version': '13' }));
  assert.equal((await opened).status, 600);
  const { status, information } = await ask(session, { ':authority': 'odd.test' });
  assert.deepEqual([status, information], [200, [199]]);
});

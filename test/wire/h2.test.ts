/** HTTP/2 to the byte: what is malformed, and what a backend gets of what is not (RFC 9113). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:http2';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { answerOf, END_STREAM, FRAME, frame, GET, openSession, RawHttp2, request } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { readRequests, valuesOf } from '../support/wire.ts';
import { OK, shareScene } from './scene.ts';

const HTTP2 = { config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } };
const start = shareScene(HTTP2);

test('what RFC 9113 calls malformed is a stream error, and nothing of it reaches a backend', async (t) => {
  const scene = await start();
  const raw = await RawHttp2.open(t, scene.port);
  const malformed: readonly (readonly (readonly [string, string])[])[] = [
    [...GET, ['X-Upper', 'b']],
    [...GET, ['transfer-encoding', 'chunked']],
    [...GET, ['connection', 'close']],
    [...GET, ['keep-alive', '1']],
    [...GET, ['proxy-connection', 'close']],
    [...GET, ['upgrade', 'websocket']],
    [...GET, ['te', 'gzip']],
    [...GET, [':path', '/twice']],
    [...GET, [':status', '200']],
    [['x-early', '1'], ...GET],
    [...GET, ['content-length', '5']],
    [...GET, ['content-length', '0'], ['content-length', '0']],
    GET.filter(([name]) => name !== ':path'),
    GET.filter(([name]) => name !== ':method'),
    GET.map(([name, value]) => [name, name === ':path' ? '/a b' : value] as const),
    GET.map(([name, value]) => [name, name === ':path' ? '/a\r\nHost: x' : value] as const),
    GET.map(([name, value]) => [name, name === ':path' ? '' : value] as const),
    GET.map(([name, value]) => [name, name === ':method' ? 'GET / HTTP/1.1\r\n' : value] as const),
    GET.map(([name, value]) => [name, name === ':authority' ? 'site.test\r\nx: y' : value] as const),
  ];
  for (const [index, fields] of malformed.entries()) {
    const stream = 2 * index + 1;
    raw.headers(stream, fields);
    assert.equal(await raw.resetOf(stream), constants.NGHTTP2_PROTOCOL_ERROR, JSON.stringify(fields));
  }
  const last = 2 * malformed.length + 1;
  raw.headers(last, GET);
  await raw.find(({ type, stream }) => type === FRAME.headers && stream === last);
  assert.equal(scene.requests().length, 1, 'the session goes on, and only the good request was passed on');
  await scene.isWell();
});

test('a field that no HTTP can carry is left out, and everything else stays as it is', async (t) => {
  // RFC 9113 §8.2.1 asks for a stream error; Node drops the field before anybody can see it.
  const scene = await start();
  const raw = await RawHttp2.open(t, scene.port);
  const fields = [
    ['x-bad', 'b\r\nx-c: d'],
    ['x-bad', 'b\nc'],
    ['x-bad', 'b\0c'],
    ['x-bad', 'b\u0001c'],
    ['x-bad', ' b'],
    ['x-bad: b\r\nc', 'd'],
    ['x-bad ', 'd'],
    ['content-length', '0\r\nx-c: d'],
    ['host', 'site.test\r\nx-c: d'],
    ['cookie', 'a\r\nx-c: d'],
  ] as const;
  for (const [index, field] of fields.entries()) {
    const id = 2 * index + 1;
    raw.headers(id, [...GET, ['x-good', '1'], field]);
    await raw.find(({ type, stream }) => stream === id && (type === FRAME.data || type === FRAME.reset));
  }
  for (const seen of scene.requests()) {
    assert.deepEqual(valuesOf(seen, 'x-good'), ['1']);
    assert.ok(!seen.fields.some(([name, value]) => /^(?:x-bad|x-c|cookie)/.test(name) || value.includes('x-c')));
    assert.deepEqual(valuesOf(seen, 'host'), ['site.test']);
  }
  await scene.isWell();
});

test('a body that is not as long as it said is a stream error, and the backend is not told that it was whole', async (t) => {
  const scene = await start();
  const raw = await RawHttp2.open(t, scene.port);
  const post = GET.map(([name, value]) => [name, name === ':method' ? 'POST' : value] as const);
  raw.headers(1, [...post, ['content-length', '5']], 0);
  raw.write(FRAME.data, 1, 1, Buffer.from('abc'));
  assert.equal(await raw.resetOf(1), constants.NGHTTP2_PROTOCOL_ERROR);
  const other = await RawHttp2.open(t, scene.port);
  other.headers(1, [...post, ['content-length', '2']], 0);
  other.write(FRAME.data, 1, 1, Buffer.from('abc'));
  // Newer versions of Node end the connection.
  await other.find(({ type, stream }) => type === FRAME.goaway || (type === FRAME.reset && stream === 1));
  // What has been sent to the backend has come when this has.
  assert.equal((await ask({ port: scene.port })).status, 200);
  assert.ok(!scene.received().includes('\r\n\r\nabc'));
});

test('Host and :authority must be of one mind, and name a host', async (t) => {
  const scene = await start();
  const session = await openSession(t, scene.port);
  const statusFor = async (headers: Record<string, string>): Promise<number> => {
    return (await request(session, headers)).status;
  };
  assert.equal(await statusFor({ host: 'site.test' }), 200);
  assert.equal(await statusFor({ host: 'SITE.test' }), 200);
  assert.deepEqual(
    scene.requests().map((each) => valuesOf(each, 'host')),
    [['site.test'], ['site.test']],
  );
  assert.equal(await statusFor({ host: 'other.test' }), 400);
  // Newer versions of Node reset the stream, as RFC 9113 §8.3.1 has it.
  const refused = new Set([400, 0]);
  assert.ok(refused.has(await statusFor({ ':authority': 'site.test@evil.test' })));
  assert.ok(refused.has(await statusFor({ ':authority': 'user@site.test' })));
  assert.equal(await statusFor({ ':authority': 'nobody.test' }), 400);
  const raw = await RawHttp2.open(t, scene.port);
  const without = GET.filter(([name]) => name !== ':authority');
  raw.headers(1, [...without, ['host', 'site.test']]);
  await raw.find(({ type, stream }) => type === FRAME.data && stream === 1);
  assert.equal(scene.requests().length, 1, 'Host alone will do');
  raw.headers(3, without);
  raw.headers(5, [...without, ['host', 'site.test'], ['host', 'site.test']]);
  for (const id of [3, 5])
    await raw.find(({ type, stream }) => stream === id && (type === FRAME.data || type === FRAME.reset));
  assert.equal(scene.received(), '');
  await scene.isWell();
});

test('a request is written as one of HTTP/1.1 would be', async (t) => {
  const scene = await start();
  const session = await openSession(t, scene.port);
  await request(session, {
    ':path': '/a?b=%20c',
    cookie: ['a=1', 'b=2', 'c=3'],
    'x-twice': ['1', '2'],
    te: 'trailers',
  });
  const [seen] = scene.requests();
  assert.equal(seen?.target, '/a?b=%20c');
  assert.equal(seen.version, '1.1');
  assert.deepEqual(valuesOf(seen, 'cookie'), ['a=1; b=2; c=3']);
  assert.deepEqual(valuesOf(seen, 'x-forwarded-proto'), ['http']);
  assert.deepEqual(valuesOf(seen, 'x-forwarded-for'), ['127.0.0.1']);
  assert.ok(seen.fields.every(([name]) => !name.startsWith(':') && name !== 'te'));
});

for (const method of ['GET', 'DELETE', 'POST', 'PUT', 'OPTIONS']) {
  test(`${method} with a body and no length goes out in chunks, with its trailers`, async (t) => {
    const scene = await start();
    const session = await openSession(t, scene.port);
    const stream = session.request(
      { ':method': method, ':authority': 'site.test', ':path': '/body', 'x-a': 'b' },
      { endStream: false, waitForTrailers: true },
    );
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'x-sum': '42', 'x-forwarded-for': '1.2.3.4', authorization: 'evil' }),
    );
    stream.end('hello, world');
    const { status } = await answerOf(stream);
    assert.equal(status, 200);
    let received = '';
    const [seen] = await eventually(() => {
      received += scene.received();
      const requests = readRequests(received);
      assert.equal(requests.length, 1);
      return requests;
    });
    assert.equal(seen?.body, 'hello, world');
    assert.deepEqual(valuesOf(seen, 'transfer-encoding'), ['chunked']);
    assert.deepEqual(seen.trailers, [['x-sum', '42']]);
    await scene.isWell();
  });
}

test('a body with a length keeps it, and one that is empty has none', async (t) => {
  const scene = await start();
  const session = await openSession(t, scene.port);
  await request(session, { ':method': 'DELETE', 'content-length': '3' }, 'abc');
  await request(session, { ':method': 'POST' });
  await request(session, { ':method': 'GET' });
  const framing = scene
    .requests()
    .map((each) => [each.body, valuesOf(each, 'content-length'), valuesOf(each, 'transfer-encoding')]);
  assert.deepEqual(framing, [
    ['abc', ['3'], []],
    ['', ['0'], []],
    ['', [], []],
  ]);
});

test('CONNECT is 405, and other protocols than websocket are', async (t) => {
  const scene = await start();
  const session = await openSession(t, scene.port);
  const plain = session.request({ ':method': 'CONNECT', ':authority': 'site.test:443' });
  assert.equal((await answerOf(plain)).status, 405);
  const odd = { ':method': 'CONNECT', ':protocol': 'connect-udp', ':scheme': 'http', ':path': '/' };
  assert.equal((await answerOf(session.request({ ...odd, ':authority': 'site.test' }))).status, 405);
  assert.equal(scene.received(), '');
  await scene.isWell();
});

test('fields of an HTTP/1.1 answer that are about its connection stay behind', async (t) => {
  const fields = ['Connection: X-Private', 'X-Private: 1', 'Keep-Alive: timeout=5', 'Proxy-Connection: close'];
  const more = ['Upgrade: h2c', 'Content-Type: a/b', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'Vary: a', 'Vary: b'];
  const chunks =
    'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\nX-Sum: 42\r\n\r\n';
  const scene = await start(`HTTP/1.1 200 Fine\r\n${[...fields, ...more].join('\r\n')}\r\n${chunks}`);
  const session = await openSession(t, scene.port);
  const { status, headers, body, trailers, code } = await request(session);
  assert.deepEqual({ status, body, code }, { status: 200, body: 'hello!', code: 0 });
  assert.deepEqual(Object.entries(trailers), [['x-sum', '42']]);
  const { date, ...rest } = headers;
  assert.ok(date);
  const expected = {
    ':status': 200,
    'content-type': 'a/b',
    'set-cookie': ['a=1', 'b=2'],
    vary: 'a, b',
    trailer: 'X-Sum',
  };
  assert.deepEqual(Object.fromEntries(Object.entries(rest)), expected);
});

for (const [name, answer, method, status, length] of [
  ['to HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'HEAD', 200, '5'],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 'GET', 204, undefined],
  ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 'GET', 304, '5'],
  ['of no bytes', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'GET', 200, '0'],
] as const) {
  test(`an answer ${name} ends with its head`, async (t) => {
    const scene = await start(answer);
    const session = await openSession(t, scene.port);
    for (let i = 0; i < 3; i++) {
      const seen = await request(session, { ':method': method });
      assert.deepEqual([seen.status, seen.body, seen.code], [status, '', 0]);
      assert.equal(seen.headers['content-length'], length);
    }
  });
}

test('hints go through, and 100 only to who waits for it', async (t) => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n';
  const scene = await start(`${hint}HTTP/1.1 100 Continue\r\n\r\n${OK}`);
  const session = await openSession(t, scene.port);
  const plain = await request(session);
  assert.deepEqual([plain.status, plain.information], [200, [103]]);
  const stream = session.request(
    { ':method': 'POST', ':authority': 'site.test', ':path': '/', expect: '100-continue' },
    { endStream: false },
  );
  const answer = answerOf(stream);
  await once(stream, 'continue');
  stream.end('now');
  assert.equal((await answer).status, 200);
});

for (const [name, cut] of [
  ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'],
  ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
] as const) {
  test(`an answer ${name} that the backend cuts does not look complete`, async (t) => {
    const backend = await startRawBackend(t, (socket) => socket.once('data', () => socket.end(cut)));
    const { port } = await leaseRouter(t, { ...HTTP2, routes: { 'site.test': ['site', backend.url] } });
    const raw = await RawHttp2.open(t, port);
    raw.headers(1, GET);
    assert.equal(await raw.resetOf(1), constants.NGHTTP2_INTERNAL_ERROR);
    const data = raw.frames.filter(({ type }) => type === FRAME.data);
    assert.equal(Buffer.concat(data.map(({ payload }) => payload)).toString(), 'half');
    assert.ok(!raw.frames.some(({ type, flags }) => type <= FRAME.headers && (flags & END_STREAM) !== 0));
  });
}

test('an answer that ends with the backend’s connection is whole', async (t) => {
  const backend = await startRawBackend(t, (socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')),
  );
  const { port } = await leaseRouter(t, { ...HTTP2, routes: { 'site.test': ['site', backend.url] } });
  const session = await openSession(t, port);
  const { status, body, code } = await request(session);
  assert.deepEqual([status, body, code], [200, 'all of it', 0]);
});

test('a client that resets its stream has left: the backend hears at once, and is not blamed', async (t) => {
  const opened: Socket[] = [];
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (bytes) => {
      if (bytes.toString('latin1').startsWith('GET /slow')) opened.push(socket);
      else socket.write(OK);
    });
    socket.on('end', () => socket.end());
  });
  const routes = { 'site.test': ['site', backend.url, `${backend.url}/`] };
  const router = await leaseRouter(t, { ...HTTP2, routes });
  const session = await openSession(t, router.port);
  const stream = session.request({ ':authority': 'site.test', ':path': '/slow' });
  stream.on('error', () => {});
  await eventually(() => assert.equal(opened.length, 1));
  stream.close(constants.NGHTTP2_CANCEL);
  await once(opened[0] as Socket, 'close');
  await router.line(/"GET \/slow HTTP\/2\.0" 499 /);
  assert.equal((await request(session)).status, 200);
  assert.ok(!router.log.some(({ event }) => event === 'backend-dead'));
});

test('an early answer goes through, and a client that does not end its body is not waited for', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'));
    socket.on('end', () => socket.end());
  });
  const server = { timeouts: { body: 1 } };
  const { port } = await leaseRouter(t, { ...HTTP2, server, routes: { 'site.test': ['site', backend.url] } });
  const session = await openSession(t, port);
  const stream = session.request({ ':method': 'POST', ':authority': 'site.test', ':path': '/' }, { endStream: false });
  stream.write('x'.repeat(1000));
  const { status, body, code } = await answerOf(stream);
  assert.deepEqual([status, body, code], [413, 'no', constants.NGHTTP2_NO_ERROR]);
});

test('a backend that takes no more of a body stops its stream alone, within the window', async (t) => {
  let stuck: Socket | null = null;
  let taken = 0;
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (bytes) => {
      if (socket === stuck) {
        taken += bytes.length;
      } else if (bytes.toString('latin1', 0, 11) === 'POST /stuck') {
        stuck = socket;
        socket.pause();
      } else {
        socket.write(OK);
      }
    });
    socket.on('end', () => socket.end());
  });
  const { port } = await leaseRouter(t, { ...HTTP2, routes: { 'site.test': ['site', backend.url] } });
  const session = await openSession(t, port);
  const path = { ':authority': 'site.test', ':path': '/stuck' };
  const upload = session.request({ ':method': 'POST', ...path }, { endStream: false });
  const answer = answerOf(upload);
  const total = 32 * 1024 * 1024;
  const piece = Buffer.alloc(65_536);
  let written = 0;
  const pump = (): void => {
    while (written < total) {
      written += piece.length;
      if (!upload.write(piece)) return void upload.once('drain', pump);
    }
    upload.end();
  };
  pump();
  await eventually(() => assert.ok(stuck));
  for (let i = 0; i < 20; i++) assert.equal((await request(session, { ':path': `/${i}` })).status, 200);
  // What the system holds for sockets is not ours to bound.
  assert.ok(written < total, 'the upload was stopped');
  const socket = stuck as unknown as Socket;
  socket.resume();
  await eventually(() => assert.ok(taken >= total - 100_000, `${taken} bytes`), 20_000);
  socket.write(OK);
  assert.equal((await answer).status, 200);
});

test('a client that does not read its answer stops the backend, and no other stream', async (t) => {
  const total = 64 * 1024 * 1024;
  let sent = 0;
  const backend = await startRawBackend(t, (socket) => {
    const pump = (): void => {
      while (sent < total) {
        sent += 65_536;
        if (!socket.write(Buffer.alloc(65_536))) return void socket.once('drain', pump);
      }
    };
    socket.on('data', (bytes) => {
      if (bytes.toString('latin1', 0, 10) !== 'GET /large') return void socket.write(OK);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
      pump();
    });
    socket.on('end', () => socket.end());
  });
  const { port } = await leaseRouter(t, { ...HTTP2, routes: { 'site.test': ['site', backend.url] } });
  const session = await openSession(t, port);
  const slow = session.request({ ':authority': 'site.test', ':path': '/large' });
  slow.on('error', () => {});
  await once(slow, 'response');
  slow.pause();
  let before = -1;
  await eventually(() => {
    const isSame = before === sent;
    before = sent;
    assert.ok(isSame && sent > 0, 'it still sends');
  });
  assert.ok(sent < total / 2, `${sent} bytes were taken`);
  for (let i = 0; i < 20; i++) assert.equal((await request(session)).status, 200);
  slow.close();
});

test('a hundred streams at a time, and one more is refused', async (t) => {
  const scene = await start('');
  const raw = await RawHttp2.open(t, scene.port);
  const settings = await raw.find(({ type, flags }) => type === FRAME.settings && flags === 0);
  const values = new Map<number, number>();
  for (let at = 0; at < settings.payload.length; at += 6) {
    values.set(settings.payload.readUInt16BE(at), settings.payload.readUInt32BE(at + 2));
  }
  assert.equal(values.get(3), 100, 'SETTINGS_MAX_CONCURRENT_STREAMS');
  assert.equal(values.get(6), 16_384, 'SETTINGS_MAX_HEADER_LIST_SIZE');
  assert.equal(values.get(8), 1, 'SETTINGS_ENABLE_CONNECT_PROTOCOL');
  for (let i = 0; i <= 100; i++) raw.headers(2 * i + 1, GET);
  assert.equal(await raw.resetOf(201), constants.NGHTTP2_REFUSED_STREAM);
  // Those that are still on their way to the backend would be counted by the next test.
  let received = '';
  await eventually(() => {
    received += scene.received();
    assert.equal(readRequests(received).length, 100);
  });
});

test('a request whose fields are larger than the limit is 431, and no other is', async (t) => {
  const scene = await start();
  const session = await openSession(t, scene.port);
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x-${i}`, '1']));
  assert.equal((await request(session, many)).status, 200);
  scene.received();
  const raw = await RawHttp2.open(t, scene.port);
  // RFC 9113 §6.5.2 counts 32 bytes more for each.
  raw.headers(1, [...GET, ...Array.from({ length: 500 }, (_, i) => [`x-${i}`, '1'] as const)]);
  await raw.find(({ type, stream }) => type === FRAME.data && stream === 1);
  await scene.router.line(/"GET \/ HTTP\/2\.0" 431 /);
  raw.headers(3, GET);
  await raw.find(({ type, stream }) => type === FRAME.headers && stream === 3);
  assert.equal(scene.requests().length, 1);
});

test('streams that are opened and reset at once cost no request, and past a rate the session', async (t) => {
  const scene = await start();
  const raw = await RawHttp2.open(t, scene.port);
  const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
  const { frames } = raw;
  raw.socket.cork();
  for (let i = 0; i < 1000; i++) {
    raw.headers(2 * i + 1, GET);
    raw.socket.write(frame(FRAME.reset, 0, 2 * i + 1, cancel));
  }
  raw.socket.uncork();
  await raw.closed;
  const goaway = frames.findLast(({ type }) => type === FRAME.goaway);
  assert.equal(goaway?.payload.readUInt32BE(4), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  assert.equal((await ask({ port: scene.port, path: '/well' })).status, 200);
  // Counted last: those that were opened may be on their way to the backend for a moment longer.
  const reached = scene.requests().length - 1;
  assert.ok(reached < 50, `${reached} requests reached the backend`);
});

for (const [name, flood] of [
  ['SETTINGS', frame(FRAME.settings, 0, 0)],
  ['PING', frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
] as const) {
  test(`a flood of ${name} from a client that does not read ends its session`, async (t) => {
    const scene = await start();
    const raw = await RawHttp2.open(t, scene.port);
    raw.socket.pause();
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => flood));
    for (let i = 0; i < 500 && !raw.socket.destroyed; i++) {
      if (!raw.socket.write(many)) await Promise.race([once(raw.socket, 'drain').catch(() => {}), raw.closed]);
    }
    raw.socket.resume();
    await raw.closed;
    await scene.isWell();
  });
}

test('CONTINUATION without end ends the session', async (t) => {
  const scene = await start();
  const raw = await RawHttp2.open(t, scene.port);
  raw.write(FRAME.headers, 1, 1, Buffer.alloc(0));
  for (let i = 0; i < 100; i++) raw.write(FRAME.continuation, 0, 1, Buffer.alloc(0));
  await raw.closed;
  await scene.isWell();
});

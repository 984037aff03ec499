/** Backends that speak HTTP/2: `h2c://host:port`, and `h2://host:port` over TLS. */
// @waits: for time limits
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { refusingUrl, says, startBackend, startRawBackend, textOf } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask, dial, send } from '../support/client.ts';
import { askUntilDead, assertNobodyDied } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { openSession, request } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { temporaryFolder } from '../support/router.ts';

function h2c(url: string): string {
  return url.replace('http:', 'h2c:');
}

async function bodyOf(stream: ServerHttp2Stream): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += (chunk as Buffer).length;
  return length;
}

test('requests go to an HTTP/2 backend and back, on one connection', async (t) => {
  const backend = await startHttp2Backend(t, (stream, headers) => {
    void bodyOf(stream).then((length) => {
      stream.respond({ ':status': 201, 'x-seen': JSON.stringify(headers), 'set-cookie': ['a=1', 'b=2'] });
      stream.end(headers[':method'] === 'HEAD' ? undefined : `got ${length}`);
    });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', `${backend.url}/ignored`] } });
  const { port } = router;

  await t.test(
    'with the Host, the path, the cookies and the forwarded fields that an HTTP/1.1 backend gets',
    async () => {
      const headers = { Cookie: ['a=b', 'c=d'], 'X-A': ['1', '2'], 'X-Debug': '1', TE: 'trailers', Connection: 'TE' };
      const {
        status,
        body,
        rawHeaders,
        headers: got,
      } = await ask({ port, host: 'Site.test:8', path: '/a?b', headers });
      assert.deepEqual([status, body, got['x-debug-backend-url']], [201, 'got 0', backend.url]);
      assert.deepEqual(got['set-cookie'], ['a=1', 'b=2']);
      assert.ok(!rawHeaders.some((name) => name.startsWith(':')));
      const seen = JSON.parse(String(got['x-seen'])) as Record<string, string>;
      assert.deepEqual(
        [seen[':method'], seen[':scheme'], seen[':authority'], seen[':path']],
        ['GET', 'http', 'Site.test:8', '/a?b'],
      );
      assert.deepEqual(
        [seen['cookie'], seen['x-a'], seen['te'], seen['host']],
        ['a=b; c=d', '1, 2', 'trailers', undefined],
      );
      assert.equal(seen['x-forwarded-host'], 'Site.test:8');
    },
  );

  await t.test('with bodies, large ones too', async () => {
    for (const length of [0, 5, 3_000_000]) {
      const { body } = await ask({ port, method: 'POST', body: Buffer.alloc(length, 'x') });
      assert.equal(body, `got ${length}`);
    }
    assert.equal((await ask({ port, method: 'HEAD' })).body, '');
    const headers = { 'Content-Length': '3' };
    assert.equal((await ask({ port, method: 'DELETE', headers, body: 'abc' })).body, 'got 3');
  });

  await t.test('many at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask({ port, method: 'POST', body: 'abc' })));
    assert.ok(answers.every(({ body }) => body === 'got 3'));
    assert.ok(backend.sessions.length <= 2, `${backend.sessions.length} connections`);
  });
});

test('a trailer that HTTP/2 has no place for is left out, on either side', async (t) => {
  const seen: unknown[] = [];
  const backend = await startHttp2Backend(t, (stream) => {
    stream.on('trailers', (trailers: object) => seen.push(Object.entries(trailers)));
    stream.resume().once('end', () => stream.respond({ ':status': 204 }, { endStream: true }));
  });
  const raw = await startRawBackend(t, (socket) => {
    const trailers = 'HTTP2-Settings: x\r\nX-Sum: 8\r\n\r\n';
    socket.on('data', () =>
      socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${trailers}`),
    );
  });
  const routes = { 'site.test': ['site', backend.url], 'raw.test': ['raw', raw.url] };
  const { port } = await leaseRouter(t, { routes, config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } } });

  const client = await dial(port);
  t.after(() => client.destroy());
  client.write('POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n');
  await once(backend.server, 'stream');
  client.write('0\r\nHTTP2-Settings: x\r\nX-Sum: 9\r\n\r\n');
  assert.match(String((await once(client, 'data'))[0]), /^HTTP\/1\.1 204 /);
  assert.deepEqual(seen, [[['x-sum', '9']]]);

  const answer = await request(await openSession(t, port), { ':authority': 'raw.test' });
  assert.deepEqual([answer.status, answer.body, Object.entries(answer.trailers)], [200, 'hi', [['x-sum', '8']]]);
});

test('trailers go through both ways, and so do 1xx', async (t) => {
  const seen: unknown[] = [];
  const backend = await startHttp2Backend(t, (stream, headers) => {
    stream.on('trailers', (trailers: object) => seen.push(Object.entries(trailers)));
    stream.resume();
    stream.once('end', () => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200, 'x-te': String(headers['te']) }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5', 'grpc-message': 'no such thing' }));
      stream.end('body');
    });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const text = await send(
    router.port,
    'POST / HTTP/1.1\r\nHost: site.test\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n' +
      'Trailer: x-sum\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 9\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /x-te: trailers\r\n/);
  assert.match(text, /\r\n4\r\nbody\r\n0\r\ngrpc-status: 5\r\ngrpc-message: no such thing\r\n\r\n$/);
  assert.deepEqual(seen, [[['x-sum', '9']]]);
});

test('an answer that ends with its head has no body, and says so', async (t) => {
  const backend = await startHttp2Backend(t, (stream, headers) => {
    stream.resume();
    stream.respond({ ':status': Number(headers['x-status']), 'grpc-status': '5' }, { endStream: true });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  for (const [method, code, length] of [
    ['POST', 200, '0'],
    ['HEAD', 200, undefined],
    ['GET', 204, undefined],
    ['GET', 304, undefined],
  ] as const) {
    const { status, headers } = await ask({ port: router.port, method, headers: { 'X-Status': String(code) } });
    assert.deepEqual([status, headers['content-length'], headers['grpc-status']], [code, length, '5']);
  }
});

test('both ways stream at once, at the pace of the slower side', async (t) => {
  const backend = await startHttp2Backend(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const out = httpRequest({ port: router.port, method: 'POST', headers: { host: 'site.test' } });
  out.write('one');
  const [answer] = (await once(out, 'response')) as [IncomingMessage];
  assert.equal(String((await once(answer, 'data'))[0]), 'one');
  out.write('two');
  assert.equal(String((await once(answer, 'data'))[0]), 'two');
  out.end('three');
  assert.equal(await textOf(answer), 'three');
});

test('a client that leaves cancels its stream, and nobody is blamed', async (t) => {
  const codes: number[] = [];
  let begun = 0;
  const backend = await startHttp2Backend(t, (stream, headers) => {
    begun++;
    stream.once('close', () => codes.push(stream.rstCode));
    if (headers[':path'] === '/half') stream.respond({ ':status': 200 });
    if (headers[':path'] === '/half') stream.write('half');
  });
  const routes = { 'site.test': ['site', backend.url, backend.url], 'dead.test': ['dead', refusingUrl(), backend.url] };
  const router = await leaseRouter(t, { routes, server: { timeouts: { firstByte: 10 } } });
  for (const path of ['/none', '/half']) {
    const client = await dial(router.port);
    client.write(`GET ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
    const before = codes.length;
    if (path === '/half') await once(client, 'data');
    else await eventually(() => assert.equal(begun, 1));
    client.destroy();
    await eventually(() => assert.equal(codes.length, before + 1));
  }
  assert.deepEqual(codes, [constants.NGHTTP2_CANCEL, constants.NGHTTP2_CANCEL]);
  await assertNobodyDied(router, 'site.test', 'dead.test');
});

test('clients that leave, however many, cost nobody else the connection', async (t) => {
  // It takes no more than 150 of them for an attack.
  const cancels = new Map<unknown, number>();
  let begun = 0;
  const held: ServerHttp2Stream[] = [];
  const backend = await startHttp2Backend(t, (stream, headers) => {
    if (headers[':authority'] !== 'site.test') return stream.respond({ ':status': 200 }, { endStream: true });
    begun++;
    const { session } = stream;
    if (headers[':path'] === '/held') held.push(stream);
    stream.once('aborted', () => {
      const count = (cancels.get(session) ?? 0) + 1;
      cancels.set(session, count);
      if (count > 150) session?.destroy(new Error('too many'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  });
  const routes = { 'site.test': ['site', backend.url, backend.url], 'dead.test': ['dead', refusingUrl(), backend.url] };
  const router = await leaseRouter(t, { routes });
  const { port } = router;
  const answer = ask({ port, path: '/held', method: 'POST', body: 'x' });
  await eventually(() => assert.equal(held.length, 1));
  for (let round = 1; round <= 10; round++) {
    const clients = await Promise.all(Array.from({ length: 20 }, () => dial(port)));
    for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
    await eventually(() => assert.equal(begun, 1 + 20 * round));
    for (const client of clients) client.destroy();
    const sum = (): number => [...cancels.values()].reduce((all, count) => all + count, 0);
    await eventually(() => assert.equal(sum(), 20 * round));
  }
  assert.equal(backend.sessions.length, 2);
  held[0]?.respond({ ':status': 200 });
  held[0]?.end('at last');
  assert.equal((await answer).body, 'at last');
  await eventually(() => assert.ok(backend.sessions[0]?.destroyed, 'it is closed when nobody needs it'));
  await assertNobodyDied(router, 'site.test', 'dead.test');
});

test('a backend that ends a connection because of clients that left is not dead', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const backend = await startHttp2Backend(t, (stream, headers) => {
    if (headers[':path'] === '/held') held.push(stream);
    else if (headers[':path'] === '/') stream.respond({ ':status': 200 }, { endStream: true });
    const code = constants.NGHTTP2_ENHANCE_YOUR_CALM;
    stream.once('aborted', () => stream.session?.destroy(new Error('too many'), code));
    if (headers[':path'] === '/left') held[0]?.emit('left');
  });
  const routes = { 'site.test': ['site', backend.url, backend.url], 'dead.test': ['dead', refusingUrl(), backend.url] };
  const router = await leaseRouter(t, { routes });
  const { port } = router;
  const answer = ask({ port, path: '/held', method: 'POST', body: 'x' });
  await eventually(() => assert.equal(held.length, 1));
  const left = once(held[0] as ServerHttp2Stream, 'left');
  const client = await dial(port);
  client.write('GET /left HTTP/1.1\r\nHost: site.test\r\n\r\n');
  await left;
  client.destroy();
  assert.equal((await answer).status, 502);
  await assertNobodyDied(router, 'site.test', 'dead.test');
});

test('more than a hundred 1xx before an answer are a 502, and nobody is blamed', async (t) => {
  const backend = await startHttp2Backend(t, (stream, headers) => {
    for (let i = 0; i < Number(headers['x-hints'] ?? 0); i++) stream.additionalHeaders({ ':status': 103 });
    stream.respond({ ':status': 200 }, { endStream: true });
  });
  const routes = { 'site.test': ['site', backend.url, backend.url], 'dead.test': ['dead', refusingUrl(), backend.url] };
  const router = await leaseRouter(t, { routes });
  const { port } = router;
  assert.equal((await ask({ port, headers: { 'X-Hints': '100' } })).status, 200);
  assert.equal((await ask({ port, headers: { 'X-Hints': '101' } })).status, 502);
  await assertNobodyDied(router, 'site.test', 'dead.test');
});

test('what goes wrong is told as with any backend', { skip: noOpenssl }, async (t) => {
  const pair = makePair(temporaryFolder(t), 'localhost');
  const good = await startHttp2Backend(
    t,
    (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('good');
    },
    { tls: { ...pair, name: 'localhost' } },
  );
  const silent = await startHttp2Backend(t, (stream) => void stream.resume());
  const reset = await startHttp2Backend(t, (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  const half = await startHttp2Backend(t, (stream, headers) => {
    stream.respond({ ':status': 200, ...(headers[':path'] === '/long' && { 'content-length': '100' }) });
    stream.write('half', () => setImmediate(() => stream.session?.destroy()));
  });
  const lost = await startHttp2Backend(t, (stream) => stream.session?.destroy());
  const odd = await startHttp2Backend(t, (stream) => stream.close(constants.NGHTTP2_PROTOCOL_ERROR));
  const plain = await startBackend(t, says('HTTP/1.1'));
  const deaf = await startRawBackend(t, (socket) => socket.resume());
  const router = await leaseRouter(t, {
    routes: {
      'good.test': ['good', good.url],
      'misnamed.test': ['misnamed', good.url.replace('localhost', '127.0.0.1')],
      'refused.test': ['refused', h2c(refusingUrl())],
      'silent.test': ['silent', silent.url],
      'reset.test': ['reset', reset.url],
      'half.test': ['half', half.url],
      'lost.test': ['lost', lost.url],
      'odd.test': ['odd', odd.url],
      'plain.test': ['plain', h2c(plain.url)],
      'deaf.test': ['deaf', h2c(deaf.url)],
      'some.test': ['some', h2c(refusingUrl()), good.url],
    },
    server: { backendTls: { ca: pair.certFile }, timeouts: { connect: 2, firstByte: 3 } },
  });
  const { port } = router;
  assert.equal((await ask({ port, host: 'good.test' })).body, 'good');

  for (const [host, status, why] of [
    ['misnamed.test', 502, /altnames/],
    ['refused.test', 502, /ECONNREFUSED/],
    ['silent.test', 504, /did not respond in time/],
    ['reset.test', 502, /INTERNAL_ERROR/],
    ['lost.test', 502, /closed|lost|CANCEL/],
    ['odd.test', 502, /PROTOCOL_ERROR/],
    ['plain.test', 502, /./],
    ['deaf.test', 502, /timed out/],
  ] as const) {
    await t.test(`${host}: ${status}`, async () => {
      assert.equal((await ask({ port, host })).status, status);
      const refused = await router.until('refused', () =>
        router.log.find(({ event, host: at, frontend }) => event === 'refused' && (at === host || frontend === host)),
      );
      assert.match(JSON.stringify(refused), why);
    });
  }

  await t.test('an answer that breaks off is broken off', async () => {
    for (const path of ['/', '/long']) await assert.rejects(ask({ port, host: 'half.test', path }));
  });

  await t.test('one that refuses is dead, and even a POST goes to the next one, whole', async () => {
    await askUntilDead(router, { host: 'some.test', method: 'POST', body: 'ok' });
    for (let i = 0; i < 5; i++) assert.equal((await ask({ port, host: 'some.test', method: 'POST' })).body, 'good');
  });
});

test('no more streams at a time than the backend takes; the others go on other connections, up to maxSockets', async (t) => {
  let most = 0;
  const busy = new Map<unknown, number>();
  const waiting: (() => void)[] = [];
  const backend = await startHttp2Backend(
    t,
    (stream, headers) => {
      const count = (busy.get(stream.session) ?? 0) + 1;
      busy.set(stream.session, count);
      most = Math.max(most, count);
      const { session } = stream;
      stream.once('close', () => busy.set(session, (busy.get(session) ?? 1) - 1));
      const answer = (): void => {
        stream.respond({ ':status': 200 });
        stream.end('ok');
      };
      if (headers[':path'] === '/hold') waiting.push(answer);
      else answer();
    },
    { settings: { maxConcurrentStreams: 2 } },
  );
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { maxSockets: 3 } });
  const { port } = router;
  await ask({ port });
  const answers = Array.from({ length: 8 }, () => ask({ port, path: '/hold' }));
  await eventually(() => assert.equal(waiting.length, 6));
  assert.deepEqual([most, backend.sessions.length], [2, 3]);
  for (const answer of waiting) answer();
  await eventually(() => assert.equal(waiting.length, 8));
  for (const answer of waiting.slice(6)) answer();
  for (const answer of answers) assert.equal((await answer).body, 'ok');
  assert.equal(most, 2);
});

test('a connection that is being closed costs no request, not even a POST', async (t) => {
  let count = 0;
  const backend = await startHttp2Backend(t, (stream) => {
    count++;
    // Refused, without having been looked at: it may come again.
    if (count === 2) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const { port } = router;
  const post = () => ask({ port, method: 'POST', body: 'x' });
  assert.equal((await post()).body, 'ok');
  assert.equal((await post()).body, 'ok');
  assert.equal(count, 3);
  for (const end of ['close', 'goaway', 'destroy'] as const) {
    const session = backend.sessions.at(-1);
    session?.[end]();
    assert.equal((await post()).body, 'ok');
    assert.equal((await post()).body, 'ok');
  }
  assert.ok(backend.sessions.length >= 3);
});

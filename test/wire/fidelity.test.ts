/** What may pass, passes as it was sent: order, case, duplicates, bytes; only the hop-by-hop fields stay behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valuesOf, type WireRequest } from '../support/wire.ts';
import { converse, OK, request, type Scene, shareScene, startScene, statusOf } from './scene.ts';

const sceneWith = shareScene();

/** Fields that the router adds after the client's own, and Connection for its own connection. */
const ADDED = /^(?:x-forwarded-|x-real-ip$|x-request-id$|connection$)/i;

function clientFields({ fields }: WireRequest): (readonly [string, string])[] {
  return fields.filter(([name]) => !ADDED.test(name));
}

async function forwarded(scene: Scene, bytes: string): Promise<WireRequest> {
  assert.equal(statusOf(await converse(scene, bytes)), 200);
  const [only, ...others] = scene.requests();
  assert.ok(only);
  assert.deepEqual(others, []);
  return only;
}

test('requests', async (t) => {
  const scene = await sceneWith();

  await t.test('fields keep their order, case and duplicates', async () => {
    const fields = ['X-b: 1', 'x-A: 2', 'X-B: 3', 'Cookie: a=1', 'cookie: b=2', 'ACCEPT: */*', 'X-b: 4', 'Empty:'];
    const { fields: received } = await forwarded(scene, request('GET / HTTP/1.1', ...fields));
    const sent = fields.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
    assert.deepEqual(
      received.filter(([name]) => !ADDED.test(name)),
      [['Host', 'site.test'], ...sent],
    );
  });

  await t.test('RFC 9110 §5.5: latin1 bytes in values arrive as they are', async () => {
    const received = await forwarded(scene, request('GET / HTTP/1.1', 'X-A: caf\xe9 \xff\x80 "q" \\'));
    assert.deepEqual(valuesOf(received, 'x-a'), ['caf\xe9 \xff\x80 "q" \\']);
  });

  for (const path of [
    '/',
    '//a//b',
    '/a/../b/./c',
    '/%41%2f%2F%zz',
    '/a;b=c/d?e=f&&g=%20+h?i',
    '/?',
    '/a?http://other.test//x',
    '/\\a"<>{}|^`',
    '/:80@other.test/',
  ]) {
    await t.test(`the path ${path} is not normalised`, async () => {
      assert.equal((await forwarded(scene, request(`GET ${path} HTTP/1.1`))).target, path);
    });
  }

  await t.test('RFC 9112 §3.2.2: a target in absolute form is routed by, and replaces Host', async () => {
    const received = await forwarded(
      scene,
      'GET http://Site.Test:81/a//b?c HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n',
    );
    assert.equal(received.target, '/a//b?c');
    assert.deepEqual(valuesOf(received, 'host'), ['Site.Test:81']);
  });

  await t.test('RFC 9112 §3.2: so it is by HTTP/1.0 without Host, and the backend gets one', async () => {
    const received = await forwarded(scene, 'GET http://Site.Test:81/a HTTP/1.0\r\nX-A: 1\r\n\r\n');
    assert.deepEqual([received.target, received.version], ['/a', '1.1']);
    assert.deepEqual(clientFields(received), [
      ['Host', 'Site.Test:81'],
      ['X-A', '1'],
    ]);
  });

  await t.test('RFC 9112 §3.2.4: OPTIONS * is forwarded', async () => {
    assert.equal((await forwarded(scene, request('OPTIONS * HTTP/1.1'))).target, '*');
    const absolute = await forwarded(scene, request('OPTIONS http://site.test HTTP/1.1'));
    assert.equal(absolute.target, '*');
  });

  await t.test('RFC 9110 §7.6.1: hop-by-hop fields and those that Connection names stay behind', async () => {
    const received = await forwarded(
      scene,
      [
        'GET / HTTP/1.1',
        'Host: site.test',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Proxy-Connection: keep-alive',
        'X-Hop: secret',
        'X-Stays: 1',
        'Connection: close, X-Hop',
        '',
        '',
      ].join('\r\n'),
    );
    assert.deepEqual(clientFields(received), [
      ['Host', 'site.test'],
      ['X-Stays', '1'],
    ]);
  });

  await t.test(
    'RFC 3875 §4.1.18: names that CGI programs take for those of the router stay behind, and Proxy',
    async () => {
      const names = [
        'X_Forwarded-For',
        'X_Request-Id',
        'x.forwarded.host',
        'Content_Length',
        'Transfer_Encoding',
        'Proxy',
      ];
      const received = await forwarded(
        scene,
        request('GET / HTTP/1.1', ...names.map((name) => `${name}: 66`), 'X_Mine: 1'),
      );
      assert.deepEqual(clientFields(received), [
        ['Host', 'site.test'],
        ['X_Mine', '1'],
      ]);
      assert.ok(!received.fields.some(([name]) => names.includes(name)));
    },
  );

  await t.test('Connection cannot take away Host, framing or what proxies say of the client', async () => {
    const received = await forwarded(
      scene,
      [
        'POST / HTTP/1.1',
        'Host: site.test',
        'Content-Length: 5',
        'X-Forwarded-For: 192.0.2.1',
        'Connection: close, Host, Content-Length, X-Forwarded-For, X-Real-IP, X-Request-Id',
        '',
        'hello',
      ].join('\r\n'),
    );
    assert.equal(received.body, 'hello');
    assert.deepEqual(valuesOf(received, 'x-forwarded-for'), ['192.0.2.1, 127.0.0.1']);
    assert.equal(valuesOf(received, 'x-request-id').length, 1);
  });

  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND']) {
    await t.test(`${method} with a length: framed once, forwarded whole`, async () => {
      assert.equal(
        (await forwarded(scene, `${request(`${method} / HTTP/1.1`, 'Content-Length: 5')}hello`)).body,
        'hello',
      );
    });
    await t.test(`${method} in chunks: framed once, forwarded whole`, async () => {
      const chunks = '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';
      const received = await forwarded(scene, request(`${method} / HTTP/1.1`, 'Transfer-Encoding: chunked') + chunks);
      assert.equal(received.body, 'hello');
      assert.deepEqual(valuesOf(received, 'content-length'), []);
    });
  }

  await t.test('RFC 9110 §5.6.1: an empty Expect expects nothing, and is not forwarded', async () => {
    const received = await forwarded(scene, `${request('POST / HTTP/1.1', 'Expect:', 'Content-Length: 5')}hello`);
    assert.deepEqual([received.body, valuesOf(received, 'expect')], ['hello', []]);
  });

  await t.test('an expectation that comes twice is forwarded once', async () => {
    const fields = ['Expect: 100-Continue', 'Expect:', 'Expect: , 100-continue', 'Content-Length: 5'];
    const received = await forwarded(scene, `${request('POST / HTTP/1.1', ...fields)}hello`);
    assert.deepEqual(valuesOf(received, 'expect'), ['100-continue']);
  });

  await t.test('a length with leading zeros is sent on as the number it is', async () => {
    for (const zeros of ['000', '0'.repeat(15), '0'.repeat(300)]) {
      const received = await forwarded(scene, `${request('POST / HTTP/1.1', `Content-Length: ${zeros}5`)}hello`);
      assert.deepEqual([received.body, valuesOf(received, 'content-length')], ['hello', ['5']]);
    }
  });

  await t.test('a POST without a body is framed as empty', async () => {
    assert.deepEqual(valuesOf(await forwarded(scene, request('POST / HTTP/1.1')), 'content-length'), ['0']);
  });

  await t.test('RFC 9112 §7.1.1: chunk extensions are not forwarded', async () => {
    const bytes = request('POST / HTTP/1.1', 'Transfer-Encoding: chunked');
    const received = await forwarded(scene, `${bytes}5;name=value;other="quoted"\r\nhello\r\n0;last\r\n\r\n`);
    assert.equal(received.body, 'hello');
  });

  await t.test('RFC 9112 §7.1: zeros before a chunk size are not forwarded', async () => {
    const bytes = request('POST / HTTP/1.1', 'Transfer-Encoding: chunked');
    for (const zeros of ['0'.repeat(13), '0'.repeat(14), '0'.repeat(300)]) {
      const received = await forwarded(scene, `${bytes}${zeros}5;a\r\nhello\r\n${zeros}\r\n\r\n`);
      assert.equal(received.body, 'hello');
    }
  });

  await t.test('RFC 9112 §7.1.2: trailers are forwarded, but those that would frame or route', async () => {
    const bytes = request('POST / HTTP/1.1', 'Transfer-Encoding: chunked', 'Trailer: X-Sum, Host');
    const trailers = 'X-Sum: abc\r\nHost: other.test\r\nX-Forwarded-For: 192.0.2.9\r\nx-sum: def\r\n';
    const received = await forwarded(scene, `${bytes}5\r\nhello\r\n0\r\n${trailers}\r\n`);
    assert.deepEqual(received.trailers, [
      ['X-Sum', 'abc'],
      ['x-sum', 'def'],
    ]);
  });

  await t.test('a Trailer field on a request without chunks does no harm', async () => {
    assert.deepEqual(valuesOf(await forwarded(scene, request('GET / HTTP/1.1', 'Trailer: X-Sum')), 'trailer'), []);
  });

  await t.test('RFC 9110 §7.8: an upgrade to anything but WebSocket is ignored', async () => {
    const bytes = 'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n';
    const received = await forwarded(
      scene,
      `POST /up HTTP/1.1\r\nHost: site.test\r\nContent-Length: 5\r\n${bytes}hello`,
    );
    assert.equal(received.body, 'hello');
    assert.deepEqual(
      clientFields(received).map(([name]) => name),
      ['Host', 'Content-Length'],
    );
  });

  await t.test('empty lines before a request are borne (RFC 9112 §2.2)', async () => {
    await forwarded(scene, `\r\n\r\n${request('GET / HTTP/1.1')}`);
  });

  await t.test('pipelined requests are answered in order', async () => {
    const [one, two] = ['/1', '/2'].map((path) => `GET ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
    const answer = await converse(scene, `${one}${two}${request('GET /3 HTTP/1.1')}`);
    assert.equal(answer.split('HTTP/1.1 200 OK').length - 1, 3);
    assert.deepEqual(
      scene
        .requests()
        .map(({ target }) => target)
        .toSorted(),
      ['/1', '/2', '/3'],
    );
  });

  await t.test('HTTP/1.0 is answered without chunks, and closed unless keep-alive was asked for', async () => {
    const closing = await converse(scene, 'GET / HTTP/1.0\r\nHost: site.test\r\n\r\n');
    assert.match(closing, /\r\nConnection: close\r\n/i);
    const { version } = scene.requests()[0] ?? {};
    assert.equal(version, '1.1');
    const kept = 'GET / HTTP/1.0\r\nHost: site.test\r\nConnection: keep-alive\r\n\r\n';
    const both = await converse(scene, `${kept}GET / HTTP/1.0\r\nHost: site.test\r\n\r\n`);
    assert.match(both, /\r\nConnection: keep-alive\r\n/i);
    assert.equal(both.split('HTTP/1.1 200').length - 1, 2);
    scene.received();
  });

  await scene.isWell();
});

/** What the client gets when the backend says this. */
async function relayed(answer: string, bytes = request('GET / HTTP/1.1')): Promise<string> {
  return await converse(await sceneWith(answer), bytes);
}

test('answers', async (t) => {
  await t.test('fields keep their order, case and duplicates, Set-Cookie too', async () => {
    const fields =
      'X-b: 1\r\nSet-Cookie: a=1; Path=/\r\nx-A: caf\xe9\r\nset-cookie: b=2\r\nX-B: 3\r\nServer: theirs\r\nDate: now\r\n';
    const answer = await relayed(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`);
    assert.equal(answer, `HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\nConnection: close\r\n\r\nok`);
  });

  await t.test('RFC 9112 §4: the reason phrase is passed on, strange, latin1 or empty', async () => {
    for (const reason of ['Fine By Me', 'caf\xe9', '']) {
      const answer = await relayed(`HTTP/1.1 299 ${reason}\r\nContent-Length: 0\r\n\r\n`);
      assert.equal(answer.split('\r\n', 1)[0], `HTTP/1.1 299 ${reason}`);
    }
  });

  await t.test('hop-by-hop fields and those that Connection names stay behind', async () => {
    const fields =
      'X-Hop: a\r\nKeep-Alive: timeout=1\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nConnection: X-Hop, close\r\nX-Stays: b\r\n';
    const answer = await relayed(`HTTP/1.1 200 OK\r\n${fields}Date: now\r\nContent-Length: 2\r\n\r\nok`);
    assert.equal(
      answer,
      'HTTP/1.1 200 OK\r\nX-Stays: b\r\nDate: now\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    );
  });

  await t.test('RFC 9110 §9.3.2: HEAD, 204 and 304 have no body, and keep their framing fields', async () => {
    const head = 'HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 1234\r\n\r\n';
    assert.equal(
      await relayed(head, request('HEAD / HTTP/1.1')),
      head.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
    for (const status of ['204 No Content', '304 Not Modified']) {
      const answer = await relayed(`HTTP/1.1 ${status}\r\nDate: now\r\nETag: "x"\r\n\r\n`);
      assert.equal(answer, `HTTP/1.1 ${status}\r\nDate: now\r\nETag: "x"\r\nConnection: close\r\n\r\n`);
    }
    const notModified = await relayed('HTTP/1.1 304 Not Modified\r\nDate: now\r\nContent-Length: 99\r\n\r\n');
    assert.match(notModified, /\r\nContent-Length: 99\r\n/);
  });

  await t.test('an answer that ends with its connection reaches HTTP/1.1 in chunks, HTTP/1.0 as it is', async () => {
    const { startRawBackend } = await import('../support/backends.ts');
    const backend = await startRawBackend(t, (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nDate: now\r\n\r\nhello'));
    });
    const scene = await startScene(t, { routes: { 'site.test': ['site', backend.url] } });
    assert.equal(
      await converse(scene, request('GET / HTTP/1.1')),
      'HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    );
    assert.equal(
      await converse(scene, 'GET / HTTP/1.0\r\nHost: site.test\r\n\r\n'),
      'HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nhello',
    );
  });

  await t.test('trailers are passed on, to HTTP/1.1', async () => {
    const chunks =
      'HTTP/1.1 200 OK\r\nDate: now\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5;e=1\r\nhello\r\n0\r\nX-Sum: abc\r\n\r\n';
    const answer = await relayed(chunks);
    assert.match(answer, /\r\nTrailer: X-Sum\r\n/);
    assert.ok(answer.endsWith('\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: abc\r\n\r\n'), answer);
    const old = await relayed(chunks, 'GET / HTTP/1.0\r\nHost: site.test\r\n\r\n');
    assert.equal(old, 'HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nhello');
  });

  await t.test('RFC 8297: 103 reaches HTTP/1.1 with all its fields, never HTTP/1.0', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n';
    const final = 'HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nok';
    const closing = final.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
    assert.equal(await relayed(hints + hints + final), hints + hints + closing);
    assert.equal(await relayed(hints + final, 'GET / HTTP/1.0\r\nHost: site.test\r\n\r\n'), closing);
  });

  await t.test('a 100 that the client did not ask for is not passed on', async () => {
    const answer = await relayed(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    assert.equal(statusOf(answer), 200);
  });
});

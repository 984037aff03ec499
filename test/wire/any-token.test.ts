/**
 * Methods are tokens (RFC 9110 §9.1), targets bytes, and chunk extensions anything: what Node's parser does not take is
 * forwarded by the fast lane, and by the full lane where the fast lane has read the request.
 */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { refusingUrl, startRawBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { dial, send } from '../support/client.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { answerOf, openSession } from '../support/http2.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { temporaryFolder } from '../support/router.ts';
import { converse, OK, request, type Scene, startScene, statusOf } from './scene.ts';

const FAST = { fastLane: true };
const METHODS = ['LIST', 'BAN', 'PUSH', 'VERSION-CONTROL', 'get', 'X!Y', 'POSTX', 'PURGE', 'PROPFIND', 'TRACE'];
const RAW = '/caf\xc3\xa9/\xff?q=\x80';

async function asked(scene: Scene, bytes: string): Promise<readonly [status: number, method: string, target: string]> {
  const status = statusOf(await converse(scene, bytes));
  const [seen] = scene.requests();
  return [status, seen?.method ?? '', seen?.target ?? ''];
}

test('any method is forwarded, with a body and without, framed once', async (t) => {
  const scene = await startScene(t, { server: FAST });
  for (const method of METHODS) {
    await t.test(method, async () => {
      assert.deepEqual(await asked(scene, request(`${method} /a HTTP/1.1`)), [200, method, '/a']);
      const withBody = `${request(`${method} /b HTTP/1.1`, 'Content-Length: 5')}hello`;
      assert.equal(statusOf(await converse(scene, withBody)), 200);
      const [seen] = scene.requests();
      assert.deepEqual([seen?.method, seen?.body], [method, 'hello']);
      const start = `"${method} /b HTTP/1.1" 200 `;
      await scene.router.until(`line with ${start}`, () => scene.router.lines.some((line) => line.includes(start)));
    });
  }
  await scene.isWell();
});

test('any byte past ASCII is forwarded in a target, as it came', async (t) => {
  const scene = await startScene(t, { server: FAST });
  assert.deepEqual(await asked(scene, request(`GET ${RAW} HTTP/1.1`)), [200, 'GET', RAW]);
});

test('a chunk extension may be empty or have white space: it is not forwarded in any case', async (t) => {
  const scene = await startScene(t, { server: FAST });
  for (const extra of ['', 'X-Debug: 1']) {
    const bytes = request('POST / HTTP/1.1', 'Transfer-Encoding: chunked', ...(extra === '' ? [] : [extra]));
    for (const extension of [';', '; a=b', ';a = b', ';;']) {
      assert.equal(statusOf(await converse(scene, `${bytes}5${extension}\r\nhello\r\n0${extension}\r\n\r\n`)), 200);
      assert.equal(scene.requests()[0]?.body, 'hello');
    }
  }
});

/** Why the full lane goes on with a request, and what it then needs. */
const LENT: Readonly<Record<string, (method: string, target: string) => string>> = {
  'by HTTP/1.0': (method, target) => `${method} ${target} HTTP/1.0\r\nHost: site.test\r\n\r\n`,
  'with X-Debug': (method, target) => request(`${method} ${target} HTTP/1.1`, 'X-Debug: 1'),
  'in absolute form': (method, target) => request(`${method} http://site.test${target} HTTP/1.1`),
  'with options that touch the answer': (method, target) =>
    request(`${method} ${target} HTTP/1.1`).replace('site.test', 'mapped.test'),
  'after a backend that refused': (method, target) =>
    request(`${method} ${target} HTTP/1.1`).replace('site.test', 'two.test'),
};

async function startLending(t: TestContext): Promise<Scene> {
  const text: string[] = [];
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (chunk) => {
      text.push(chunk.toString('latin1'));
      socket.write(OK);
    });
  });
  const scene = await startScene(t, {
    server: FAST,
    routes: {
      'site.test': ['site', backend.url],
      'mapped.test': ['mapped', backend.url],
      'options:mapped.test': { mapBack: '1' },
      'two.test': ['two', refusingUrl(), refusingUrl(), backend.url],
    },
  });
  return { ...scene, requests: () => readAll(text.splice(0).join('')) };
}

function readAll(text: string): ReturnType<Scene['requests']> {
  const [method = '', target = '', version = ''] = text.slice(0, text.indexOf('\r\n')).split(' ');
  return [{ method, target, version: version.slice(5), fields: [], body: '', trailers: [] }];
}

test('the full lane forwards what it was lent under the method and the target that the client sent', async (t) => {
  const scene = await startLending(t);
  for (const [why, bytes] of Object.entries(LENT)) {
    for (const [method, target] of [
      ['LIST', '/a'],
      ['GET', RAW],
      ['VERSION-CONTROL', RAW],
    ] as const) {
      await t.test(`${method} ${target === RAW ? 'of bytes' : ''} ${why}`, async () => {
        assert.deepEqual(await asked(scene, bytes(method, target)), [200, method, target]);
      });
    }
  }
  await t.test('HEAD of bytes has no body', async () => {
    const answer = await converse(scene, request(`HEAD ${RAW} HTTP/1.1`, 'X-Debug: 1'));
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
    scene.requests();
  });
  await t.test('an expectation is passed on with it', async () => {
    const bytes = `${request('PUSH /e HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 5')}hello`;
    assert.equal((await asked(scene, bytes))[1], 'PUSH');
  });
  await t.test('the connection is good for a next request', async () => {
    const first = 'LIST /1 HTTP/1.1\r\nHost: site.test\r\nX-Debug: 1\r\n\r\n';
    const answer = await converse(scene, first + request('GET /2 HTTP/1.1'));
    assert.equal(answer.split('HTTP/1.1 200 OK').length - 1, 2);
  });
  await t.test('its line has the method', async () => {
    assert.ok(await scene.router.line(/"LIST \/1 HTTP\/1\.1" 200 /));
  });
  await t.test('no site: the page says so', async () => {
    const answer = await send(scene.port, request('LIST / HTTP/1.1').replace('site.test', 'none.test'));
    assert.match(answer, /^HTTP\/1\.1 400 [^]*\r\nX-Router-Error: no-frontend\r\n/);
  });
});

test('so it does with a body that comes slowly', async (t) => {
  let text = '';
  const heard = new EventEmitter();
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      heard.emit('bytes');
      if (text.endsWith('hello')) socket.end(OK);
    });
  });
  const router = await leaseRouter(t, { server: FAST, routes: { 'site.test': ['site', backend.url] } });
  const client = await dial(router.port);
  // The full lane sends the head when it has waited for a first part of the body, as the fast lane had.
  const head = once(heard, 'bytes', { signal: AbortSignal.timeout(10_000) });
  client.write(request('PUSH /slow HTTP/1.1', 'Content-Length: 5'));
  await head;
  assert.match(text, /^PUSH \/slow HTTP\/1\.1\r\n/);
  client.write('hello');
  assert.match(String((await once(client, 'data'))[0]), /^HTTP\/1\.1 200 OK\r\n/);
  client.destroy();
});

test('a method in small letters that the full lane would have to send by HTTP/1.1 is answered 501', async (t) => {
  const scene = await startLending(t);
  const answer = await converse(scene, request('list / HTTP/1.1', 'X-Debug: 1'));
  assert.match(answer, /^HTTP\/1\.1 501 Not Implemented\r\n[^]*\r\nX-Router-Error: method-unknown\r\n/);
  assert.ok(await scene.router.line(/"list \/ HTTP\/1\.1" 501 /));
});

test('the same goes to HTTP/2 backends and HTTP/2 clients', async (t) => {
  const seen: unknown[] = [];
  const backend = await startHttp2Backend(t, (stream, headers) => {
    seen.push([headers[':method'], headers[':path']]);
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  const scene = await startScene(t, {
    server: FAST,
    routes: { 'h2.test': ['h2', backend.url] },
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
  });
  for (const [method, path] of [
    ['LIST', '/a'],
    ['list', '/a'],
    ['GET', RAW],
  ] as const) {
    await t.test(`${method} ${path === RAW ? 'of bytes ' : ''}to an HTTP/2 backend`, async () => {
      const answer = await converse(scene, request(`${method} ${path} HTTP/1.1`).replace('site.test', 'h2.test'));
      assert.equal(statusOf(answer), 200);
      assert.deepEqual(seen.pop(), [method, path]);
    });
    await t.test(`${method} ${path === RAW ? 'of bytes ' : ''}by HTTP/2`, async () => {
      const session = await openSession(t, scene.port);
      const fields = { ':authority': 'site.test', ':method': method, ':path': path };
      const { status } = await answerOf(session.request(fields, { endStream: true }));
      assert.equal(status, 200);
      const [one] = scene.requests();
      assert.deepEqual([one?.method, one?.target], [method, path]);
    });
  }
});

test('the full lane by itself answers 501 to a method that Node does not support, in its turn', async (t) => {
  const scene = await startScene(t, { server: { fastLane: false } });
  for (const method of ['LIST', 'VERSION-CONTROL', 'get', 'POSTX']) {
    const first = 'GET /first HTTP/1.1\r\nHost: site.test\r\n\r\n';
    const answer = await converse(scene, first + request(`${method} /${'a'.repeat(2000)} HTTP/1.1`));
    const [one = '', two = ''] = answer.split(/(?<=\r\n\r\nok)/);
    assert.deepEqual([statusOf(one), statusOf(two)], [200, 501], method);
    assert.match(two, /\r\nX-Router-Error: method-unknown\r\n/);
    assert.deepEqual(
      scene.requests().map(({ target }) => target),
      ['/first'],
    );
    assert.ok(await scene.router.line(new RegExp(`"${method} /a+" 501 `)));
  }
  for (const garbage of [
    'NONSENSE\r\n\r\n',
    'LIST / HTTP/2.0\r\n\r\n',
    'G\xc9T / HTTP/1.1\r\n\r\n',
    '\x16\x03\x01\x00',
  ]) {
    assert.equal(statusOf(await converse(scene, garbage)), 400);
  }
  await scene.isWell();
});

test('a redirect escapes bytes past ASCII, and a file is found by them', async (t) => {
  const folder = realpathSync(temporaryFolder(t));
  mkdirSync(join(folder, 'é'));
  writeFileSync(join(folder, 'é', 'à.txt'), 'accent');
  const scene = await startScene(t, {
    server: { ...FAST, staticRoots: [folder] },
    routes: {
      'files.test': ['files', `file://${folder}`],
      'away.test': ['away', 'redirect://site.test/'],
      'www.test': ['www', refusingUrl()],
      'options:www.test': { canonical: 'site.test' },
    },
  });
  const of = (host: string, path: string): Promise<string> =>
    converse(scene, request(`GET ${path} HTTP/1.1`).replace('site.test', host));
  assert.match(await of('files.test', '/\xc3\xa9/\xc3\xa0.txt'), /^HTTP\/1\.1 200 OK\r\n[^]*accent$/);
  assert.match(await of('files.test', '/\xe9/\xe0.txt'), /^HTTP\/1\.1 404 /);
  assert.match(await of('files.test', '/\xc3\xa9?\xff'), /\r\nLocation: http:\/\/files\.test\/%C3%A9\/\?%FF\r\n/);
  for (const host of ['away.test', 'www.test']) {
    assert.match(await of(host, '/\xc3\xa9?\xff'), /\r\nLocation: http:\/\/site\.test\/%C3%A9\?%FF\r\n/);
  }
});

test('an https backend is sent them, too', { skip: noOpenssl }, async (t) => {
  const { createServer } = await import('node:tls');
  const pair = makePair(temporaryFolder(t), 'localhost');
  let text = '';
  const server = createServer({ key: pair.key, cert: pair.cert }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      socket.end(OK);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', `https://127.0.0.1:${port}`] },
    server: { ...FAST, backendTls: { verify: false } },
  });
  assert.equal(statusOf(await send(router.port, request(`LIST ${RAW} HTTP/1.1`))), 200);
  assert.equal(statusOf(await send(router.port, request(`LIST ${RAW} HTTP/1.1`, 'X-Debug: 1'))), 200);
  assert.equal(text.split(`LIST ${RAW} HTTP/1.1\r\n`).length - 1, 2);
});

/** Answers that two readers could read in two ways are a 502; a backend cannot take the worker down with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { startRouter } from '../support/router.ts';
import { request, startScene, statusOf } from './scene.ts';

const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const ok = (fields: string, body = 'hello'): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`;

const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';

const BAD: Readonly<Record<string, string>> = {
  'Content-Length and Transfer-Encoding (RFC 9112 §6.3)': ok('Content-Length: 5\r\nTransfer-Encoding: chunked', CHUNKS),
  'two lengths': ok('Content-Length: 5\r\nContent-Length: 6'),
  'a list of lengths': ok('Content-Length: 5, 6'),
  'Transfer-Encoding: gzip': ok('Transfer-Encoding: gzip'),
  'Transfer-Encoding: gzip, chunked': ok('Transfer-Encoding: gzip, chunked', CHUNKS),
  'Transfer-Encoding: chunked, gzip': ok('Transfer-Encoding: chunked, gzip', CHUNKS),
  'Content-Length and Transfer-Encoding in HTTP/1.0': `HTTP/1.0 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  'chunked twice': ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', CHUNKS),
  'lengths of the same value, written otherwise': ok('Content-Length: 5\r\nContent-Length: 05'),
  'a signed length': ok('Content-Length: +5'),
  'an empty length': ok('Content-Length: '),
  'obs-fold (RFC 9112 §5.2)': ok('X-A: a\r\n b\r\nContent-Length: 5'),
  'bare CR': 'HTTP/1.1 200 OK\rContent-Length: 5\r\rhello',
  'bare CR in a value': ok('X-A: a\rb\r\nContent-Length: 5'),
  'white space before a colon': ok('X-A : a\r\nContent-Length: 5'),
  'white space before the colon of a length': ok('Content-Length : 5'),
  'a line without a colon': ok('X-A\r\nContent-Length: 5'),
  'an empty line before it': `\r\n${ok('Content-Length: 5')}`,
  'no space behind the status': 'HTTP/1.1 200OK\r\nContent-Length: 5\r\n\r\nhello',
  'two spaces before the status': 'HTTP/1.1  200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP in lower case': 'http/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'a control byte in a value': ok('X-A: a\x01\r\nContent-Length: 5'),
  'NUL in a value': ok('X-A: a\0\r\nContent-Length: 5'),
  'a field name that is no token': ok('X(A): a\r\nContent-Length: 5'),
  'a control byte in the reason phrase': 'HTTP/1.1 200 O\x01K\r\nContent-Length: 5\r\n\r\nhello',
  'status 099': 'HTTP/1.1 099 No\r\nContent-Length: 5\r\n\r\nhello',
  'status 000': 'HTTP/1.1 000 No\r\nContent-Length: 5\r\n\r\nhello',
  'status 1000': 'HTTP/1.1 1000 No\r\nContent-Length: 5\r\n\r\nhello',
  'a 101 without an Upgrade request':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'a bare 101 that nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'HTTP/2.0': 'HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'no HTTP at all': '-ERR unknown command GET\r\n',
  'more than a hundred 1xx before it': HINT.repeat(101) + ok('Content-Length: 5'),
  'a header section without end': `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(200_000)}`,
};

test('an answer with', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (head) => {
      const name = decodeURIComponent(/^GET \/([^ ]*) /.exec(head.toString('latin1'))?.[1] ?? '');
      socket.write(BAD[name] ?? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'latin1');
    });
    socket.on('end', () => socket.end());
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const { pid } = await router.event('ready');

  for (const name of Object.keys(BAD)) {
    await t.test(`${name} is a 502 with the error page`, async () => {
      const path = `/${encodeURIComponent(name).replace(/'/g, '%27')}`;
      const answer = await ask({ port: router.port, path });
      assert.equal(answer.status, 502);
      assert.match(answer.headers['content-type'] ?? '', /^text\/html/);
      assert.equal((await ask({ port: router.port })).status, 200, 'a good request is answered');
    });
  }
  assert.equal(
    router.log.find(({ event }) => event === 'worker-mistake' || event === 'worker-died'),
    undefined,
  );
  assert.ok(pid);
});

const chunked = (body: string): string => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;

const GARBLED: Readonly<Record<string, string>> = {
  garbled: chunked('5\r\nhello\r\nzz\r\n'),
  'a-bare-LF-behind-an-extension': chunked('5;a\nhello\r\n0\r\n\r\n'),
  'a-bare-CR-behind-a-size': chunked('5\rhello\r\n0\r\n\r\n'),
  'no-line-end-behind-a-chunk': chunked('5\r\nhello0\r\n\r\n'),
  'white-space-before-a-size': chunked(' 5\r\nhello\r\n0\r\n\r\n'),
  'a-size-in-0x-form': chunked('0x5\r\nhello\r\n0\r\n\r\n'),
};

test('an answer that is cut off never looks complete', async (t) => {
  const cut: Readonly<Record<string, string>> = {
    length: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello',
    chunks: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    within: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello',
    unended: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n',
    ...GARBLED,
  };
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', (head) => {
      const name = /^GET \/([^ ]*) /.exec(head.toString('latin1'))?.[1] ?? '';
      socket.end(cut[name] ?? '');
    });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  for (const name of Object.keys(cut)) {
    await t.test(name, async () => {
      const answer = await send(router.port, request(`GET /${name} HTTP/1.1`));
      // What is seen to be broken before anything was sent is a 502.
      if (name in GARBLED && statusOf(answer) === 502) return;
      assert.equal(statusOf(answer), 200);
      assert.ok(!answer.endsWith('0\r\n\r\n'), 'no last chunk is made up');
      await assert.rejects(ask({ port: router.port, path: `/${name}` }), { code: 'ECONNRESET' });
    });
  }
});

test('bytes behind an answer are never taken for the answer to the next request', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', () => {
      const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
      socket.write(`${answer}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`);
    });
    socket.on('end', () => socket.end());
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  for (let i = 0; i < 20; i++) assert.equal((await ask({ port: router.port })).body, 'ok');
});

test('a hundred 1xx before an answer are passed on', async (t) => {
  const { port } = await startScene(t, {}, HINT.repeat(100) + ok('Content-Length: 5'));
  const text = await send(port, request('GET / HTTP/1.1'));
  assert.equal(text.split(HINT.slice(0, 24)).length - 1, 100);
  assert.match(text, /HTTP\/1\.1 200 OK\r\n[^]*hello$/);
});

test('1xx without end, to a client that does not read, end the request', async (t) => {
  const hints = `HTTP/1.1 103 Early Hints\r\nLink: <${'a'.repeat(8_000)}>\r\n\r\n`.repeat(10);
  const backend = await startRawBackend(t, (socket) => {
    const flood = (): void => {
      while (socket.writable && socket.write(hints));
    };
    socket.on('error', () => {}).on('drain', flood);
    socket.once('data', flood);
    socket.resume();
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const client = await dial(router.port);
  t.after(() => client.destroy());
  client.pause();
  client.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
  const { why } = await router.event('refused');
  assert.match(String(why), /1xx/);
});

/** A response that its backend breaks off behind its head is told of in the log; one that the client left is not. */
// @waits: for time limits
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { deferred } from '../support/deferred.ts';
import { startFrameBackend } from '../support/http2-backends.ts';
import { END_HEADERS, fieldBlock, FRAME, frame, openSession, request } from '../support/http2.ts';
import { startRouter } from '../support/router.ts';

const H2C = { http: { port: 0, bind: ['127.0.0.1'], http2: true } };
const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello';
const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';
const CLOSING = 'HTTP/1.1 200 OK\r\n\r\nhello';
const CLOSED = /the backend closed the connection/;

/** What the backend does behind the head, and the reason that is told. */
const CUTS: Readonly<Record<string, readonly [head: string, then: (socket: Socket) => unknown, why: RegExp]>> = {
  'closes-before-its-length': [LENGTH, (socket) => socket.end(), CLOSED],
  'closes-between-chunks': [CHUNKS, (socket) => socket.end(), CLOSED],
  'closes-before-its-last-line-end': [`${CHUNKS}0\r\n`, (socket) => socket.end(), CLOSED],
  'resets-before-its-length': [LENGTH, (socket) => socket.resetAndDestroy(), /ECONNRESET/],
  'resets-between-chunks': [CHUNKS, (socket) => socket.resetAndDestroy(), /ECONNRESET/],
  'resets-in-what-ends-with-its-connection': [CLOSING, (socket) => socket.resetAndDestroy(), /ECONNRESET/],
  'sends-a-broken-chunk': [CHUNKS, (socket) => socket.write('zz\r\n'), /broken chunk/],
  'says-nothing-more': [LENGTH, () => {}, /nothing more of the response came in time/],
};

test('a response whose backend', async (t) => {
  const waiting = new Map<string, Socket>();
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (bytes) => {
      const name = /^GET \/([^ ]*) /.exec(bytes.toString('latin1'))?.[1] ?? '';
      waiting.set(name, socket);
      socket.write(CUTS[name]?.[0] ?? LENGTH);
    });
    socket.on('end', () => socket.end());
  });
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { timeouts: { response: 3 } },
    config: H2C,
  });
  const session = await openSession(t, router.port);
  for (const [name, [, then, why]] of Object.entries(CUTS)) {
    for (const version of ['HTTP/1.1', 'HTTP/2']) {
      await t.test(`${name} is cut off from its client by ${version}, and that is logged`, async () => {
        const from = router.log.length;
        if (version === 'HTTP/1.1') {
          const client = await dial(router.port);
          t.after(() => client.destroy());
          let text = '';
          client.on('data', (bytes) => {
            if (text.includes('hello')) return;
            text += bytes.toString('latin1');
            if (text.includes('hello')) then(waiting.get(name) as Socket);
          });
          const closed = new Promise((resolve) => client.once('close', resolve));
          client.on('error', () => {});
          client.write(`GET /${name} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
          await closed;
          assert.match(text, /^HTTP\/1\.1 200 /);
        } else {
          const stream = session.request({ ':authority': 'site.test', ':path': `/${name}` });
          stream.once('data', () => then(waiting.get(name) as Socket));
          stream.on('error', () => {});
          await new Promise((resolve) => stream.once('close', resolve));
          assert.notEqual(stream.rstCode, 0);
        }
        const line = await router.event('response-cut', from);
        assert.deepEqual([line.level, line['host'], line['backend']], ['warn', 'site.test', backend.url]);
        assert.equal(line['client'], '127.0.0.1');
        assert.match(String(line['why']), why);
        const lines = router.log.slice(from).filter(({ event }) => event === 'response-cut');
        assert.equal(lines.length, 1, 'told once');
      });
    }
  }
});

test('a response that ends with its connection is whole, and nothing is logged of it', async (t) => {
  const backend = await startRawBackend(t, (socket) => socket.once('data', () => socket.end(CLOSING)));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  assert.equal((await ask({ port: router.port })).body, 'hello');
  await router.stop();
  assert.equal(
    router.log.find(({ event }) => event === 'response-cut'),
    undefined,
  );
});

test('a client that leaves within a response is no fault of its backend', async (t) => {
  const closed = deferred<void>();
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () => socket.write(LENGTH));
    socket.once('end', () => socket.end());
    socket.once('close', () => closed.resolve());
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  await send(router.port, 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n', (soFar) => soFar.endsWith('hello'));
  await closed.promise;
  await router.stop();
  assert.equal(
    router.log.find(({ event }) => event === 'response-cut'),
    undefined,
  );
});

test('a response of an HTTP/2 backend that is reset behind its head is logged', async (t) => {
  const block = fieldBlock([[':status', '200']]);
  const cancel = Buffer.from([0, 0, 0, 2]);
  const url = await startFrameBackend(t, (stream) => [
    frame(FRAME.headers, END_HEADERS, stream, block),
    frame(FRAME.data, 0, stream, Buffer.from('hello')),
    frame(FRAME.reset, 0, stream, cancel),
  ]);
  const router = await startRouter(t, { routes: { 'site.test': ['site', url] }, config: H2C });
  await assert.rejects(ask({ port: router.port }));
  const line = await router.event('response-cut');
  assert.deepEqual([line['host'], line['backend']], ['site.test', url]);
  const from = router.log.length;
  assert.notEqual((await request(await openSession(t, router.port))).code, 0);
  await router.event('response-cut', from);
});

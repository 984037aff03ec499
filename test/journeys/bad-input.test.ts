import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startBackend, startSink, textOf } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { noProc, workersOf } from '../support/processes.ts';
import type { Router } from '../support/router.ts';

/** The router is as it was: the same worker, a good request served, no mistake logged. */
async function isUnharmed(router: Router, workers: readonly number[]): Promise<void> {
  assert.equal((await ask({ port: router.port, host: 'good.test' })).body, 'good');
  if (!noProc) assert.deepEqual(workersOf(router), workers);
  const mistakes = router.log.filter(({ event }) => event === 'worker-mistake' || event === 'internal-error');
  assert.deepEqual(mistakes, []);
  assert.deepEqual(router.stray, []);
}

/** A router with a good backend at good.test and another at site.test. */
async function start(t: TestContext, url: string): Promise<{ router: Router; workers: readonly number[] }> {
  const good = await startBackend(t, (_request, response) => response.end('good'));
  const routes = { 'good.test': ['good', good.url], 'site.test': ['site', url] };
  const router = await leaseRouter(t, { routes });
  return { router, workers: noProc ? [] : workersOf(router) };
}

const GARBAGE: readonly (readonly [what: string, bytes: string | Buffer])[] = [
  ['zeros', Buffer.alloc(64)],
  ['every byte there is', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
  ['a TLS greeting', Buffer.from('16030100a5010000a10303', 'hex')],
  ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a line of another protocol', 'EHLO mail.test\r\n'],
  ['a control byte in a header', 'GET / HTTP/1.1\r\nHost: site.test\r\nX: a\x01b\r\n\r\n'],
  ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: site.test\r\nX: a\0b\r\n\r\n'],
  ['a header without a colon', 'GET / HTTP/1.1\r\nHost: site.test\r\nnonsense\r\n\r\n'],
  ['a chunk that is none', 'POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['a length that is none', 'POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: -1\r\n\r\n'],
];

test('bytes that are no request are refused, and the worker lives', async (t) => {
  const sink = await startSink(t);
  const { router, workers } = await start(t, sink.url);
  for (const [what, bytes] of GARBAGE) {
    const answer = await send(router.port, bytes);
    assert.match(answer, /^(HTTP\/1\.1 (400|505) |$)/, what);
  }
  await isUnharmed(router, workers);
});

test('a Trailer field on a GET is no reason to fall', async (t) => {
  const sink = await startSink(t);
  const { router, workers } = await start(t, sink.url);
  const fields = 'Host: site.test\r\nConnection: close\r\nTrailer: X-Sum\r\nTE: trailers';
  assert.match(await send(router.port, `GET / HTTP/1.1\r\n${fields}\r\n\r\n`), /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(sink.received(), /^GET \/ HTTP\/1\.1\r\n/);
  await isUnharmed(router, workers);
});

test('trailers that nobody announced arrive, in both directions', async (t) => {
  const backend = await startBackend(t, (request, response) => {
    void textOf(request).then((text) => {
      response.writeHead(200, { trailer: 'X-Sum' });
      response.write(text);
      response.addTrailers({ 'X-Sum': request.trailers['x-sum'] ?? 'none' });
      response.end();
    });
  });
  const { router, workers } = await start(t, backend.url);
  const head =
    'POST / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n';
  const answer = await send(router.port, `${head}2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n$/i);
  await isUnharmed(router, workers);
});

const BAD_ANSWERS: readonly (readonly [what: string, bytes: string | Buffer])[] = [
  ['a control byte in a header', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n'],
  ['a control byte in the reason phrase', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n'],
  ['status 099', 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n'],
  ['status 1000', 'HTTP/1.1 1000 High\r\nContent-Length: 0\r\n\r\n'],
  ['a 101 without an Upgrade request', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['zeros', Buffer.alloc(200)],
  ['another protocol', '220 mail.test ESMTP\r\n'],
  ['a header that never ends', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
];

test('answers that are none are a 502, and the worker lives', async (t) => {
  const good = await startBackend(t, (_request, response) => response.end('good'));
  const routes: Record<string, string[]> = { 'good.test': ['good', good.url] };
  for (const [index, [, bytes]] of BAD_ANSWERS.entries()) {
    routes[`${index}.test`] = ['bad', (await startSink(t, bytes)).url];
  }
  const router = await leaseRouter(t, { routes });
  const workers = noProc ? [] : workersOf(router);
  for (const [index, [what]] of BAD_ANSWERS.entries()) {
    const { status } = await ask({ port: router.port, host: `${index}.test` });
    assert.equal(status, 502, what);
  }
  await isUnharmed(router, workers);
});

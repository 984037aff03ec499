/** Clients that take their time over a body cannot take all connections of a backend from those that do not. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRouter } from '../support/router.ts';

interface SlowClients {
  /** How many of them were refused so far. */
  readonly refused: () => number;
  readonly leave: () => void;
}

/** Clients that have sent part of a body, and say no more. */
async function startSlow(t: TestContext, port: number, count: number): Promise<SlowClients> {
  const clients = await Promise.all(Array.from({ length: count }, () => dial(port)));
  const leave = (): void => {
    for (const client of clients) client.destroy();
  };
  t.after(leave);
  let refused = 0;
  for (const client of clients) {
    client.on('data', (chunk) => {
      if (chunk.toString('latin1').startsWith('HTTP/1.1 503 ')) refused++;
    });
    client.write('POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000\r\n\r\nsome');
  }
  return { refused: () => refused, leave };
}

test('half of the streams that an HTTP/2 backend takes stays free of slow uploads', async (t) => {
  let uploads = 0;
  const backend = await startHttp2Backend(
    t,
    (stream, headers) => {
      if (headers[':method'] === 'POST') uploads++;
      stream.resume().once('end', () => {
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 });
        stream.end('ok');
      });
    },
    { settings: { maxConcurrentStreams: 3 } },
  );
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes, server: { maxSockets: 2, timeouts: { connect: 4 } } });
  const { port } = router;
  assert.equal((await ask({ port })).status, 200);
  const { refused, leave } = await startSlow(t, port, 8);
  await eventually(() => assert.equal(uploads + refused(), 8), 20_000);
  assert.equal(uploads, 3);
  for (let i = 0; i < 10; i++) assert.equal((await ask({ port })).status, 200);
  const quick = Array.from({ length: 6 }, () => ask({ port, method: 'POST', body: 'a'.repeat(500_000) }));
  assert.deepEqual(new Set((await Promise.all(quick)).map(({ status }) => status)), new Set([200]));
  leave();
});

test('half of server.maxSockets stays free of slow uploads', async (t) => {
  let uploads = 0;
  const backend = await startBackend(t, (request, response) => {
    if (request.method === 'POST') uploads++;
    request.resume().once('end', () => response.end('ok'));
  });
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes, server: { maxSockets: 4, timeouts: { connect: 4 } } });
  const { refused, leave } = await startSlow(t, router.port, 8);
  await eventually(() => assert.equal(uploads + refused(), 8), 20_000);
  assert.equal(uploads, 2);
  for (let i = 0; i < 10; i++) assert.equal((await ask({ port: router.port })).status, 200);
  // Bodies that come at once are not slow, whatever their size.
  const quick = Array.from({ length: 6 }, () => ask({ port: router.port, method: 'POST', body: 'a'.repeat(500_000) }));
  assert.deepEqual(new Set((await Promise.all(quick)).map(({ status }) => status)), new Set([200]));
  leave();
});

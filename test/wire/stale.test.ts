/** A backend may close a kept connection at any time, also just as it is used again: no client hears of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRouter } from '../support/router.ts';
import { readRequests } from '../support/wire.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a kept connection that closes as it is used again', async (t) => {
  let connections = 0;
  const bodies: string[] = [];
  /** Answers the first request of each connection, and hangs up on the second. */
  const backend = await startRawBackend(t, (socket) => {
    connections++;
    let text = '';
    let answered = 0;
    socket.on('data', (chunk) => {
      if (answered === 1) {
        socket.resetAndDestroy();
        return;
      }
      text += chunk.toString('latin1');
      try {
        bodies.push(...readRequests(text).map(({ body }) => body));
      } catch {
        return;
      }
      answered++;
      socket.write(OK);
    });
  });
  // The first of two backends would be dead after this if anybody had noticed.
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url, backend.url] } });
  const { port } = router;

  await t.test('GET is sent again on a fresh connection', async () => {
    for (let i = 0; i < 5; i++) assert.equal((await ask({ port })).status, 200);
    assert.equal(connections, 5);
  });

  await t.test('so is a POST, whose body arrives whole', async () => {
    const body = 'a'.repeat(50_000);
    bodies.length = 0;
    for (let i = 0; i < 5; i++) assert.equal((await ask({ port, method: 'POST', body })).status, 200);
    assert.deepEqual(bodies, Array(5).fill(body));
  });

  await t.test('no backend was blamed', () => {
    assert.equal(
      router.log.find(({ event }) => event === 'backend-dead'),
      undefined,
    );
  });
});

test('a POST that was too long to keep is not sent twice', async (t) => {
  let requests = 0;
  const backend = await startRawBackend(t, (socket) => {
    let isFirst = true;
    socket.on('data', (chunk) => {
      if (/^(?:GET|POST) /.test(chunk.toString('latin1'))) requests++;
      if (isFirst) socket.write(OK);
      // It reads a good part of the body, then hangs up.
      else if (!chunk.toString('latin1').startsWith('POST')) setImmediate(() => socket.destroy());
      isFirst = false;
    });
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  assert.equal((await ask({ port: router.port })).status, 200);
  const { status } = await ask({ port: router.port, method: 'POST', body: 'a'.repeat(5_000_000) });
  assert.equal(status, 502);
  assert.equal(requests, 2);
});

test('a POST that a backend has worked on before its connection broke is not sent twice', async (t) => {
  let heads = '';
  const backend = await startRawBackend(t, (socket) => {
    let isFirst = true;
    socket.on('data', (chunk) => {
      heads += /^(?:GET|POST) /.exec(chunk.toString('latin1'))?.[0] ?? '';
      if (isFirst) socket.write(OK);
      else setTimeout(() => socket.resetAndDestroy(), 1_000);
      isFirst = false;
    });
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const { port } = router;
  assert.equal((await ask({ port })).status, 200);
  assert.equal((await ask({ port, method: 'POST', body: 'once' })).status, 502);
  assert.equal(heads, 'GET POST ');
  // What may be done twice is, as before.
  assert.deepEqual([(await ask({ port })).status, (await ask({ port })).status], [200, 200]);
  assert.equal(heads, 'GET POST GET GET GET ');
});

/** Connections to backends: kept for the next request, and never more than maxSockets. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startBackend, startRawBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { deathsOf } from '../support/deaths.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

test('a connection to a backend serves one request after the other, of any client', async (t) => {
  let connections = 0;
  const site = await startBackend(t, (request, response) => {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    // With its length: Node's client gives up a connection after an answer to HEAD that has none.
    request.on('end', () => response.setHeader('Content-Length', 64).end(hash.digest('hex')));
  });
  site.server.on('connection', () => connections++);
  const { port } = await leaseRouter(t, { routes: { 'site.test': ['site', site.url] } });
  for (let i = 0; i < 10; i++) {
    assert.equal((await ask({ port, method: i % 2 === 0 ? 'GET' : 'HEAD', path: `/${i}` })).status, 200);
    const body = `body ${i}`;
    const answer = await ask({ port, method: 'POST', body });
    assert.equal(answer.body, createHash('sha256').update(body).digest('hex'));
  }
  assert.equal(connections, 1);
});

test('a kept connection that the backend has closed costs no request', async (t) => {
  let connections = 0;
  const { url } = await startRawBackend(t, (socket) => {
    connections++;
    let requests = 0;
    socket.on('data', (chunk) => {
      // Closes it when the next GET comes: what a race with an idle timeout looks like.
      if (++requests > 1) socket.destroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      if (chunk.toString('latin1').startsWith('GET')) setImmediate(() => socket.end());
    });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', url, url] } });
  for (let i = 0; i < 5; i++) {
    assert.equal((await ask({ port: router.port, method: 'POST', body: 'x'.repeat(i) })).status, 200);
    assert.equal((await ask({ port: router.port })).status, 200);
    // Its end comes a moment after its answer.
    await pause(20);
  }
  assert.equal(connections, 10);
  assert.deepEqual(deathsOf(router, 'site.test'), []);
});

test('without httpKeepAlive every request has a connection of its own, and WebSockets work as ever', async (t) => {
  let connections = 0;
  const asked: (string | undefined)[] = [];
  const site = await startBackend(t, (request, response) => {
    asked.push(request.headers.connection);
    response.end('ok');
  });
  site.server.on('connection', () => connections++);
  const echo = await startWebSocketBackend(t);
  const { port } = await leaseRouter(t, {
    routes: { 'site.test': ['site', site.url], 'echo.test': ['echo', echo.url] },
    server: { httpKeepAlive: false },
  });
  for (let i = 0; i < 5; i++) await ask({ port });
  assert.equal(connections, 5);
  assert.deepEqual(asked, ['close', 'close', 'close', 'close', 'close']);
  const client = openWebSocket(t, `ws://127.0.0.1:${port}/`, 'echo.test');
  await once(client, 'open');
});

test('maxSockets bounds the connections to a backend: what is too much waits its turn, and is answered', async (t) => {
  let open = 0;
  let most = 0;
  const waiting: ServerResponse[] = [];
  const site = await startBackend(t, (_request, response) => {
    waiting.push(response);
    site.server.emit('asked');
  });
  site.server.on('connection', (socket) => {
    most = Math.max(most, ++open);
    socket.once('close', () => open--);
  });
  const other = await startBackend(t, (_request, response) => response.end('other'));
  const { port } = await leaseRouter(t, {
    routes: { 'site.test': ['site', site.url], 'other.test': ['other', other.url] },
    server: { maxSockets: 2 },
  });
  let asked = once(site.server, 'asked');
  const answers = Promise.all(Array.from({ length: 6 }, (_, i) => ask({ port, path: `/${i}` })));
  for (let i = 0; i < 6; i++) {
    if (waiting.length === 0) await asked;
    asked = once(site.server, 'asked');
    // Another backend has connections of its own: what waits here does not hold up anybody there.
    if (i === 0) assert.equal((await ask({ port, host: 'other.test' })).body, 'other');
    waiting.shift()?.end('ok');
  }
  for (const { status, body } of await answers) assert.deepEqual([status, body], [200, 'ok']);
  assert.equal(most, 2);
});

test('as many connections are kept as may be open: a burst that comes again needs no new ones', async (t) => {
  const COUNT = 300;
  let connections = 0;
  let waiting: ServerResponse[] = [];
  const site = await startBackend(t, (_request, response) => {
    waiting.push(response);
    if (waiting.length < COUNT) return;
    for (const each of waiting) each.end('ok');
    waiting = [];
  });
  site.server.on('connection', () => connections++);
  const { port } = await leaseRouter(t, {
    routes: { 'site.test': ['site', site.url] },
    server: { maxSockets: COUNT },
  });
  for (let burst = 0; burst < 3; burst++) {
    const answers = await Promise.all(Array.from({ length: COUNT }, () => ask({ port })));
    assert.ok(answers.every(({ status }) => status === 200));
  }
  assert.equal(connections, COUNT);
});

test('who waits too long for a connection is told to come again, and the busy backend is not dead', async (t) => {
  const waiting: ServerResponse[] = [];
  const busy = await startBackend(t, (_request, response) => waiting.push(response));
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', busy.url, busy.url] },
    server: { maxSockets: 1, timeouts: { connect: 0.3 } },
  });
  const { port } = router;
  const asked = once(busy.server, 'request');
  const first = ask({ port });
  await asked;
  const second = await ask({ port, headers: { 'X-Debug': '1' } });
  assert.deepEqual([second.status, second.headers['x-debug-error']], [503, 'all connections to the backends are busy']);
  waiting[0]?.end('ok');
  assert.equal((await first).body, 'ok');
  assert.deepEqual(deathsOf(router, 'site.test'), []);
});

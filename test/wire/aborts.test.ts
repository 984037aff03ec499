/** Who leaves frees the other side at once; who answers early is heard. */
// @waits: for time limits
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { dial, send } from '../support/client.ts';
import { deferred } from '../support/deferred.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { statusOf } from './scene.ts';

/** Far more than a second, so that a slow machine does not fail a promise that was kept. */
const SOON_MS = 5_000;
const SOON = (): AbortSignal => AbortSignal.timeout(SOON_MS);

/** Waits until the other side has gone, in whatever way. */
async function left(socket: Socket): Promise<void> {
  if (socket.destroyed || socket.readableEnded) return;
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the connection is still there')), SOON_MS);
    const done = (): void => {
      clearTimeout(late);
      resolve();
    };
    socket.once('end', done).once('close', done);
  });
}

async function sceneWith(t: TestContext, onRequest: (socket: Socket) => void, server = {}) {
  const sockets: Socket[] = [];
  const backend = await startRawBackend(t, (socket) => {
    sockets.push(socket);
    socket.once('data', () => onRequest(socket));
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] }, server });
  return { router, sockets };
}

for (const [when, answer] of [
  ['before an answer', ''],
  ['within an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome'],
] as const) {
  for (const how of ['closes', 'resets'] as const) {
    test(`a client that ${how} ${when} frees the backend at once`, async (t) => {
      const asked = deferred<Socket>();
      const { router } = await sceneWith(t, (socket) => {
        if (answer !== '') socket.write(answer);
        asked.resolve(socket);
      });
      const client = await dial(router.port);
      client.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
      const socket = await asked.promise;
      if (answer !== '') await once(client, 'data');
      if (how === 'resets') client.resetAndDestroy();
      else client.destroy();
      socket.resume();
      await left(socket);
      assert.match(await router.line(/"GET \/ HTTP/), answer === '' ? / 499 / : / 200 /);
    });
  }
}

function get(path: string, host: string, ...fields: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n');
}

test('a client that leaves in the middle of its upload frees the backend at once', async (t) => {
  const asked = deferred<Socket>();
  const { router } = await sceneWith(t, (socket) => asked.resolve(socket));
  const client = await dial(router.port);
  client.write('POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000000\r\n\r\nsome');
  const socket = await asked.promise;
  client.destroy();
  socket.resume();
  await left(socket);
  assert.match(await router.line(/"POST \/ HTTP/), / 499 /);
});

test('a client that leaves ends the requests that it has sent ahead, too', async (t) => {
  const asked: Socket[] = [];
  const both = deferred<void>();
  const { router } = await sceneWith(t, (socket) => {
    if (asked.push(socket) === 2) both.resolve();
  });
  const client = await dial(router.port);
  // After an upgrade to nothing known, all that comes is read at once, with the fast lane too.
  const first = get('/first', 'site.test', 'Connection: Upgrade', 'Upgrade: unknown');
  client.write(first + get('/unknown', 'nobody.test') + get('/second', 'site.test'));
  await both.promise;
  client.destroy();
  for (const socket of asked) {
    socket.resume();
    await left(socket);
  }
  assert.match(await router.line(/"GET \/first HTTP/), / 499 /);
  assert.match(await router.line(/"GET \/second HTTP/), / 499 /);
  await router.line(/"GET \/unknown HTTP/);
});

test('an answer that comes before the body was read goes through, and the rest of the body is drained', async (t) => {
  const { router } = await sceneWith(t, (socket) => {
    socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
    socket.pause();
  });
  const answer = await send(
    router.port,
    `POST / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n${'a'.repeat(100_000)}`,
  );
  assert.equal(statusOf(answer), 413);
  assert.ok(answer.endsWith('no'));
});

function refuseUnread(socket: Socket): void {
  socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
  socket.pause();
}

for (const [what, chunks, everyMs] of [
  // More than the system holds for a backend that does not read.
  ['stops coming', 512, Infinity],
  ['comes more slowly than the least rate', 1, 200],
] as const) {
  test(`a body that ${what} after its early answer ends the connection`, async (t) => {
    const { router } = await sceneWith(t, refuseUnread, { timeouts: { body: 2, firstByte: 3 } });
    const client = await dial(router.port);
    client.write('POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    let text = '';
    client.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    client.on('error', () => {});
    const chunk = `8000\r\n${'a'.repeat(0x8000)}\r\n`;
    const closed = new Promise((resolve) => client.once('close', resolve));
    for (let i = 0; i < chunks; i++) if (!client.write(chunk)) await Promise.race([once(client, 'drain'), closed]);
    const timer = everyMs < Infinity ? setInterval(() => client.write('1\r\na\r\n'), everyMs) : undefined;
    await closed;
    clearInterval(timer);
    assert.equal(statusOf(text), 401);
  });
}

test('a backend may answer while the body is still coming: both streams go on', async (t) => {
  const { router } = await sceneWith(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.on('data', (chunk) => {
      if (chunk.includes('last')) socket.write('5\r\nheard\r\n0\r\n\r\n');
    });
  });
  const client = await dial(router.port);
  client.write('POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
  const [head] = (await once(client, 'data', { signal: SOON() })) as [Buffer];
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 200 OK\r\n/);
  client.write('4\r\nlast\r\n0\r\n\r\n');
  const [body] = (await once(client, 'data', { signal: SOON() })) as [Buffer];
  assert.match(body.toString('latin1'), /heard/);
  client.destroy();
});

test('the head of an answer goes ahead of a body that takes its time', async (t) => {
  const asked = deferred<Socket>();
  const { router } = await sceneWith(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    asked.resolve(socket);
  });
  const client = await dial(router.port);
  client.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
  const [head] = (await once(client, 'data', { signal: SOON() })) as [Buffer];
  assert.match(head.toString('latin1'), /text\/event-stream/);
  (await asked.promise).write('data: 1\n\n');
  const [event] = (await once(client, 'data', { signal: SOON() })) as [Buffer];
  assert.match(event.toString('latin1'), /data: 1\n\n/);
  client.destroy();
});

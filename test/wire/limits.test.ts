/** Every phase of an exchange has a limit, and slowness is answered, not suffered. */
// @waits: for time limits
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startBackend, startRawBackend } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { startRouter } from '../support/router.ts';
import { statusOf } from './scene.ts';

/** Limits that do not touch one another; the tests with these configurations share two routers. */
const DEADLINES = { timeouts: { header: 1, firstByte: 1, idle: 1 }, limits: { bodyBytes: 1000 } };
const STALLS = { timeouts: { body: 1, response: 1 } };

test('a header section that takes too long is answered 408 (RFC 9110 §15.5.9)', async (t) => {
  const router = await leaseRouter(t, { routes: {}, server: DEADLINES });
  const answer = await send(router.port, 'GET / HTTP/1.1\r\nHost: site.test\r\nX-Slow: ');
  assert.equal(statusOf(answer), 408);
  assert.match(answer, /\r\nConnection: close\r\n/);
});

test('a body that stops coming is answered 408, and the backend freed', async (t) => {
  const backend = await startRawBackend(t, () => {});
  const freed = once(backend.server, 'connection').then(([socket]) => once(socket.resume(), 'end'));
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: STALLS,
  });
  const answer = await send(router.port, 'POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\nsome');
  assert.equal(statusOf(answer), 408);
  await freed;
});

test('a body that trickles in below the least rate is answered 408', async (t) => {
  const backend = await startRawBackend(t, (socket) => socket.resume());
  const http2Backend = await startHttp2Backend(t, (stream) => stream.resume());
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url], 'h2.test': ['h2', http2Backend.url] },
    server: { limits: { bodyMinRate: 1000 } },
  });
  const trickled = async (host: string): Promise<number> => {
    const client = await dial(router.port);
    client.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n\r\n`);
    const trickle = setInterval(() => client.write('a'), 200);
    t.after(() => clearInterval(trickle));
    const [answer] = (await once(client, 'data', { signal: AbortSignal.timeout(15_000) })) as [Buffer];
    client.destroy();
    return statusOf(answer.toString('latin1'));
  };
  assert.deepEqual(await Promise.all(['site.test', 'h2.test'].map(trickled)), [408, 408]);
});

test('what a body brought at first does not make up for a trickle after it', async (t) => {
  const backend = await startRawBackend(t, (socket) => socket.resume());
  const http2Backend = await startHttp2Backend(t, (stream) => stream.resume());
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url], 'h2.test': ['h2', http2Backend.url] },
    server: { limits: { bodyMinRate: 100 } },
  });
  const trickled = async (host: string): Promise<number> => {
    const client = await dial(router.port);
    // At its rate it is eleven minutes' worth.
    client.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n\r\n${'a'.repeat(65_536)}`);
    const trickle = setInterval(() => client.write('a'), 1_000);
    t.after(() => clearInterval(trickle));
    const [answer] = (await once(client, 'data', { signal: AbortSignal.timeout(60_000) })) as [Buffer];
    client.destroy();
    return statusOf(answer.toString('latin1'));
  };
  assert.deepEqual(await Promise.all(['site.test', 'h2.test'].map(trickled)), [408, 408]);
});

test('a body over the limit is answered 413, announced or not (RFC 9110 §15.5.14)', async (t) => {
  let complete = 0;
  const backend = await startBackend(t, (request, response) => {
    request.resume().on('end', () => {
      complete++;
      response.end('ok');
    });
  });
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: DEADLINES,
  });
  const announced = await ask({ port: router.port, method: 'POST', body: 'a'.repeat(1001) });
  assert.equal(announced.status, 413);
  const chunks = `3e9\r\n${'a'.repeat(1001)}\r\n0\r\n\r\n`;
  const unannounced = await send(
    router.port,
    `POST / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
  );
  assert.equal(statusOf(unannounced), 413);
  assert.equal(complete, 0);
  assert.equal((await ask({ port: router.port, method: 'POST', body: 'a'.repeat(1000) })).status, 200);
});

test('a backend that does not answer in time is a 504', async (t) => {
  const backend = await startRawBackend(t, (socket) => socket.resume());
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: DEADLINES,
  });
  const { status, body } = await ask({ port: router.port });
  assert.equal(status, 504);
  assert.match(body, /<html/);
  assert.equal((await ask({ port: router.port, method: 'POST', body: 'x' })).status, 504);
});

test('a backend that falls silent within its answer: the client is cut off', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome'));
  });
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: STALLS,
  });
  await assert.rejects(ask({ port: router.port }), { code: 'ECONNRESET' });
});

test('a client that does not read its answer is cut off, and the backend freed', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
    const pump = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pump);
    socket.resume();
    pump();
  });
  const freed = once(backend.server, 'connection').then(
    ([socket]) => new Promise((resolve) => socket.once('close', resolve)),
  );
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: STALLS,
  });
  const client = await dial(router.port);
  client.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
  client.pause();
  await freed;
  client.destroy();
});

test('a client that does not read what the router itself answers is cut off', async (t) => {
  const backend = await startRawBackend(t, () => {});
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url], 'old.test': ['old', 'redirect://new.test/'] },
    server: { timeouts: { response: 1 }, accessLog: null },
  });
  const cutOff = async (host: string): Promise<void> => {
    const client = await dial(router.port);
    client.pause();
    const requests = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(1_000);
    const pump = (): void => {
      while (!client.destroyed && client.write(requests));
    };
    client.on('drain', pump);
    pump();
    // The reset is an error too, which `once` would throw.
    await new Promise((resolve) => client.once('close', resolve));
  };
  await Promise.all(['nobody.test', 'old.test', '__ping__'].map(cutOff));
});

test('an answer that waits for the one before it has its time after that', async (t) => {
  const backend = await startBackend(t, (_request, response) => void setTimeout(() => response.end('slow'), 2_500));
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { timeouts: { response: 1 }, fastLane: false },
  });
  const requests = ['site.test', 'nobody.test'].map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const answer = await send(router.port, requests.join(''), (text) => text.includes('</html>'));
  assert.match(answer, /slowHTTP\/1\.1 400 /);
  assert.ok(answer.includes('</html>'));
});

for (const [what, head, fields] of [
  ['an upgrade', 'GET /socket', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
  ['CONNECT', 'CONNECT site.test:443', ''],
] as const) {
  test(`an answer with ${what} sent behind its request goes on as its client reads`, async (t) => {
    const size = 20_000_000;
    const backend = await startBackend(t, (_request, response) => response.end(Buffer.alloc(size, 'a')));
    const router = await leaseRouter(t, {
      routes: { 'site.test': ['site', backend.url] },
      server: { timeouts: { response: 5 } },
    });
    const behind = `${head} HTTP/1.1\r\nHost: site.test\r\n${fields}\r\n`;
    const answer = await send(router.port, `GET / HTTP/1.1\r\nHost: site.test\r\n\r\n${behind}`);
    const begin = answer.indexOf('\r\n\r\n') + 4;
    assert.ok(answer.length - begin >= size, `${answer.length - begin} bytes of the body`);
  });
}

test('an idle connection is closed after its time, without a word', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await leaseRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: DEADLINES,
  });
  const answer = await send(router.port, 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
  assert.equal(answer.split('HTTP/1.1').length - 1, 1);
});

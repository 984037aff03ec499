/** WebSockets: through the router and back, and what becomes of them when one side goes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { WebSocket } from 'ws';
import { refusingUrl, says, startBackend, startRawBackend, textOf } from '../support/backends.ts';
import { ask, dial, send } from '../support/client.ts';
import { deathsOf } from '../support/deaths.ts';
import { startRouter } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

/** The answer to a handshake that is no 101. */
async function refusalOf(
  client: WebSocket,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  const [, answer] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await textOf(answer) };
}

function handshakeTo(path: string, host: string): string {
  const fields = [`Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  return `${[`GET ${path} HTTP/1.1`, ...fields, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='].join('\r\n')}\r\n\r\n`;
}

test('a WebSocket goes through, and its end too', async (t) => {
  const echo = await startWebSocketBackend(t);
  const refusing = refusingUrl();
  const plain = await startBackend(t, (request, response) =>
    response.end(`plain ${request.headers.upgrade ?? 'request'}`),
  );
  const guarded = await startBackend(
    t,
    says('who are you?', 401, { 'WWW-Authenticate': 'Basic', Connection: 'close' }),
  );
  const broken = await startBackend(t, says('broken', 502));
  const silent = await startRawBackend(t, (socket) => socket.resume());
  const odd = await startRawBackend(t, (socket) =>
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: irc\r\n\r\n'),
    ),
  );
  const router = await startRouter(t, {
    routes: {
      'echo.test': ['echo', echo.url],
      '*.retry.test': ['retry', refusing, refusing, refusing, echo.url],
      'refused.test': ['refused', refusing],
      'bare.test': ['bare'],
      'plain.test': ['plain', plain.url],
      'guarded.test': ['guarded', guarded.url],
      'broken.test': ['broken', broken.url, broken.url],
      'silent.test': ['silent', silent.url],
      'odd.test': ['odd', odd.url],
    },
    // Longer than a busy machine takes to answer.
    server: { timeouts: { firstByte: 3 } },
  });
  const { port } = router;
  const url = `ws://127.0.0.1:${port}/chat?room=1`;

  /** Both ends of a WebSocket through the router. */
  async function open(sub: TestContext): Promise<{ client: WebSocket; backend: WebSocket; request: IncomingMessage }> {
    const opened = echo.opened();
    const client = openWebSocket(sub, url, 'echo.test', { headers: { 'X-Debug': '1' } });
    const [{ socket, request }] = await Promise.all([opened, once(client, 'open')]);
    return { client, backend: socket, request };
  }

  await t.test('messages of any size and kind come back as they went', async (sub) => {
    const { client } = await open(sub);
    const big = randomBytes(2_000_000);
    for (const message of ['caf\u00e9 \u2603', '', big, Buffer.alloc(0), 'x'.repeat(200_000)]) {
      client.send(message);
      const [data, isBinary] = (await once(client, 'message')) as [Buffer, boolean];
      assert.equal(isBinary, typeof message !== 'string');
      assert.ok(data.equals(Buffer.from(message)));
    }
  });

  await t.test('many messages at once keep their order', async (sub) => {
    const { client } = await open(sub);
    const seen: string[] = [];
    client.on('message', (data: Buffer) => seen.push(data.toString()));
    const sent = Array.from({ length: 500 }, (_, i) => `${i}`);
    for (const text of sent) client.send(text);
    while (seen.length < sent.length) await once(client, 'message');
    assert.deepEqual(seen, sent);
  });

  await t.test('the backend hears of the client, and the client of its way', async (sub) => {
    const upgraded = new Promise<IncomingMessage>((resolve) => {
      const client = openWebSocket(sub, url, 'Echo.test:81', { headers: { 'X-Debug': '1' } });
      client.once('upgrade', resolve);
    });
    const { request } = await echo.opened();
    assert.equal(request.url, '/chat?room=1');
    assert.equal(request.headers.host, 'Echo.test:81');
    assert.equal(request.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(request.headers['x-forwarded-proto'], 'http');
    const { headers } = await upgraded;
    assert.equal(headers['x-debug-backend-url'], echo.url);
    assert.equal(headers['x-debug-frontend-key'], 'echo.test');
  });

  await t.test('the code and reason of an end go through, whichever side ends', async (sub) => {
    const first = await open(sub);
    const atBackend = once(first.backend, 'close');
    first.client.close(4001, 'bye');
    const [code, reason] = (await atBackend) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [4001, 'bye']);
    const second = await open(sub);
    const atClient = once(second.client, 'close');
    second.backend.close(4002, 'good bye');
    const [otherCode, otherReason] = (await atClient) as [number, Buffer];
    assert.deepEqual([otherCode, otherReason.toString()], [4002, 'good bye']);
  });

  await t.test('a side that is gone takes the other with it, within a second', async (sub) => {
    for (const side of ['client', 'backend'] as const) {
      const ends = await open(sub);
      const other = once(side === 'client' ? ends.backend : ends.client, 'close');
      const since = performance.now();
      ends[side].terminate();
      await other;
      // With what a busy machine adds.
      assert.ok(performance.now() - since < 5_000, side);
    }
  });

  await t.test('a backend that refuses is dead, and the next one is asked', async (sub) => {
    // Every host that the wildcard matches has dead marks of its own, so each round starts afresh.
    const wasRefused = (): boolean =>
      router.log.some(({ event, frontend }) => event === 'backend-dead' && String(frontend).endsWith('.retry.test'));
    for (let round = 0; round < 60 && !wasRefused(); round++) {
      const host = `${round}.retry.test`;
      const client = openWebSocket(sub, url, host);
      await once(client, 'open');
      client.send('hello');
      const [data] = (await once(client, 'message')) as [Buffer];
      assert.equal(data.toString(), 'hello');
    }
    await router.until('backend that refused', wasRefused);
  });

  for (const [host, status] of [
    ['unknown.test', 400],
    ['bare.test', 502],
    ['refused.test', 502],
    ['odd.test', 502],
    ['silent.test', 504],
  ] as const) {
    await t.test(`${host} is ${status}, as an answer that any client can read`, async (sub) => {
      const refusal = await refusalOf(openWebSocket(sub, url, host));
      assert.equal(refusal.status, status);
      assert.equal(refusal.headers['content-type'], 'text/html; charset=utf-8');
      assert.match(refusal.body, /<html/);
      await router.line(new RegExp(`"GET /chat\\?room=1 HTTP/1\\.1" ${status} ${refusal.body.length} `));
    });
  }

  await t.test('a backend that says no is heard', async (sub) => {
    const refusal = await refusalOf(openWebSocket(sub, url, 'guarded.test'));
    assert.deepEqual(
      [refusal.status, refusal.headers['www-authenticate'], refusal.body],
      [401, 'Basic', 'who are you?'],
    );
    assert.deepEqual(deathsOf(router, 'guarded.test'), []);
  });

  await t.test('a backend that answers 502 is heard, and dead', async (sub) => {
    assert.equal((await refusalOf(openWebSocket(sub, url, 'broken.test'))).body, 'broken');
    await router.until('death', () => deathsOf(router, 'broken.test')[0]);
  });

  await t.test('what a client sends before it was answered is not lost', async (sub) => {
    const held = new EventEmitter();
    const late = await startRawBackend(sub, (socket) => held.emit('connection', socket));
    const other = await startRouter(sub, { routes: { 'late.test': ['late', late.url] } });
    const connected = once(held, 'connection');
    const client = await dial(other.port);
    client.write(`${handshakeTo('/', 'late.test')}with it,`);
    const [backend] = (await connected) as [Socket];
    let text = '';
    backend.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    const more = 'x'.repeat(200_000);
    client.write(more);
    await once(backend, 'data');
    backend.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    while (!text.endsWith('done')) {
      await once(backend, 'data');
      if (!client.writableEnded) client.end('done');
    }
    assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), `with it,${more}done`);
  });

  await t.test('a client that leaves before the backend has answered takes its connection there with it', async () => {
    const connected = once(silent.server, 'connection');
    const client = await dial(port);
    client.write(handshakeTo('/left', 'silent.test'));
    const [backend] = (await connected) as [Socket];
    client.destroy();
    await once(backend, 'end');
    await router.line(/"GET \/left HTTP\/1\.1" 499 0 "-" "-" "silent" /);
  });

  for (const protocol of ['h2c', 'irc, TLS/1.0', 'websocketx']) {
    await t.test(`Upgrade: ${protocol} is treated as a plain request`, async () => {
      const headers = {
        Connection: 'Upgrade, HTTP2-Settings',
        Upgrade: protocol,
        'HTTP2-Settings': 'AAMAAABkAAQAAP__',
      };
      const answer = await ask({ port, host: 'plain.test', headers });
      assert.deepEqual([answer.status, answer.body], [200, 'plain request']);
    });
  }

  await t.test('an upgrade with a body is a plain request too, and keeps its body', async () => {
    const text = await send(
      port,
      'POST / HTTP/1.1\r\nHost: plain.test\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok',
    );
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*plain request/);
  });

  await t.test('after all this the router serves, in the same worker', async () => {
    assert.equal((await ask({ port, host: 'plain.test' })).status, 200);
    assert.deepEqual(
      router.log.filter(({ event }) => event === 'worker-died' || event === 'internal-error'),
      [],
    );
  });
});

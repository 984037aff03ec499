/** WebSockets to HTTP/2 backends (RFC 8441): where they take them, and where they do not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask, send } from '../support/client.ts';
import { assertNobodyDied } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { type Http2Backend, type Http2BackendOptions, startHttp2Backend } from '../support/http2-backends.ts';
import { openSession } from '../support/http2.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
import { openWebSocket, startWebSocketBackend, webSocketOn } from '../support/websockets.ts';

const HANDSHAKE =
  'GET /chat HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

interface EchoBackend extends Http2Backend {
  /** What was asked, oldest first. */
  readonly seen: IncomingHttpHeaders[];
  readonly streams: ServerHttp2Stream[];
}

/** An HTTP/2 server that takes WebSockets and sends every message back; other requests get 426. */
async function startEcho(t: TestContext, options: Http2BackendOptions = {}): Promise<EchoBackend> {
  const seen: IncomingHttpHeaders[] = [];
  const streams: ServerHttp2Stream[] = [];
  const settings = { enableConnectProtocol: true };
  const backend = await startHttp2Backend(
    t,
    (stream, headers) => {
      seen.push(headers);
      streams.push(stream);
      if (headers[':path'] === '/refused') {
        stream.respond({ ':status': 403, 'x-why': 'no' });
        stream.end('not you');
      } else if (headers[':protocol'] === 'websocket') {
        stream.respond({ ':status': 200, 'x-echo': 'yes' });
        const socket = webSocketOn(stream, 'server');
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      } else {
        stream.respond({ ':status': 426 });
        stream.end();
      }
    },
    { ...options, settings },
  );
  return { ...backend, seen, streams };
}

test('a WebSocket goes through to an HTTP/2 backend that takes them, and its end too', async (t) => {
  const echo = await startEcho(t);
  const router = await startRouter(t, {
    routes: { 'site.test': ['echo', echo.url] },
    config: { http: { port: 0, bind: ['127.0.0.1'], http2: true } },
  });
  const url = `ws://127.0.0.1:${router.port}/chat?room=1`;

  await t.test('from a client of HTTP/1.1', async () => {
    const client = openWebSocket(t, url, 'site.test');
    const [answer] = (await once(client, 'upgrade')) as [{ headers: IncomingHttpHeaders }];
    assert.equal(answer.headers['x-echo'], 'yes');
    if (client.readyState !== client.OPEN) await once(client, 'open');
    for (const text of ['hello', 'x'.repeat(1_000_000)]) {
      client.send(text);
      assert.equal(String((await once(client, 'message'))[0]), text);
    }
    const { [':method']: method, [':protocol']: protocol, [':authority']: authority, ...fields } = echo.seen[0] ?? {};
    assert.deepEqual([method, protocol, authority], ['CONNECT', 'websocket', 'site.test']);
    assert.deepEqual([fields[':path'], fields['sec-websocket-version']], ['/chat?room=1', '13']);
    for (const name of ['sec-websocket-key', 'upgrade', 'connection']) assert.equal(fields[name], undefined, name);
    assert.ok(fields['x-forwarded-for']);
    client.close(4001, 'enough');
    const [code] = (await once(client, 'close')) as [number];
    assert.equal(code, 4001);
    await router.line(/"GET \/chat\?room=1 HTTP\/1\.1" 101 /);
  });

  await t.test('from a client of HTTP/2', async () => {
    const session = await openSession(t, router.port);
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':scheme': 'http',
        ':path': '/chat',
        ':authority': 'site.test',
      },
      { endStream: false },
    );
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    assert.equal(headers[':status'], 200);
    const client = webSocketOn(stream, 'client');
    client.send('hello');
    assert.equal(String((await once(client, 'message'))[0]), 'hello');
    client.terminate();
  });

  await t.test('with bytes that came with the handshake', async () => {
    // A text frame "Hi", masked with zeros, and a close.
    const frames = '\x81\x82\0\0\0\0Hi\x88\x80\0\0\0\0';
    const text = await send(router.port, HANDSHAKE + frames);
    assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    // RFC 6455 §1.3 has the answer to this key.
    assert.match(text, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    assert.ok(text.includes('\x81\x02Hi'));
  });

  await t.test('one that the backend refuses is answered as it says', async () => {
    const text = await send(router.port, HANDSHAKE.replace('/chat', '/refused'));
    assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\nx-why: no\r\n[^]*not you/);
    await eventually(() => assert.ok(echo.streams.every(({ closed }) => closed)));
  });

  await t.test('a client that is gone breaks its stream off, and a stream that breaks off its client', async () => {
    const client = openWebSocket(t, url, 'site.test');
    await once(client, 'open');
    const stream = echo.streams.at(-1);
    client.terminate();
    await eventually(() => assert.equal(stream?.closed, true));
    const other = openWebSocket(t, url, 'site.test');
    await once(other, 'open');
    echo.streams.at(-1)?.close(constants.NGHTTP2_INTERNAL_ERROR);
    const [code] = (await once(other, 'close')) as [number];
    assert.equal(code, 1006);
    assert.equal((await ask({ port: router.port })).status, 426, 'other streams go on');
    assert.equal(echo.sessions.length, 1);
  });
});

test('one goes over TLS to an h2 backend', { skip: noOpenssl }, async (t) => {
  const pair = makePair(temporaryFolder(t), 'localhost');
  const echo = await startEcho(t, { tls: { ...pair, name: 'localhost' } });
  const server = { backendTls: { ca: pair.certFile } };
  const router = await startRouter(t, { routes: { 'site.test': ['echo', echo.url] }, server });
  const client = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'site.test');
  await once(client, 'open');
  client.send('hello');
  assert.equal(String((await once(client, 'message'))[0]), 'hello');
  assert.equal(echo.seen[0]?.[':scheme'], 'https');
});

test('an HTTP/2 backend that takes none is passed over, and not dead for it; where no other is left, that is 502', async (t) => {
  const unfit = await startHttp2Backend(t, (stream) => stream.respond({ ':status': 200 }, { endStream: true }));
  const echo = await startWebSocketBackend(t);
  const well = await startBackend(t, says('ok'));
  const router = await startRouter(t, {
    routes: {
      'site.test': ['site', unfit.url, unfit.url],
      'mixed.test': ['mixed', unfit.url, echo.url, unfit.url],
      'dead.test': ['dead', refusingUrl(), well.url],
    },
  });
  assert.match(await send(router.port, HANDSHAKE), /^HTTP\/1\.1 502 /);
  const refused = await router.event('refused');
  assert.match(JSON.stringify(refused), /does not take WebSockets/);
  for (let i = 0; i < 10; i++) {
    const client = openWebSocket(t, `ws://127.0.0.1:${router.port}/`, 'mixed.test');
    await once(client, 'open');
    client.close();
  }
  await assertNobodyDied(router, 'site.test', 'dead.test');
  await assertNobodyDied(router, 'mixed.test', 'dead.test');
});

/** What an exchange keeps in memory when it has become a tunnel. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import { resolveTimeouts } from '../../lib/config/timeouts.ts';
import { readAccepted } from '../../lib/fastlane/accepted-reads.ts';
import { exchangeRecord } from '../../lib/observe/access-record.ts';
import type { Exchange } from '../../lib/proxy/exchange.ts';
import type { AttemptParts } from '../../lib/proxy/parts.ts';
import { relayUpgrade } from '../../lib/proxy/upgrade.ts';
import { Connection } from '../../lib/server/connection.ts';
import { RequestServer } from '../../lib/server/request-server.ts';
import { startRawBackend } from '../support/backends.ts';
import { deferred } from '../support/deferred.ts';
import { eventually } from '../support/eventually.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const HANDSHAKE = [
  'GET /chat HTTP/1.1',
  'Host: a.test',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'User-Agent: a browser',
  'Referer: http://a.test/',
  '\r\n',
].join('\r\n');
const PEER = { address: '192.0.2.1', isTrusted: false, isTls: false, localPort: 80 };
const PARTS = { clock: new TimeLimits(), readAccepted, limits: { tunnelMs: 0 } } as unknown as AttemptParts;

interface Scene {
  readonly client: Socket;
  readonly exchange: Exchange;
  /** The request and the response. */
  readonly messages: readonly WeakRef<object>[];
}

/** Joins the client to the backend. A function of its own: a frame that waits would keep the messages. */
function relay(exchange: Exchange, backend: Socket): readonly WeakRef<object>[] {
  const headers = Array.from({ length: 100 }, (_, i) => `field ${i}`);
  exchange.outgoing = { headers, clientIp: '192.0.2.7', requestId: null, responseFields: [], trace: null };
  const messages = [new WeakRef(exchange.request), new WeakRef(exchange.response)];
  const response = { headers: { upgrade: 'websocket' }, rawHeaders: [] };
  assert.equal(relayUpgrade(exchange, response, backend, Buffer.alloc(0), PARTS), null);
  return messages;
}

/** A client that is joined to a backend which sends everything back. */
async function startTunnel(t: TestContext): Promise<Scene> {
  const echo = await startRawBackend(t, (socket) => socket.pipe(socket));
  const backend = connect(echo.port, '127.0.0.1').on('error', () => {});
  await once(backend, 'connect');
  const joined = deferred<Omit<Scene, 'client'>>();
  const requests = new RequestServer({
    timeouts: resolveTimeouts({ header: 10, idle: 60, tunnel: 0 }, null),
    headerBytes: 16_384,
    serve: (exchange) => joined.resolve({ exchange, messages: relay(exchange, backend) }),
    refuse: () => {},
    errorMessage: () => Buffer.alloc(0),
    recordGarbage: () => {},
  });
  const server = createServer({ allowHalfOpen: true }, (socket) => requests.take(new Connection(socket, PEER)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  t.after(() => {
    client.destroy();
    server.close();
  });
  client.write(HANDSHAKE);
  const { exchange, messages } = await joined.promise;
  const [head] = (await once(client, 'data')) as [Buffer];
  assert.match(head.toString(), /^HTTP\/1\.1 101 /);
  return { client, exchange, messages };
}

test('an open tunnel keeps neither the request nor the response in memory', async (t) => {
  const { client, exchange, messages } = await startTunnel(t);
  await eventually(() => {
    collect();
    assert.deepEqual(
      messages.map((message) => message.deref()),
      [undefined, undefined],
    );
  });
  assert.equal(exchange.outgoing?.headers.length, 0);
  client.write('hello');
  const [data] = (await once(client, 'data')) as [Buffer];
  assert.equal(data.toString(), 'hello');
});

test('the record of a tunnel is whole', async (t) => {
  const { client, exchange } = await startTunnel(t);
  client.write('hello');
  await once(client, 'data');
  client.end();
  await exchange.ended;
  const { clientIp, method, target, status, bytes, referer, userAgent } = exchangeRecord(exchange);
  assert.deepEqual(
    { clientIp, method, target, status, bytes, referer, userAgent },
    {
      clientIp: '192.0.2.7',
      method: 'GET',
      target: '/chat',
      status: 101,
      bytes: 5,
      referer: 'http://a.test/',
      userAgent: 'a browser',
    },
  );
});

test('a tunnel that is cut closes both sides, and its exchange ends', async (t) => {
  const { client, exchange } = await startTunnel(t);
  client.resume();
  const closed = once(client, 'close');
  exchange.cut();
  await Promise.all([closed, exchange.ended]);
});

test('a tunnel counts among those of its backend until it ends, and not after', async (t) => {
  const { client, exchange } = await startTunnel(t);
  const backend = { tunnels: 3 };
  exchange.countAsTunnel(backend);
  assert.equal(backend.tunnels, 4);
  client.destroy();
  await exchange.ended;
  assert.equal(backend.tunnels, 3);
  exchange.countAsTunnel(backend);
  assert.equal(backend.tunnels, 3);
});

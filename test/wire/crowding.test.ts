/** Idle connections make room: one client, with as many as it likes of any kind, keeps nobody out. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { adminOf, metric } from '../support/admin.ts';
import { startBackend } from '../support/backends.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { send } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';
import { startSlowBackend } from '../support/slow.ts';
import { openWebSocket, startWebSocketBackend } from '../support/websockets.ts';

/** Connections of the worker. */
const ROOM = 40;
/** How many one client tries to have. */
const MANY = 60;
const GET = 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n';
/** A visitor waits no longer, ms. */
const PROMPT_MS = 5_000;
/** The beginning of a TLS handshake: a record that announces more than comes. */
const HALF_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);

interface Ports {
  readonly plain: number;
  readonly secure: number;
}

/** Opens a connection from 127.0.0.1 and leaves it idle. Resolves when the router has seen what it is. */
type Open = (ports: Ports) => Promise<{ readonly socket: Socket; readonly end: () => void }>;

async function plain(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function secure(port: number, protocol: string): Promise<Socket> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [protocol] });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

const of = (socket: Socket): Awaited<ReturnType<Open>> => ({ socket, end: () => socket.destroy() });

async function afterOne(socket: Socket): Promise<Awaited<ReturnType<Open>>> {
  socket.write(GET);
  await once(socket, 'data');
  return of(socket);
}

async function session(socket: Socket): Promise<Awaited<ReturnType<Open>>> {
  const client = connectHttp2('http://site.test', { createConnection: () => socket });
  client.on('error', () => {});
  await once(client, 'remoteSettings');
  const stream = client.request({ ':authority': 'site.test', ':path': '/' });
  await once(stream.resume(), 'end');
  return { socket, end: () => client.destroy() };
}

const KINDS: Readonly<Record<string, Open>> = {
  'kept connections': async ({ plain: port }) => afterOne(await plain(port)),
  'connections that say nothing': async ({ plain: port }) => of(await plain(port)),
  'connections with half a head': async ({ plain: port }) => {
    const socket = await plain(port);
    socket.write('GET / HTTP/1.1\r\nHost: si');
    return of(socket);
  },
  'kept connections with half of a next head': async ({ plain: port }) => {
    const kept = await afterOne(await plain(port));
    kept.socket.write('GET / HT');
    return kept;
  },
  'TLS connections that say nothing': async ({ secure: port }) => of(await plain(port)),
  'TLS connections with half a handshake': async ({ secure: port }) => {
    const socket = await plain(port);
    socket.write(HALF_HELLO);
    return of(socket);
  },
  'TLS connections without a request': async ({ secure: port }) => of(await secure(port, 'http/1.1')),
  'kept TLS connections': async ({ secure: port }) => afterOne(await secure(port, 'http/1.1')),
  'HTTP/2 sessions without TLS': async ({ plain: port }) => session(await plain(port)),
  'HTTP/2 sessions over TLS': async ({ secure: port }) => session(await secure(port, 'h2')),
};

interface Scene {
  readonly router: Router;
  readonly ports: Ports;
  readonly slow: Awaited<ReturnType<typeof startSlowBackend>>;
}

async function start(t: TestContext, limits: object, server: object = {}): Promise<Scene> {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const slow = await startSlowBackend(t);
  const webSockets = await startWebSocketBackend(t);
  const { keyFile: key, certFile: cert } = makePair(temporaryFolder(t), 'site.test');
  const router = await startRouter(t, {
    routes: {
      'site.test': ['site', backend.url],
      'slow.test': ['slow', slow.url],
      'ws.test': ['ws', webSockets.url],
    },
    server: { limits, ...server },
    config: {
      http: { port: 0, bind: ['127.0.0.1'], http2: true },
      https: { port: 0, bind: ['127.0.0.1'], key, cert },
      admin: { port: 0 },
    },
  });
  const [plainUrl = '', secureUrl = ''] = router.urls;
  return { router, slow, ports: { plain: Number(new URL(plainUrl).port), secure: Number(new URL(secureUrl).port) } };
}

/** Asks from an address of its own, and keeps its connection until the test ends. @returns how long the answer took, ms */
async function visit(t: TestContext, port: number): Promise<number> {
  const from = performance.now();
  const socket = await plain(port, '127.0.0.2');
  t.after(() => socket.destroy());
  socket.write(GET);
  const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 /);
  return performance.now() - from;
}

for (const [name, open] of Object.entries(KINDS)) {
  test(`${name}: those idle longest make room, and no exchange is cut`, { skip: noOpenssl }, async (t) => {
    const { ports, slow, router } = await start(t, { connections: ROOM });
    // The oldest of all, and busy.
    const busy = await plain(ports.plain);
    busy.write('GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n');
    await slow.arrived(1);
    const tunnel = openWebSocket(t, `ws://127.0.0.1:${ports.plain}/`, 'ws.test');
    await once(tunnel, 'open');

    const opened: Awaited<ReturnType<Open>>[] = [];
    const closed = new Set<number>();
    for (let i = 0; i < MANY; i++) {
      const each = await open(ports);
      each.socket.once('close', () => closed.add(i));
      each.socket.resume();
      opened.push(each);
    }
    // All have been accepted.
    await eventually(() => assert.equal(closed.size, MANY + 2 - ROOM));
    const tookMs = await visit(t, ports.plain);
    assert.ok(tookMs < PROMPT_MS, `${tookMs} ms`);
    // The visitor has taken a place, too.
    const expected = MANY + 2 + 1 - ROOM;
    await eventually(() => assert.equal(closed.size, expected));
    assert.deepEqual(
      [...closed].toSorted((a, b) => a - b),
      Array.from({ length: expected }, (_, i) => i),
    );
    const full = await router.event('connections-full');
    assert.equal(full['limit'], ROOM);
    const admin = await adminOf(router);
    assert.equal(await metric(admin, 'hipache_client_connections_closed_total{reason="full"}'), expected);

    slow.waiting[0]?.response.end('slow but whole');
    const [answer] = (await once(busy, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 [^]*slow but whole/);
    tunnel.send('still here');
    assert.equal(String(((await once(tunnel, 'message')) as [Buffer])[0]), 'still here');
    busy.destroy();
    for (const each of opened) each.end();
  });
}

test('where all are busy others wait, and the first that is idle makes room', async (t) => {
  const { ports, slow } = await start(t, { connections: 2 });
  const busy = await Promise.all([plain(ports.plain), plain(ports.plain)]);
  for (const socket of busy) socket.write('GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n');
  await slow.arrived(2);
  let isAnswered = false;
  const visited = visit(t, ports.plain).then(() => (isAnswered = true));
  const [first] = slow.waiting;
  // An exchange that ends leaves its connection open, and idle.
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(isAnswered, false);
  first?.response.end('slow but whole');
  await visited;
  for (const socket of busy) socket.destroy();
});

test('past its bound a client loses its own idle connections, others keep theirs', async (t) => {
  const { ports, router } = await start(t, { connectionsPerClient: 10 }, { trustedProxies: [] });
  const other = await plain(ports.plain, '127.0.0.2');
  const closed = new Set<number>();
  const opened: Socket[] = [];
  for (let i = 0; i < 15; i++) {
    const { socket } = await afterOne(await plain(ports.plain));
    socket.once('close', () => closed.add(i));
    opened.push(socket);
  }
  await eventually(() => assert.equal(closed.size, 5));
  assert.deepEqual(
    [...closed].toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4],
  );
  assert.equal(other.readyState, 'open');
  const { client, limit } = await router.event('client-full');
  assert.deepEqual({ client, limit }, { client: '127.0.0.1', limit: 10 });
  const admin = await adminOf(router);
  assert.equal(await metric(admin, 'hipache_client_connections_closed_total{reason="client-idle"}'), 5);
  for (const socket of [other, ...opened]) socket.destroy();
});

test('a client whose connections are all busy is refused a further one at once; its WebSockets count', async (t) => {
  const { ports, router } = await start(t, { connectionsPerClient: 3 }, { trustedProxies: [] });
  const tunnels = [1, 2, 3].map(() => openWebSocket(t, `ws://127.0.0.1:${ports.plain}/`, 'ws.test'));
  await Promise.all(tunnels.map((tunnel) => once(tunnel, 'open')));
  assert.equal(await send(ports.plain, GET), '');
  await router.event('client-full');
  const admin = await adminOf(router);
  assert.equal(await metric(admin, 'hipache_client_connections_closed_total{reason="client-refused"}'), 1);
  assert.ok((await visit(t, ports.plain)) < PROMPT_MS);
  tunnels[0]?.terminate();
  await eventually(async () =>
    assert.match(await send(ports.plain, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')), / 200 /),
  );
});

test('with the PROXY protocol the address that it names counts, and the balancer has no bound', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const { port, log } = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { limits: { connectionsPerClient: 2 } },
    config: { http: { port: 0, bind: ['127.0.0.1'], proxyProtocol: 'optional' } },
  });
  const closed: string[] = [];
  const opened: Socket[] = [];
  const through = async (name: string, address: string): Promise<void> => {
    const socket = await plain(port);
    socket.once('close', () => closed.push(name));
    const family = address.includes(':') ? 'TCP6' : 'TCP4';
    const own = family === 'TCP6' ? '2001:db8::1' : '198.51.100.2';
    socket.write(`PROXY ${family} ${address} ${own} 40000 80\r\n${GET}`);
    await once(socket, 'data');
    opened.push(socket);
  };
  for (const name of ['a1', 'a2', 'a3']) await through(name, '192.0.2.7');
  for (const name of ['b1', 'b2']) await through(name, '192.0.2.8');
  // One customer's network, of 64 bits.
  for (const [i, address] of ['2001:db8:0:7::1', '2001:db8:0:7::2', '2001:db8:0:7:1::'].entries())
    await through(`n${i + 1}`, address);
  await through('m1', '2001:db8:0:8::1');
  for (let i = 0; i < 5; i++) opened.push((await afterOne(await plain(port))).socket);
  await eventually(() => assert.deepEqual(closed, ['a1', 'n1']));
  assert.deepEqual(
    log.filter(({ event }) => event === 'client-full').map(({ client }) => client),
    ['192.0.2.7', '2001:db8:0:7:1::'],
  );
  for (const socket of opened) socket.destroy();
});

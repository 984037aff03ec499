/** `deadOn5xx`: whether a backend is dead for a response of 502, and who can bring that about. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WebSocketServer } from 'ws';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { ask, type Answer } from '../support/client.ts';
import { askUntilDead, assertNobodyDied, deathsOf } from '../support/deaths.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { leaseRouter } from '../support/leased-router.ts';
import { type Router } from '../support/router.ts';
import { openWebSocket } from '../support/websockets.ts';

const ONE = '127.0.0.2';
const OTHER = '127.0.0.3';

/** A site whose two backends answer 502 to `/bad`, and another one that loses a backend. */
async function start(t: TestContext, deadOn5xx: string | null): Promise<Router> {
  const backends = await Promise.all(
    [1, 2].map(() =>
      startBackend(t, (request, response) => {
        response.statusCode = request.url === '/bad' ? 502 : 200;
        response.end();
      }),
    ),
  );
  const urls = backends.map(({ url }) => url);
  const routes = {
    'site.test': ['site', ...urls],
    'gone.test': ['gone', refusingUrl(), ...urls],
    'control.test': ['control', refusingUrl(), ...urls],
    ...(deadOn5xx !== null && { 'options:site.test': { deadOn5xx }, 'options:gone.test': { deadOn5xx } }),
  };
  return await leaseRouter(t, { routes, server: { trustedProxies: [] } });
}

async function askAs(router: Router, localAddress: string, path: string, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    const answer: Answer = await ask({ port: router.port, path, localAddress });
    assert.equal(answer.status, path === '/bad' ? 502 : 200);
  }
}

test('without the option, and with "first", one response of 502 marks its backend', async (t) => {
  for (const option of [null, 'first']) {
    const router = await start(t, option);
    await askAs(router, ONE, '/bad');
    await router.until('the death', () => deathsOf(router, 'site.test').length === 1);
  }
});

test('with "never" responses mark none, and a refused connection does', async (t) => {
  const router = await start(t, 'never');
  for (const client of [ONE, OTHER]) await askAs(router, client, '/bad', 20);
  await assertNobodyDied(router, 'site.test', 'control.test');
  await askUntilDead(router, { host: 'gone.test' });
});

test('with "agreed" one client marks none, however often it asks; a second one that fails, too, does', async (t) => {
  const router = await start(t, 'agreed');
  await askAs(router, ONE, '/bad', 30);
  await assertNobodyDied(router, 'site.test', 'control.test');
  await eventually(async () => {
    await askAs(router, OTHER, '/bad');
    assert.equal(deathsOf(router, 'site.test').length, 1);
  });
  await askUntilDead(router, { host: 'gone.test' });
});

test('with "agreed" responses that fail now and then mark none', async (t) => {
  const router = await start(t, 'agreed');
  for (let i = 0; i < 10; i++) {
    await askAs(router, i % 2 === 0 ? ONE : OTHER, '/bad');
    // About 20 to each backend.
    await askAs(router, ONE, '/good', 40);
  }
  await assertNobodyDied(router, 'site.test', 'control.test');
});

/** Two backends by HTTP/2 that respond 502 to `/bad`, under a site with this option. */
async function startHttp2Site(t: TestContext, deadOn5xx: string): Promise<Router> {
  const backends = await Promise.all(
    [1, 2].map(() =>
      startHttp2Backend(t, (stream, headers) => {
        stream.respond({ ':status': headers[':path'] === '/bad' ? 502 : 200 });
        stream.end();
      }),
    ),
  );
  const urls = backends.map(({ url }) => url);
  const routes = {
    'site.test': ['site', ...urls],
    'control.test': ['control', refusingUrl(), ...urls],
    'options:site.test': { deadOn5xx },
  };
  return await leaseRouter(t, { routes, server: { trustedProxies: [] } });
}

test('of HTTP/2 backends, responses mark one with "first", none with "never", and with "agreed" those of two clients', async (t) => {
  const first = await startHttp2Site(t, 'first');
  await askAs(first, ONE, '/bad');
  await first.until('the death', () => deathsOf(first, 'site.test').length === 1);

  const never = await startHttp2Site(t, 'never');
  for (const client of [ONE, OTHER]) await askAs(never, client, '/bad', 20);
  await assertNobodyDied(never, 'site.test', 'control.test');

  const agreed = await startHttp2Site(t, 'agreed');
  await askAs(agreed, ONE, '/bad', 30);
  await assertNobodyDied(agreed, 'site.test', 'control.test');
  await eventually(async () => {
    await askAs(agreed, OTHER, '/bad');
    assert.equal(deathsOf(agreed, 'site.test').length, 1);
  });
});

/** Two backends that refuse WebSockets with 502 at `/bad`, and accept them elsewhere. */
async function startWebSocketSite(t: TestContext, deadOn5xx: string): Promise<Router> {
  const backends = await Promise.all(
    [1, 2].map(async () => {
      const backend = await startBackend(t, (_request, response) => response.writeHead(426).end());
      backend.server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
        const { url } = request;
        if (url === '/bad') socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        else sockets.handleUpgrade(request, socket, Buffer.alloc(0), (opened) => opened.close());
      });
      return backend;
    }),
  );
  const sockets = new WebSocketServer({ noServer: true });
  t.after(() => sockets.close());
  const urls = backends.map(({ url }) => url);
  const routes = {
    'site.test': ['site', ...urls],
    'control.test': ['control', refusingUrl(), ...urls],
    'options:site.test': { deadOn5xx },
  };
  return await leaseRouter(t, { routes, server: { trustedProxies: [] } });
}

async function openAs(t: TestContext, router: Router, localAddress: string, path: string, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    const socket = openWebSocket(t, `ws://127.0.0.1:${router.port}${path}`, 'site.test', { localAddress });
    if (path !== '/bad') {
      await once(socket, 'open');
      continue;
    }
    const [, response] = (await once(socket, 'unexpected-response')) as [ClientRequest, IncomingMessage];
    assert.equal(response.statusCode, 502);
    response.resume();
    socket.terminate();
  }
}

test('of backends that refuse WebSockets with 502 it is the same', async (t) => {
  const first = await startWebSocketSite(t, 'first');
  await openAs(t, first, ONE, '/good', 4);
  await openAs(t, first, ONE, '/bad');
  await first.until('the death', () => deathsOf(first, 'site.test').length === 1);

  const never = await startWebSocketSite(t, 'never');
  for (const client of [ONE, OTHER]) await openAs(t, never, client, '/bad', 10);
  await assertNobodyDied(never, 'site.test', 'control.test');

  const agreed = await startWebSocketSite(t, 'agreed');
  await openAs(t, agreed, ONE, '/bad', 20);
  await assertNobodyDied(agreed, 'site.test', 'control.test');
  await eventually(async () => {
    await openAs(t, agreed, OTHER, '/bad');
    assert.equal(deathsOf(agreed, 'site.test').length, 1);
  });
});

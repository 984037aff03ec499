import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { startRouter } from '../support/router.ts';

/** A backend that says everything back. */
async function startEcho(t: TestContext): Promise<string> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const client of sockets.clients) client.terminate();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function connectThrough(t: TestContext, port: number): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'site.test' } });
  t.after(() => client.terminate());
  client.on('error', () => {});
  await once(client, 'open');
  return client;
}

async function echo(client: WebSocket, text: string): Promise<string> {
  client.send(text);
  const [data] = (await once(client, 'message')) as [Buffer];
  return data.toString();
}

test('WebSockets go on after a stop until they end, within server.drain.tunnels', async (t) => {
  const url = await startEcho(t);
  const drain = { requests: 0, tunnels: 60 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', url] }, server: { drain } });
  const client = await connectThrough(t, router.port);
  assert.equal(await echo(client, 'before'), 'before');
  router.signal('SIGTERM');
  await router.event('stopping');
  assert.equal(await echo(client, 'after'), 'after');
  assert.equal(router.process.exitCode, null);
  client.close();
  assert.equal(await router.exited(), 0);
});

test('WebSockets that outlast server.drain.tunnels are cut', async (t) => {
  const url = await startEcho(t);
  const drain = { requests: 0, tunnels: 0.3 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', url] }, server: { drain } });
  const client = await connectThrough(t, router.port);
  const closed = once(client, 'close');
  router.signal('SIGTERM');
  assert.equal(await router.exited(), 0);
  // 1006: no closing handshake.
  assert.deepEqual((await closed)[0], 1006);
});

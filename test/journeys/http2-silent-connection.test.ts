/** A connection to an HTTP/2 backend that dies without a sign does not take its site down. */
// @waits: for PINGs and time limits
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

/** A network in front of a server: connections of before `fail` stay open and carry nothing any more. */
async function startNetwork(t: TestContext, port: number): Promise<{ port: number; fail: () => void; count: number }> {
  const network = {
    port: 0,
    count: 0,
    fail: (): void => sockets.forEach((socket) => socket.removeAllListeners('data')),
  };
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    network.count++;
    const far = connect({ port, host: '127.0.0.1' });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => {}).on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  network.port = (server.address() as AddressInfo).port;
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return network;
}

/** A site with one HTTP/2 backend behind a network, after its first request. */
async function startSite(t: TestContext, kind: 'h2c' | 'h2') {
  const pair = kind === 'h2' ? makePair(temporaryFolder(t), 'localhost') : null;
  const tls = pair && { key: pair.key, cert: pair.cert, name: 'localhost' };
  const backend = await startHttp2Backend(
    t,
    (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    },
    tls ? { tls } : {},
  );
  const network = await startNetwork(t, Number(new URL(backend.url).port));
  const url = `${kind}://${kind === 'h2' ? 'localhost' : '127.0.0.1'}:${network.port}`;
  const server = { timeouts: { firstByte: 60 }, ...(pair && { backendTls: { ca: [pair.certFile] } }) };
  const router = await startRouter(t, { routes: { 'site.test': ['site', url] }, server });
  assert.equal((await ask({ port: router.port })).body, 'ok');
  return { network, port: router.port };
}

/** Asks again and again, each time for a second at most, until there is a response. */
async function isServedAgain(port: number): Promise<void> {
  await eventually(async () => {
    await delay(500);
    assert.equal((await ask({ port, limitMs: 1_000 })).body, 'ok');
  }, 30_000);
}

for (const kind of ['h2c', 'h2'] as const) {
  const skip = kind === 'h2' && noOpenssl;
  test(`a connection that dies without a sign is left by new requests, then closed, ${kind}`, { skip }, async (t) => {
    const { network, port } = await startSite(t, kind);
    network.fail();
    // It is on the connection before anything is known.
    const early = ask({ port, limitMs: 50_000 });
    await isServedAgain(port);
    assert.equal(network.count, 2);
    // It is safe to send twice.
    assert.equal((await early).body, 'ok');
  });
}

test('such a connection is also left when no client waits for as long as 10 s', async (t) => {
  const { network, port } = await startSite(t, 'h2c');
  network.fail();
  await isServedAgain(port);
  assert.equal(network.count, 2);
});

test('a backend that is only slow keeps its connection, whatever waits on it', async (t) => {
  let pings = 0;
  const backend = await startHttp2Backend(t, (stream, { ':path': path }) => {
    if (path === '/slow') stream.session?.on('ping', () => pings++);
    setTimeout(
      () => {
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 });
        stream.end('slow');
      },
      path === '/slow' ? 14_000 : 0,
    );
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  // What opens the connection brings bytes after the first request.
  await ask({ port: router.port });
  const { body } = await ask({ port: router.port, path: '/slow' });
  assert.equal(body, 'slow');
  assert.equal(pings, 1);
});

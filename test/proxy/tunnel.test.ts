// @waits: for time limits
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import { readAccepted, readNone } from '../../lib/fastlane/accepted-reads.ts';
import { join } from '../../lib/proxy/tunnel.ts';
import { eventually } from '../support/eventually.ts';
import { propertyRuns, seeded } from '../support/random.ts';

const PATTERN = Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 7 + i / 251) & 255));

interface Scene {
  /** The ends of the tunnel, outside of the router. */
  readonly client: Socket;
  readonly backend: Socket;
  readonly exchange: { bytesSent: number };
}

/** Both ends of a new connection. */
async function pair(t: TestContext): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  for (const socket of [near, far]) socket.on('error', () => {});
  t.after(() => [near, far].forEach((socket) => socket.destroy()));
  return [near, far];
}

async function startTunnel(t: TestContext, reader: typeof readAccepted, idleMs = 0, early = ''): Promise<Scene> {
  const [[client, accepted], [dialed, backend]] = [await pair(t), await pair(t)];
  const exchange = { bytesSent: 0, clientKey: '192.0.2.1', becomeTunnel: (): void => {} };
  if (early !== '') accepted.unshift(Buffer.from(early));
  const parts = { clock: new TimeLimits(), readAccepted: reader };
  join(exchange, accepted, dialed, parts, idleMs);
  return { client, backend, exchange };
}

async function write(socket: Socket, bytes: Buffer, random: () => number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const part = bytes.subarray(at, at + Math.ceil(random() ** 4 * 200_000));
    at += part.length;
    if (!socket.write(part)) await once(socket, 'drain');
    else if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
}

/** Reads to the end, with pauses. An iterator would destroy the socket then. */
async function read(socket: Socket, random: () => number): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => {
    parts.push(part);
    if (random() > 0.2) return;
    socket.pause();
    setTimeout(() => socket.resume(), 2);
  });
  await once(socket, 'end');
  return Buffer.concat(parts);
}

for (const [how, reader] of Object.entries({ 'by the shared buffer': readAccepted, 'by data events': readNone })) {
  test(`${how}: both directions bring every byte at the pace of the slower side, and close`, async (t) => {
    for (let run = 0; run < propertyRuns(3); run++) {
      const random = seeded(run);
      const { client, backend, exchange } = await startTunnel(t, reader, 0, 'early');
      const [up, down] = [3_000_000, 5_000_000].map((most) => Buffer.alloc(Math.ceil(random() * most), PATTERN));
      assert.ok(up && down);
      const [, , got, heard] = await Promise.all([
        write(client, up, random),
        write(backend, down, random),
        read(client, random),
        read(backend, random),
      ]);
      assert.ok(got.equals(down));
      assert.ok(heard.equals(Buffer.concat([Buffer.from('early'), up])));
      assert.equal(exchange.bytesSent, down.length);
    }
  });

  test(`${how}: a side that ends lets the other finish; one that is reset does not`, async (t) => {
    const { client, backend } = await startTunnel(t, reader);
    client.end('last words');
    assert.equal(String((await once(backend, 'data'))[0]), 'last words');
    const another = await startTunnel(t, reader);
    another.backend.resetAndDestroy();
    another.client.resume();
    await eventually(() => assert.equal(another.client.destroyed || another.client.readableEnded, true));
  });

  test(`${how}: a tunnel without bytes for too long is closed, one with bytes is not`, async (t) => {
    const { client, backend } = await startTunnel(t, reader, 3_000);
    const closed = new Promise((resolve) => client.once('end', resolve));
    client.resume();
    const start = performance.now();
    let last = start;
    backend.on('data', () => (last = performance.now()));
    const timer = setInterval(() => {
      if (performance.now() - start < 4_000) client.write('x');
    }, 100);
    await closed;
    clearInterval(timer);
    assert.ok(performance.now() - last >= 2_900);
    assert.ok(last - start > 3_000);
  });
}

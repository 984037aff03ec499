/** Bodies in chunks of one byte cost little more memory than their bytes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startRawBackend } from '../support/backends.ts';
import { dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noProc, residentBytes, workerOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';

const CLIENTS = 20;
const CHUNKS = 65_000;
const CHUNK = '1\r\nx\r\n';
/**
 * How much a worker may grow, bytes. Node's parser makes a Buffer of each chunk, and many of them are garbage that is still
 * there. Kept one by one they would be 600 MB.
 */
const GROWTH = 400_000_000;

for (const reads of [true, false]) {
  const backends = reads ? 'reads' : 'does not read';
  test(`chunks of one byte, for a backend that ${backends}, cost little memory`, { skip: noProc }, async (t) => {
    const sockets: Socket[] = [];
    let received = 0;
    const backend = await startRawBackend(t, (socket) => {
      sockets.push(socket);
      if (reads) socket.on('data', (bytes) => (received += bytes.toString('latin1').replace(/[^x]/g, '').length));
      else socket.pause();
    });
    const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
    const worker = await eventually(() => workerOf(router));
    const before = residentBytes(worker);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(router.port)));
    t.after(() => clients.forEach((client) => client.destroy()));
    for (const client of clients) {
      client.write('POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n');
      client.write(CHUNK.repeat(CHUNKS));
    }
    await read(clients);
    await eventually(() => assert.equal(sockets.length, CLIENTS));
    if (reads) await eventually(() => assert.ok(received >= CLIENTS * CHUNKS));
    const growth = residentBytes(worker) - before;
    assert.ok(growth < GROWTH, `${Math.round(growth / 1e6)} MB for ${(CLIENTS * CHUNKS) / 1e6} MB`);
  });
}

test(
  'chunks of one byte from a backend, for clients that do not read, cost little memory',
  { skip: noProc },
  async (t) => {
    const sockets: Socket[] = [];
    const backend = await startRawBackend(t, (socket) => {
      sockets.push(socket);
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        socket.write(CHUNK.repeat(CHUNKS));
      });
    });
    const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
    const worker = await eventually(() => workerOf(router));
    const before = residentBytes(worker);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(router.port)));
    t.after(() => clients.forEach((client) => client.destroy()));
    for (const client of clients) {
      client.pause();
      client.write('GET / HTTP/1.1\r\nHost: site.test\r\n\r\n');
    }
    await eventually(() => assert.equal(sockets.length, CLIENTS));
    await read(sockets);
    const growth = residentBytes(worker) - before;
    assert.ok(growth < GROWTH, `${Math.round(growth / 1e6)} MB for ${(CLIENTS * CHUNKS) / 1e6} MB`);
  },
);

/** Resolves when the router reads no more of what was written, or has read all. */
async function read(sockets: readonly Socket[]): Promise<void> {
  const left = (): number => sockets.reduce((all, socket) => all + socket.writableLength, 0);
  for (let before = -1, now = left(); now !== before && now > 0; now = left()) {
    before = now;
    await Promise.race([once(sockets[0] as Socket, 'drain'), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  }
}

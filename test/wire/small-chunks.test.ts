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

test('chunks of one byte, for a backend that does not read, cost little memory', { skip: noProc }, async (t) => {
  const sockets: Socket[] = [];
  const backend = await startRawBackend(t, (socket) => sockets.push(socket.pause()));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const worker = await eventually(() => workerOf(router));
  const before = residentBytes(worker);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dial(router.port)));
  t.after(() => clients.forEach((client) => client.destroy()));
  for (const client of clients) {
    client.write('POST / HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.write(CHUNK.repeat(CHUNKS));
  }
  // As long as the router reads.
  for (let sum = -1; ;) {
    const sent = clients.reduce((all, client) => all + client.bytesWritten - client.writableLength, 0);
    if (sent === sum) break;
    sum = sent;
    await Promise.race([once(clients[0] as Socket, 'drain'), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  }
  await eventually(() => assert.equal(sockets.length, CLIENTS));
  const growth = residentBytes(worker) - before;
  assert.ok(growth < GROWTH, `${Math.round(growth / 1e6)} MB for ${(CLIENTS * CHUNKS) / 1e6} MB`);
});

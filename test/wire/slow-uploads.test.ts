/** Clients that take their time over a body cannot take all connections of a backend from those that do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRouter } from '../support/router.ts';

test('half of server.maxSockets stays free of slow uploads', async (t) => {
  let uploads = 0;
  const backend = await startBackend(t, (request, response) => {
    if (request.method === 'POST') uploads++;
    request.resume().once('end', () => response.end('ok'));
  });
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes, server: { maxSockets: 4, timeouts: { connect: 1 } } });
  const slow = await Promise.all(Array.from({ length: 8 }, () => dial(router.port)));
  let refused = 0;
  for (const client of slow) {
    client.on('data', (chunk) => {
      if (chunk.toString('latin1').startsWith('HTTP/1.1 503 ')) refused++;
    });
    client.write('POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000\r\n\r\nsome');
  }
  await eventually(() => assert.equal(uploads + refused, 8));
  assert.equal(uploads, 2);
  for (let i = 0; i < 10; i++) assert.equal((await ask({ port: router.port })).status, 200);
  // Bodies that come at once are not slow, whatever their size.
  const quick = Array.from({ length: 6 }, () => ask({ port: router.port, method: 'POST', body: 'a'.repeat(500_000) }));
  assert.deepEqual(new Set((await Promise.all(quick)).map(({ status }) => status)), new Set([200]));
  for (const client of slow) client.destroy();
});

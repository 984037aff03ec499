import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { dial } from '../support/client.ts';
import { startRouter } from '../support/router.ts';

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

test('a plain answer to a WebSocket request arrives whole, however large, and closes the connection', async (t) => {
  const body = 'x'.repeat(2_000_000);
  const backend = await startBackend(t, (_request, response) => response.end(body));
  // Node's server would leave an upgrade without a listener to the request handler; this one knows and declines.
  backend.server.on('upgrade', (_request, socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  });
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const client = await dial(router.port);
  client.write(UPGRADE);
  let bytes = 0;
  for await (const chunk of client) bytes += (chunk as Buffer).length;
  assert.ok(bytes > body.length, `${bytes} bytes`);
  await router.line(/"GET \/ HTTP\/1\.1" 200 2000000 /);
});

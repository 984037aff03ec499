/** RFC 9110 §10.1.1: a client that waits for 100 hears from the backend, not from the router. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { refusingUrl, startRawBackend } from '../support/backends.ts';
import { dial } from '../support/client.ts';
import { leaseRouter } from '../support/leased-router.ts';

const HEAD = 'POST /upload HTTP/1.1\r\nHost: site.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';

/** What has come by the time `pattern` matches. */
async function until(socket: Socket, pattern: RegExp): Promise<string> {
  let text = '';
  while (!pattern.test(text)) {
    const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    text += chunk.toString('latin1');
  }
  return text;
}

test('the body is asked for when the backend asks for it', async (t) => {
  let received = '';
  const backend = await startRawBackend(t, (socket) => {
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      if (received.endsWith('hello')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
    });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', refusingUrl(), backend.url] } });
  const client = await dial(router.port);
  client.write(HEAD);
  assert.equal(await until(client, /\r\n\r\n/), 'HTTP/1.1 100 Continue\r\n\r\n');
  assert.match(received, /\r\nExpect: 100-continue\r\n/);
  client.write('hello');
  assert.match(await until(client, /done$/), /^HTTP\/1\.1 200 OK\r\n/);
  client.destroy();
});

test('a final answer goes back without the body', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno'));
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const client = await dial(router.port);
  client.write(HEAD);
  assert.match(await until(client, /no$/), /^HTTP\/1\.1 417 Expectation Failed\r\n/);
  client.destroy();
});

test('a backend that never says 100 still gets a body that is sent anyway', async (t) => {
  const backend = await startRawBackend(t, (socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith('hello')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
    });
  });
  const router = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const client = await dial(router.port);
  client.write(HEAD);
  client.write('hello');
  assert.match(await until(client, /done$/), /^HTTP\/1\.1 200 OK\r\n/);
  client.destroy();
});

test('no site: the refusal comes without a 100', async (t) => {
  const router = await leaseRouter(t, { routes: {} });
  const client = await dial(router.port);
  client.write(HEAD);
  assert.match(await until(client, /<\/html>/), /^HTTP\/1\.1 400 Bad Request\r\n/);
  client.destroy();
});

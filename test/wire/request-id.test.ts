/** One id follows a request: from whom it may be believed, to whom it is told. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { leaseRouter } from '../support/leased-router.ts';

const MADE = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function start(t: TestContext, server: Record<string, unknown>) {
  const heard: (string | undefined)[] = [];
  const backend = await startBackend(t, ({ headers, url }, response) => {
    heard.push(headers['x-request-id'] as string | undefined);
    if (url === '/own') response.setHeader('X-Request-Id', 'of-the-backend');
    response.end(headers['traceparent']);
  });
  const { port } = await leaseRouter(t, { routes: { 'site.test': ['site', backend.url] }, server });
  return { port, heard };
}

test('by default the backend is told an id, and the client is not', async (t) => {
  const { port, heard } = await start(t, {});
  const { headers } = await ask({ port });
  assert.match(heard[0] ?? '', MADE);
  assert.equal(headers['x-request-id'], undefined);
  await ask({ port });
  assert.notEqual(heard[0], heard[1]);
});

test('an id from a trusted peer is kept if it is well formed, and replaced if not', async (t) => {
  const { port, heard } = await start(t, {});
  const good = 'a.B+c/d=e-f_9';
  await ask({ port, headers: { 'X-Request-Id': good } });
  await ask({ port, headers: { 'X-Request-Id': 'a'.repeat(200) } });
  assert.deepEqual(heard, [good, 'a'.repeat(200)]);
  for (const bad of ['a'.repeat(201), 'a b', 'a"b', '']) await ask({ port, headers: { 'X-Request-Id': bad } });
  for (const id of heard.slice(2)) assert.match(id ?? '', MADE);
});

test('an id from anybody else is replaced', async (t) => {
  const { port, heard } = await start(t, { trustedProxies: [] });
  await ask({ port, headers: { 'X-Request-Id': 'forged', X_Request_Id: 'forged' } });
  assert.match(heard[0] ?? '', MADE);
});

test('with "both" the client is told too, in errors as well', async (t) => {
  const { port, heard } = await start(t, { requestId: 'both' });
  const { headers } = await ask({ port });
  assert.equal(headers['x-request-id'], heard[0]);
  assert.equal((await ask({ port, path: '/own' })).headers['x-request-id'], 'of-the-backend');
  assert.match(String((await ask({ port, host: 'nobody.test' })).headers['x-request-id']), MADE);
});

test('with "off" nobody makes one, and what a client sends passes', async (t) => {
  const { port, heard } = await start(t, { requestId: 'off' });
  await ask({ port });
  await ask({ port, headers: { 'X-Request-Id': 'mine' } });
  assert.deepEqual(heard, [undefined, 'mine']);
});

test('traceparent is passed on as it is (W3C Trace Context)', async (t) => {
  const { port } = await start(t, {});
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  assert.equal((await ask({ port, headers: { traceparent } })).body, traceparent);
});

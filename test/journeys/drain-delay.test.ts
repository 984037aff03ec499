// @waits: for delays
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRouter } from '../support/router.ts';

test('before a stop load balancers are told, and everybody else is served as before', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const server = { workers: 2, drain: { delay: 4 } };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server });
  const { port } = router;
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const ping = () => ask({ port, host: '__ping__' });
  assert.equal((await ping()).status, 200);
  router.signal('SIGTERM');
  await eventually(async () => {
    const { status, body } = await ping();
    assert.deepEqual({ status, body }, { status: 503, body: 'draining' });
  });
  const { status, headers } = await ask({ port, agent });
  assert.deepEqual({ status, connection: headers.connection }, { status: 200, connection: 'keep-alive' });
  assert.equal(await router.exited(), 0);
  await assert.rejects(ask({ port }), { code: 'ECONNREFUSED' });
});

test('a second SIGTERM waits for no delay', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const server = { drain: { delay: 60 } };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server });
  router.signal('SIGTERM');
  await router.event('stopping');
  router.signal('SIGTERM');
  assert.equal(await router.exited(), 0);
});

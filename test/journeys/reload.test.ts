import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { Load } from '../support/load.ts';
import { haveEnded, noProc, workersOf } from '../support/processes.ts';
import { startRouter, writeConfig } from '../support/router.ts';
import { startSlowBackend } from '../support/slow.ts';

const hello = (t: Parameters<typeof startBackend>[0]) => startBackend(t, (_request, response) => response.end('hello'));

test('SIGHUP changes the access log and the number of workers, and requests in flight finish', async (t) => {
  const backend = await startSlowBackend(t);
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes });
  const { port } = router;
  const old = noProc ? [] : workersOf(router);
  const before = ask({ port, path: '/before' });
  await backend.arrived(1);

  const accessLog = join(router.folder, 'new.log');
  writeConfig(router.folder, { routes, server: { workers: 2, accessLog } });
  router.signal('SIGHUP');
  await router.event('reloaded');
  const after = ask({ port, path: '/after' });
  await backend.arrived(2);
  if (!noProc) assert.equal(workersOf(router).length, 3);
  for (const { response } of backend.waiting) response.end('ok');
  assert.equal((await before).status, 200);
  assert.equal((await after).status, 200);
  await router.line(/"GET \/before /);
  await eventually(() => assert.match(readFileSync(accessLog, 'utf8'), /^.*"GET \/after .*\n$/));
  if (noProc) return;
  await haveEnded(old);
  assert.equal(workersOf(router).length, 2);
});

test('several SIGHUPs in a row under load cost no request, and leave one generation', async (t) => {
  const backend = await hello(t);
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { workers: 2 } });
  const load = new Load(t, router.port);
  await load.answers(20);
  for (let i = 0; i < 5; i++) {
    router.signal('SIGHUP');
    await load.answers(10);
  }
  // Those that came during a reload made for one more; a last one after them shows that it is still heard.
  await router.event('reloaded');
  const from = router.log.length;
  router.signal('SIGHUP');
  await router.event('reloaded', from);
  await load.answers(20);
  assert.deepEqual(await load.stop(), []);
  if (!noProc) await eventually(() => assert.equal(workersOf(router).length, 2));
  assert.equal(await router.stop(), 0);
});

test('a kept connection outlives a reload by one request, whose answer says that it is the last', async (t) => {
  const backend = await hello(t);
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const { port } = router;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  assert.equal((await ask({ port, agent })).headers.connection, 'keep-alive');
  router.signal('SIGHUP');
  await router.event('reloaded');
  const last = await ask({ port, agent });
  assert.deepEqual({ status: last.status, connection: last.headers.connection }, { status: 200, connection: 'close' });
  assert.equal((await ask({ port, agent })).headers.connection, 'keep-alive');
});

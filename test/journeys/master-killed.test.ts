// @one-lane: it is about how processes end
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { haveEnded, noProc, workersOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';
import { startSlowBackend } from '../support/slow.ts';

test('a master that is killed takes its workers along, busy ones too', { skip: noProc }, async (t) => {
  const backend = await startSlowBackend(t);
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { workers: 2 } });
  const workers = workersOf(router);
  const failed = assert.rejects(ask(router));
  await backend.arrived(1);
  router.signal('SIGKILL');
  await failed;
  await haveEnded(workers);
});

test('what was answered before is in the access log', { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  await ask({ port: router.port, path: '/last' });
  router.signal('SIGKILL');
  await router.exited();
  assert.match(router.lines.join('\n'), /"GET \/last HTTP\/1\.1" 200 2 /);
});

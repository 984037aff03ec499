// @one-lane: it is about how the master replaces workers
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { haveEnded, noProc, workersOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';

test('a worker that hangs is replaced: its successor serves before it ends', { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const server = { workers: 1, workerTimeout: 1 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server });
  const [worker = 0] = workersOf(router);
  process.kill(worker, 'SIGSTOP');
  // It waits in the system's queue, which is nobody's own.
  const waiting = ask(router);
  const stuck = await router.event('worker-stuck');
  assert.equal(stuck['worker'], worker);
  assert.ok(Number(stuck['silentMs']) > 1_000);
  assert.equal((await waiting).body, 'ok');
  await haveEnded([worker]);
  assert.equal(workersOf(router).length, 1);
  assert.equal(router.log.filter(({ event }) => event === 'worker-died').length, 0);
});

import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { Load } from '../support/load.ts';
import { haveEnded, noProc, workerOf } from '../support/processes.ts';
import { startRouter } from '../support/router.ts';
import { startSlowBackend } from '../support/slow.ts';

test('a fat worker is replaced without a failed request; a fat successor stays, and that is said', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  // Every worker is fatter than this from its birth.
  const memory = { limitMB: 1, interval: 1 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { memory } });
  const old = noProc ? 0 : workerOf(router);
  // With one worker the port would close if there were a moment without any.
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  t.after(() => agent.destroy());
  const load = new Load(t, router.port);
  const kept = new Load(t, router.port, 4, agent);
  const fat = await router.event('worker-fat');
  assert.equal(fat['limitMB'], 1);
  assert.ok(Number(fat['megabytes']) > 1);
  const stays = await router.event('worker-still-fat');
  assert.notEqual(stays['worker'], fat['worker']);
  assert.match(stays.msg ?? '', /server\.memory\.limitMB \(1\) may be less than any worker needs/);
  await load.answers(20);
  assert.deepEqual(await load.stop(), []);
  assert.deepEqual(await kept.stop(), []);
  if (!noProc) {
    await haveEnded([old]);
    assert.equal(workerOf(router), stays['worker']);
  }
  // Said once each; nothing is replaced every second.
  assert.equal(router.log.filter(({ event }) => event?.startsWith('worker-')).length, 2);
});

test('a fat worker finishes what it has begun', async (t) => {
  const backend = await startSlowBackend(t);
  const memory = { limitMB: 1, interval: 1 };
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] }, server: { memory } });
  const answer = ask(router);
  await backend.arrived(1);
  await router.event('worker-still-fat');
  backend.waiting[0]?.response.end('slow but whole');
  assert.equal((await answer).body, 'slow but whole');
});

test('a worker told to end by SIGTERM is replaced first', { skip: noProc }, async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const worker = workerOf(router);
  const load = new Load(t, router.port);
  await load.answers(5);
  process.kill(worker, 'SIGTERM');
  await haveEnded([worker]);
  await load.answers(5);
  assert.deepEqual(await load.stop(), []);
  assert.notEqual(workerOf(router), worker);
});

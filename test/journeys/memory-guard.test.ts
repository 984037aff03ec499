import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { Load } from '../support/load.ts';
import { haveEnded, noProc, workerOf } from '../support/processes.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';
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
  const kept = new Load(t, router.port, { agent });
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

/** A program that workers load first: it keeps more memory all the time, as a mistake would. */
function leak(t: TestContext, megabytesPerSecond: number): Readonly<Record<string, string>> {
  const file = join(temporaryFolder(t), 'leak.cjs');
  const bytes = Math.round(megabytesPerSecond * 100_000);
  writeFileSync(
    file,
    `const kept = [];
    if (process.argv[1]?.endsWith('worker-main.js'))
      setInterval(() => kept.push(Buffer.alloc(${bytes}, 1)), 100).unref();`,
  );
  return { NODE_OPTIONS: `--require ${file}` };
}

test('a worker that leaks is replaced without a failed request', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { memory: { limitMB: 200, interval: 1 } },
    env: leak(t, 40),
  });
  const load = new Load(t, router.port);
  const fat = await router.event('worker-fat');
  assert.equal(fat['limitMB'], 200);
  assert.ok(Number(fat['megabytes']) - Number(fat['expectedMB']) >= 200);
  await load.answers(20);
  assert.deepEqual(await load.stop(), []);
});

test('of workers that are too large at the same time one is replaced at a time', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { workers: 2, memory: { limitMB: 1, interval: 1 } },
  });
  await router.event('worker-fat');
  // By then the other has said so, too.
  await router.event('worker-still-fat');
  assert.equal(router.log.filter(({ event }) => event === 'worker-fat').length, 1);
});

test('reloads while workers are too large fail no request, and replace each worker once at most', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { memory: { limitMB: 1, interval: 1 } },
  });
  const load = new Load(t, router.port);
  for (let i = 1; i <= 3; i++) {
    router.signal('SIGHUP');
    await router.until('reload', () => router.log.filter(({ event }) => event === 'reloaded').length === i);
  }
  await router.event('worker-still-fat');
  await load.answers(20);
  assert.deepEqual(await load.stop(), []);
  const replaced = router.log.filter(({ event }) => event === 'worker-fat').map(({ worker }) => worker);
  assert.equal(new Set(replaced).size, replaced.length);
});

test('a worker at the ceiling is replaced whatever it is busy with, and that is announced', async (t) => {
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { memory: { limitMB: 5000, ceilingMB: 10, interval: 1 } },
  });
  const { megabytes, limitMB } = await router.event('worker-ceiling');
  assert.equal(limitMB, 10);
  assert.ok(Number(megabytes) > 10);
  const still = await router.event('worker-still-fat');
  assert.equal(still['fault'], 'ceiling');
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

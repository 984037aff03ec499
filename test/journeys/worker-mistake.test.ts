// @one-lane: it is about how a process ends
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noProc, workersOf } from '../support/processes.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

// What the program itself would do wrong if it did: a module of the test's makes workers throw on SIGUSR2.
const MODULE = `
  import cluster from 'node:cluster';
  if (cluster.isWorker) process.on('SIGUSR2', () => { throw new Error('nobody thought of this'); });`;

test('an exception that nobody catches is logged, the log line before it is kept, and the worker replaced', async (t) => {
  if (noProc) return t.skip(noProc);
  const module = join(temporaryFolder(t), 'mistake.mjs');
  writeFileSync(module, MODULE);
  const backend = await startBackend(t, (_request, response) => response.end('ok'));
  const router = await startRouter(t, {
    routes: { 'site.test': ['site', backend.url] },
    server: { workers: 2 },
    env: { NODE_OPTIONS: `--import ${module}` },
  });
  await ask({ port: router.port, path: '/before' });
  const workers = workersOf(router);
  for (const pid of workers) process.kill(pid, 'SIGUSR2');
  await router.until('two mistakes', () => router.log.filter(({ event }) => event === 'worker-mistake').length === 2);
  const mistake = await router.event('worker-mistake');
  assert.equal(mistake.level, 'fatal');
  assert.ok(workers.includes(mistake.pid ?? 0));
  assert.match(JSON.stringify(mistake['err']), /nobody thought of this.*mistake\.mjs/);
  await router.line(/"GET \/before /);
  assert.match((await router.event('worker-died')).msg ?? '', /exited with code 70/);
  await eventually(() => {
    const now = workersOf(router);
    assert.equal(now.length, 2);
    assert.ok(now.every((pid) => !workers.includes(pid)));
  });
});

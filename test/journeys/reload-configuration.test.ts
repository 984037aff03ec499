/** What a reload makes of a configuration that has changed: it takes all of it, or nothing. */
// @one-lane: it is about what the master does
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask, dial } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noProc, workersOf } from '../support/processes.ts';
import { freePort } from '../support/ports.ts';
import { startRedis } from '../support/redis.ts';
import { launchRouter, startRouter, temporaryFolder, writeConfig } from '../support/router.ts';

const hello = (t: Parameters<typeof startBackend>[0]) => startBackend(t, (_request, response) => response.end('hello'));

test('SIGHUP changes the port, and lets go of the old one', async (t) => {
  const backend = await hello(t);
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes });
  const port = await freePort();
  writeConfig(router.folder, { routes, config: { http: { port } } });
  router.signal('SIGHUP');
  await router.event('reloaded');
  assert.equal((await ask({ port })).body, 'hello');
  await eventually(() => assert.rejects(dial(router.port), { code: 'ECONNREFUSED' }));
});

test('SIGHUP changes the driver and the error pages', async (t) => {
  const backend = await hello(t);
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const { port } = router;
  assert.equal((await ask({ port })).status, 200);
  const staticDir = join(router.folder, 'pages');
  mkdirSync(staticDir);
  writeFileSync(join(staticDir, 'error_400.html'), '<p>a page of our own</p>');
  writeFileSync(join(router.folder, 'other.json'), JSON.stringify({ 'other.test': ['other', backend.url] }));
  writeConfig(router.folder, { server: { staticDir }, config: { driver: 'file:other.json' } });
  router.signal('SIGHUP');
  await router.event('reloaded');
  assert.equal((await ask({ port, host: 'other.test' })).status, 200);
  assert.equal((await ask({ port })).body, '<p>a page of our own</p>');
});

test('a configuration with faults changes nothing: every fault is logged, and everything goes on', async (t) => {
  const backend = await hello(t);
  const router = await startRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  const workers = noProc ? [] : workersOf(router);
  writeConfig(router.folder, { server: { workers: 0, maxSocket: 1 }, config: { driver: 'mysql:' } });
  router.signal('SIGHUP');
  const { msg = '' } = await router.event('reload-refused');
  for (const fault of [/server\.workers: /, /server\.maxSocket: /, /driver: /]) assert.match(msg, fault);
  writeFileSync(join(router.folder, 'config.json'), '{ "server": ');
  const from = router.log.length;
  router.signal('SIGHUP');
  assert.match((await router.event('reload-refused', from)).msg ?? '', /line 1, column/);
  assert.equal((await ask(router)).body, 'hello');
  if (!noProc) assert.deepEqual(workersOf(router), workers);
});

test('a port that is taken changes nothing either, and no half-started worker stays', async (t) => {
  const backend = await hello(t);
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes });
  const workers = noProc ? [] : workersOf(router);
  const port = Number(new URL(backend.url).port);
  writeConfig(router.folder, { routes, server: { workers: 3 }, config: { http: { port } } });
  router.signal('SIGHUP');
  const { msg = '' } = await router.event('reload-refused');
  assert.match(msg, new RegExp(`cannot listen on 127\\.0\\.0\\.1 port ${port}: .*EADDRINUSE`));
  assert.equal((await ask(router)).body, 'hello');
  if (!noProc) await eventually(() => assert.deepEqual(workersOf(router), workers));
});

test('an access log that cannot be written changes nothing either', async (t) => {
  const backend = await hello(t);
  const routes = { 'site.test': ['site', backend.url] };
  const router = await startRouter(t, { routes });
  writeConfig(router.folder, { routes, server: { accessLog: join(router.folder, 'config.json', 'access.log') } });
  router.signal('SIGHUP');
  const { msg, cause } = await router.event('reload-refused');
  assert.match(String(cause), /^server\.accessLog: .*: ENOTDIR: /);
  assert.equal(msg, `reload refused, the old configuration stays: ${String(cause)}`);
  assert.equal((await ask(router)).body, 'hello');
});

test('a pid file that cannot be written changes nothing either: the snapshot of routes stays where it was', async (t) => {
  const redis = await startRedis(t);
  const backend = await hello(t);
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const folder = temporaryFolder(t);
  const [before, after] = [join(folder, 'before'), join(folder, 'after')];
  const router = await startRouter(t, { config: { driver, cache: { snapshot: before } } });
  const pidFile = join(folder, 'pid');
  mkdirSync(pidFile);
  writeConfig(router.folder, { server: { pidFile }, config: { driver, cache: { snapshot: after } } });
  router.signal('SIGHUP');
  assert.match((await router.event('reload-refused')).msg ?? '', /server\.pidFile: /);
  assert.equal((await ask(router)).body, 'hello');
  await router.stop();
  assert.deepEqual([existsSync(before), existsSync(after)], [true, false]);
});

test('SIGHUP during the start waits for it', async (t) => {
  const backend = await hello(t);
  const router = launchRouter(t, { routes: { 'site.test': ['site', backend.url] } });
  await router.event('routes-loaded');
  router.signal('SIGHUP');
  await router.event('reloaded');
  assert.equal(router.log.filter(({ event }) => event === 'ready').length, 1);
  assert.equal((await ask(router)).body, 'hello');
});

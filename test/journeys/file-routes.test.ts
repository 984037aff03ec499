// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { noProc, workersOf } from '../support/processes.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

/** The promise of the file store, ms; the machine may add its own delays. */
const SOON_MS = 1_000;
const SLACK_MS = 9_000;

const named = (t: TestContext, name: string) => startBackend(t, (_request, response) => response.end(name));

/** Resolves when requests are answered so; fails when that takes longer than promised. */
async function isServed(port: number, body: string): Promise<void> {
  await eventually(async () => assert.equal((await ask({ port })).body, body), SOON_MS + SLACK_MS);
}

test('an edit of the routes file is served within a second, by the same workers', async (t) => {
  const [one, two] = [await named(t, 'one'), await named(t, 'two')];
  const router = await startRouter(t, { routes: { 'site.test': ['site', one.url] }, server: { workers: 2 } });
  const workers = noProc ? [] : workersOf(router);
  assert.equal((await ask(router)).body, 'one');
  writeFileSync(join(router.folder, 'routes.json'), JSON.stringify({ 'site.test': ['site', two.url] }));
  await isServed(router.port, 'two');
  for (let i = 0; i < 10; i++) await isServed(router.port, 'two');
  writeFileSync(join(router.folder, 'routes.json'), JSON.stringify({ 'other.test': ['other', two.url] }));
  await eventually(async () => assert.equal((await ask(router)).status, 400));
  // The other worker may have the edit a moment later.
  await eventually(async () => assert.equal((await ask({ port: router.port, host: 'other.test' })).body, 'two'));
  if (!noProc) assert.deepEqual(workersOf(router), workers);
});

test('a broken edit keeps the last good routes, and the log says where it is broken', async (t) => {
  const [one, two] = [await named(t, 'one'), await named(t, 'two')];
  const router = await startRouter(t, { routes: { 'site.test': ['site', one.url] } });
  const file = join(router.folder, 'routes.json');
  writeFileSync(file, `{\n  "site.test": ["site", "${two.url}"\n}`);
  const refused = await router.event('routes-refused');
  assert.equal(refused['file'], file);
  assert.match(refused.msg ?? '', /expected "," or "]" in line 3, column 1.*the last good routes are kept/);
  assert.equal((await ask(router)).body, 'one');
  writeFileSync(file, JSON.stringify({ 'site.test': ['site', two.url] }));
  await isServed(router.port, 'two');
});

test('a file renamed over the old one is seen', async (t) => {
  const [one, two] = [await named(t, 'one'), await named(t, 'two')];
  const router = await startRouter(t, { routes: { 'site.test': ['site', one.url] } });
  const next = join(router.folder, '.routes.json.swp');
  writeFileSync(next, JSON.stringify({ 'site.test': ['site', two.url] }));
  renameSync(next, join(router.folder, 'routes.json'));
  await isServed(router.port, 'two');
});

test('a link swapped beside the file is seen, as Kubernetes does it', async (t) => {
  const [one, two] = [await named(t, 'one'), await named(t, 'two')];
  const folder = temporaryFolder(t);
  for (const [version, backend] of [
    ['v1', one],
    ['v2', two],
  ] as const) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'routes.json'), JSON.stringify({ 'site.test': ['site', backend.url] }));
  }
  symlinkSync('v1', join(folder, '..data'));
  symlinkSync('..data/routes.json', join(folder, 'routes.json'));
  const router = await startRouter(t, { config: { driver: `file:${join(folder, 'routes.json')}` } });
  assert.equal((await ask(router)).body, 'one');
  symlinkSync('v2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  await isServed(router.port, 'two');
});

test('what one worker learns of a dead backend, the others know', { skip: noProc }, async (t) => {
  const good = await named(t, 'good');
  const routes = { 'site.test': ['site', refusingUrl(), good.url] };
  const router = await startRouter(t, { routes, server: { workers: 2 } });
  const { port } = router;
  // One connection, so one worker: before the mark reaches the other worker, that one could mark the backend, too.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const dead = await eventually(async () => {
    assert.equal((await ask({ port, agent })).body, 'good');
    const found = router.log.find(({ event }) => event === 'backend-dead');
    assert.ok(found);
    return found;
  });
  assert.equal(dead['id'], 0);
  // The discoverer is stopped: whoever answers now was told.
  const other = workersOf(router).find((pid) => pid !== dead.pid);
  process.kill(dead.pid ?? 0, 'SIGKILL');
  await router.event('worker-died');
  for (let i = 0; i < 20; i++) assert.equal((await ask({ port })).body, 'good');
  const others = router.log.filter(({ event, pid }) => event === 'backend-dead' && pid === other);
  assert.deepEqual(others, []);
});

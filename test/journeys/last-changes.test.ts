/** What came of reloads, upgrades and other changes: the admin interface has it, as metrics and as JSON. */
// @one-lane: it is about what the master has done
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ChangesAnswer, LiveAnswer } from '../../lib/admin/answers.ts';
import { type AdminAddress, adminOf, askAdmin, metric } from '../support/admin.ts';
import { makePair, noOpenssl } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { shakeHands } from '../support/handshakes.ts';
import { noProc } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

const RELOADED = 'hipache_config_last_reload_successful';
const RELOADED_AT = 'hipache_config_last_reload_success_timestamp_seconds';
const CHANGED = (change: string): string => `hipache_last_change_successful{change="${change}"}`;

async function changesOf(admin: AdminAddress): Promise<ChangesAnswer> {
  return (await askAdmin(admin, '/api/v1/changes')).json as ChangesAnswer;
}

async function isThere(admin: AdminAddress, name: string): Promise<boolean> {
  return (await askAdmin(admin, '/metrics')).text.includes(`\n${name} `);
}

async function start(t: TestContext): Promise<{ readonly router: Router; readonly admin: AdminAddress }> {
  const router = await startRouter(t, { routes: {}, config: { admin: { port: 0 } } });
  return { router, admin: await adminOf(router) };
}

function later(now: string | null | undefined, before: string | null | undefined): void {
  assert.ok(now && before && now > before, `${now} is not after ${before}`);
}

test('the start counts as the first reload, and what was not tried yet is null', async (t) => {
  const redis = await startRedis(t);
  const config = { driver: `redis://127.0.0.1:${redis.port}`, admin: { port: 0 } };
  const router = await startRouter(t, { config });
  const admin = await adminOf(router);
  const { reload, ...others } = await changesOf(admin);
  assert.equal(reload?.outcome, 'made');
  assert.equal(reload.reason, null);
  assert.equal(reload.lastMade, reload.time);
  assert.deepEqual(others, { upgrade: null, routes: null, logs: null, snapshot: null });
  assert.equal(await metric(admin, RELOADED), 1);
  assert.equal(await metric(admin, RELOADED_AT), Date.parse(reload.time) / 1000);
  for (const change of ['upgrade', 'routes', 'logs', 'snapshot'])
    assert.equal(await isThere(admin, CHANGED(change)), false);
});

test('a reload that is refused is told with its reason, and when the last good one was, until one is made', async (t) => {
  const { router, admin } = await start(t);
  const { reload: first } = await changesOf(admin);
  const path = join(router.folder, 'config.json');
  const good = readFileSync(path, 'utf8');
  writeFileSync(path, '{ "server": { "workers": "none" } }');
  router.signal('SIGHUP');
  const { cause } = await router.event('reload-refused');
  const { reload: refused } = await changesOf(admin);
  assert.equal(refused?.outcome, 'refused');
  assert.equal(refused.reason, cause);
  assert.match(refused.reason ?? '', /server\.workers/);
  assert.equal(refused.lastMade, first?.time);
  later(refused.time, first?.time);
  const { json } = await askAdmin(admin, '/api/v1/live');
  assert.deepEqual((json as LiveAnswer).refused, [`reload refused: ${String(cause)}`]);
  assert.equal(await metric(admin, RELOADED), 0);
  assert.equal(await metric(admin, RELOADED_AT), Date.parse(first?.time ?? '') / 1000);
  writeFileSync(path, good);
  router.signal('SIGHUP');
  await router.event('reloaded');
  await eventually(async () => assert.equal(await metric(admin, RELOADED), 1));
  const { reload: last } = await changesOf(admin);
  later(last?.time, refused.time);
  assert.equal(last?.lastMade, last?.time);
});

test('an upgrade that is refused, and one that is made: the new program tells of it', { skip: noProc }, async (t) => {
  const { router, admin } = await start(t);
  const path = join(router.folder, 'config.json');
  const good = readFileSync(path, 'utf8');
  writeFileSync(path, '{ "server": { "workers": "none" } }');
  router.signal('SIGUSR2');
  await router.event('upgrade-failed');
  const { upgrade: refused, reload } = await changesOf(admin);
  assert.deepEqual([refused?.outcome, refused?.lastMade, reload?.outcome], ['refused', null, 'made']);
  assert.equal(await metric(admin, CHANGED('upgrade')), 0);
  writeFileSync(path, good);
  const from = router.log.length;
  router.signal('SIGUSR2');
  await router.event('upgraded', from);
  const next = await adminOf(router, from);
  const { upgrade } = await changesOf(next);
  assert.equal(upgrade?.outcome, 'made');
  assert.equal(await metric(next, CHANGED('upgrade')), 1);
});

test('a routes file that is refused is told, until it is mended', async (t) => {
  const { router, admin } = await start(t);
  assert.equal((await changesOf(admin)).routes?.outcome, 'made');
  assert.equal(await metric(admin, CHANGED('routes')), 1);
  const path = join(router.folder, 'routes.json');
  writeFileSync(path, '{ "site.test": ');
  await router.event('routes-refused');
  assert.equal((await changesOf(admin)).routes?.outcome, 'refused');
  assert.ok(await isThere(admin, CHANGED('routes')));
  assert.equal(await metric(admin, CHANGED('routes')), 0);
  // A reload reads it, too.
  router.signal('SIGHUP');
  assert.match((await router.event('reload-refused')).msg ?? '', /routes\.json/);
  const both = await changesOf(admin);
  assert.deepEqual([both.reload?.outcome, both.routes?.outcome], ['refused', 'refused']);
  writeFileSync(path, '{}');
  await eventually(async () => assert.equal(await metric(admin, CHANGED('routes')), 1), 20_000);
});

test('an access log that cannot be opened anew is told', async (t) => {
  const folder = join(temporaryFolder(t), 'logs');
  mkdirSync(folder);
  const server = { accessLog: join(folder, 'access.log') };
  const router = await startRouter(t, { routes: {}, server, config: { admin: { port: 0 } } });
  const admin = await adminOf(router);
  renameSync(folder, `${folder}.old`);
  writeFileSync(folder, 'a file where a folder should be');
  router.signal('SIGUSR1');
  const { cause } = await router.event('log-failed');
  const { logs } = await changesOf(admin);
  assert.deepEqual([logs?.outcome, logs?.reason], ['refused', cause]);
  assert.equal(await metric(admin, CHANGED('logs')), 0);
  rmSync(folder);
  router.signal('SIGUSR1');
  await eventually(async () => assert.equal(await metric(admin, CHANGED('logs')), 1));
});

test('a snapshot that cannot be written is told, until it can be', async (t) => {
  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:site.test', 'site', 'http://127.0.0.1:1');
  const folder = join(temporaryFolder(t), 'state');
  const cache = { snapshot: join(folder, 'known') };
  const config = { driver: `redis://127.0.0.1:${redis.port}`, cache, admin: { port: 0 } };
  const router = await startRouter(t, { config });
  const admin = await adminOf(router);
  await ask(router);
  const { cause } = await router.event('snapshot-failed');
  const { snapshot } = await changesOf(admin);
  assert.equal(snapshot?.outcome, 'refused');
  assert.equal(snapshot.reason, cause);
  assert.equal(await metric(admin, CHANGED('snapshot')), 0);
  mkdirSync(folder);
  await eventually(async () => assert.equal(await metric(admin, CHANGED('snapshot')), 1), 20_000);
});

test('a certificate that is not used as it stands is counted, until it is mended', { skip: noOpenssl }, async (t) => {
  const pair = makePair(temporaryFolder(t), 'one');
  const router = await startRouter(t, {
    routes: {},
    config: { admin: { port: 0 }, http: { bind: [] }, https: { port: 0, bind: '127.0.0.1' } },
  });
  const admin = await adminOf(router);
  const folder = join(router.folder, 'tls');
  const put = (cert: string, key: string): void => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'site.test.crt'), cert);
    writeFileSync(join(folder, 'site.test.key'), key);
  };
  const faults = async (): Promise<number> => {
    await shakeHands(router.port, 'site.test');
    return await metric(admin, 'hipache_certificate_faults');
  };
  put(pair.cert, pair.key);
  await eventually(async () => assert.equal((await shakeHands(router.port, 'site.test')).name, 'one'), 20_000);
  assert.equal(await faults(), 0);
  put('no certificate', pair.key);
  await eventually(async () => assert.equal(await faults(), 1), 20_000);
  assert.equal((await shakeHands(router.port, 'site.test')).name, 'one');
  const { json } = await askAdmin(admin, '/api/v1/workers');
  const { workers } = json as { readonly workers: readonly { readonly certificateFaults: number | null }[] };
  assert.deepEqual(
    workers.map(({ certificateFaults }) => certificateFaults),
    [1],
  );
  put(pair.cert, pair.key);
  await eventually(async () => assert.equal(await faults(), 0), 20_000);
});

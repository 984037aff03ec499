/** What a router remembers of a Redis that came back empty, and of one that is not there when it starts. */
// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { adminOf, askAdmin } from '../support/admin.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { assertServes, assertUnavailable, at, knownSite } from '../support/known-site.ts';
import { freePort } from '../support/ports.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

test('a Redis that was emptied while it ran is believed at once', async (t) => {
  const redis = await startRedis(t);
  await knownSite(t, redis);
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  assertServes(await ask(router));
  await redis.cli('flushall');
  assert.equal((await ask(router)).status, 400);
});

test('a Redis that came back empty stays an outage after a reload, until it holds a frontend again', async (t) => {
  const redis = await startRedis(t);
  await knownSite(t, redis);
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  assertServes(await ask(router));
  await redis.restart();
  await router.event('store-emptied');
  assertServes(await ask(router));
  const seen = router.log.length;
  router.signal('SIGHUP');
  await router.event('reloaded');
  assertServes(await ask(router));
  assertUnavailable(await ask(at(router, 'unknown.test')));
  // From now on it is believed: the site is really gone.
  await redis.cli('rpush', 'frontend:other.test', 'other', 'http://127.0.0.1:1');
  await router.event('store-up', seen);
  // It may be the old worker that tells: it has not ended yet.
  await eventually(async () => assert.equal((await ask(router)).status, 400));
});

test('a Redis that came back empty is believed when the operator has the cache dropped', async (t) => {
  const redis = await startRedis(t);
  await knownSite(t, redis);
  const config = { driver: `redis://127.0.0.1:${redis.port}`, admin: { port: 0 } };
  const router = await startRouter(t, { config });
  assertServes(await ask(router));
  await redis.restart();
  await router.event('store-emptied');
  assertServes(await ask(router));
  const seen = router.log.length;
  await askAdmin(await adminOf(router), '/api/v1/cache/drop', { method: 'POST' });
  await router.event('store-up', seen);
  assert.equal((await ask(router)).status, 400);
});

test('a Redis that came back empty is believed when cache.maxStale is over', async (t) => {
  const redis = await startRedis(t);
  await knownSite(t, redis);
  const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { maxStale: 4 } };
  const router = await startRouter(t, { config });
  assertServes(await ask(router));
  await redis.restart();
  assertServes(await ask(router));
  await eventually(async () => assert.equal((await ask(router)).status, 400), 10_000);
});

function snapshotIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-snapshot-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'known-routes');
}

test('with a snapshot a router that is started without its Redis serves what was known', async (t) => {
  const redis = await startRedis(t);
  await knownSite(t, redis);
  const snapshot = snapshotIn(t);
  const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { snapshot } };
  const first = await startRouter(t, { config });
  assertServes(await ask(first));
  assert.equal(await first.stop(), 0);
  await redis.kill();

  const second = await startRouter(t, { config, server: { workers: 2 } });
  assert.equal((await second.event('snapshot-loaded'))['routes'], 1);
  assertServes(await ask(second));
  assertUnavailable(await ask(at(second, 'unknown.test')));
  // Another run, and empty: what the snapshot says still counts.
  assert.ok(await redis.start());
  const { pid } = await second.event('store-emptied');
  assertServes(await ask(second));
  // A worker that takes the place of another knows it, too.
  const seen = second.log.length;
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  await second.event('worker-died', seen);
  const successor = await second.until('successor', () => {
    return second.log.slice(seen).find((entry) => entry.event === 'store-emptied' && entry.pid !== pid);
  });
  assert.ok(successor);
  for (let i = 0; i < 4; i++) assertServes(await ask(second));
});

test('a snapshot that was tampered with is not used, and replaced in time', async (t) => {
  const redis = await startRedis(t);
  const backend = await knownSite(t, redis);
  const snapshot = snapshotIn(t);
  const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { snapshot } };
  const first = await startRouter(t, { config });
  assertServes(await ask(first));
  await first.stop();
  const text = readFileSync(snapshot, 'utf8');
  assert.ok(text.includes(backend.url));
  writeFileSync(snapshot, text.replace(backend.url, 'http://127.0.0.1:1'));

  const second = await startRouter(t, { config });
  assert.match(String((await second.event('snapshot-refused'))['cause']), /checksum/);
  assertServes(await ask(second));
  await second.stop();
  assert.equal(
    readFileSync(snapshot, 'utf8')
      .split('\n')[1]
      ?.replace(/,\d+\]$/, ''),
    text.split('\n')[1]?.replace(/,\d+\]$/, ''),
  );
});

test('a snapshot that cannot be written is reported once, and affects no request', async (t) => {
  const redis = await startRedis(t);
  await knownSite(t, redis);
  const snapshot = join(snapshotIn(t), 'no-such-folder', 'x');
  const port = await freePort();
  const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { snapshot }, http: { port } };
  const router = await startRouter(t, { config });
  assertServes(await ask(router));
  assert.match(String((await router.event('snapshot-failed'))['cause']), /ENOENT/);
  assertServes(await ask(router));
  await router.stop();
  assert.equal(router.log.filter(({ event }) => event === 'snapshot-failed').length, 1);
});

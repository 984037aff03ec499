/** A certificate that cannot be used does not take the place of one that could, in no worker, nor does silence. */
// @one-lane: handshakes end before a lane begins
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { adminOf } from '../support/admin.ts';
import { makeExpired, makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { hipache } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { shakeHands } from '../support/handshakes.ts';
import { childrenOf, noProc } from '../support/processes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

const WORKERS = 2;
/** At once: a worker that has more connections than the others pauses, so all take part. */
const HANDSHAKES = 24;

async function namesAt(port: number, host: string): Promise<readonly string[]> {
  const all = await Promise.all(Array.from({ length: HANDSHAKES }, () => shakeHands(port, host)));
  return [...new Set(all.map(({ name, error }) => String(name ?? error)))];
}

async function nameAt(port: number, host: string): Promise<string> {
  const { name, error } = await shakeHands(port, host);
  return String(name ?? error);
}

async function put(redis: TestRedis, host: string, { cert, key }: Pair): Promise<void> {
  await redis.cli('hset', `tls:${host}`, 'certificate', cert, 'key', key);
}

interface Scene {
  readonly redis: TestRedis;
  readonly router: Router;
  readonly good: Pair;
  readonly other: Pair;
}

/** A router of several workers, of which one has shown a good certificate for `a.test`. */
async function scene(t: TestContext, mode: 'request' | 'push'): Promise<Scene> {
  const redis = await startRedis(t);
  const folder = temporaryFolder(t);
  const [good, other, fallback] = [makePair(folder, 'good'), makePair(folder, 'other'), makePair(folder, 'fallback')];
  await put(redis, 'a.test', good);
  const router = await startRouter(t, {
    server: { workers: WORKERS, storeTimeout: 1 },
    config: {
      http: { bind: [] },
      https: { port: 0, bind: '127.0.0.1', key: fallback.keyFile, cert: fallback.certFile },
      driver: `redis://127.0.0.1:${redis.port}`,
      cache: { mode },
    },
  });
  assert.equal(await nameAt(router.port, 'a.test'), 'good');
  return { redis, router, good, other };
}

async function reload(router: Router): Promise<void> {
  const from = router.log.length;
  router.signal('SIGHUP');
  await router.event('reloaded', from);
}

/** Kills all workers of a master, each when the one before it has a successor. */
async function killWorkers(master: number): Promise<void> {
  // Those of before a reload may not have ended yet.
  const workers = await eventually(() => {
    const now = childrenOf(master);
    assert.equal(now.length, WORKERS);
    return now;
  }, 20_000);
  for (const pid of workers) {
    process.kill(pid, 'SIGKILL');
    await eventually(() => {
      const now = childrenOf(master);
      assert.ok(!now.includes(pid) && now.length >= WORKERS, now.join(' '));
    }, 20_000);
  }
}

/** @returns the successor's pid */
async function upgrade(router: Router): Promise<number> {
  const from = router.log.length;
  router.signal('SIGUSR2');
  return Number((await router.event('upgraded', from))['successor']);
}

/** What `hipache route explain` says. */
async function explained(config: string): Promise<string> {
  return (await hipache(['route', 'explain', 'a.test', '-c', config])).stdout;
}

describe('the last good certificate', { skip: noOpenssl || noProc }, () => {
  for (const mode of ['request', 'push'] as const) {
    test(`${mode}: is what every worker shows when a bad one is written, and every later worker`, async (t) => {
      const { redis, router, good, other } = await scene(t, mode);
      const { port } = router;
      await put(redis, 'a.test', { ...good, key: other.key });
      await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['good']), 10_000);
      await reload(router);
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      await killWorkers(router.process.pid ?? 0);
      await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['good']), 10_000);
      await put(redis, 'a.test', makeExpired(temporaryFolder(t), 'expired'));
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      await upgrade(router);
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      await redis.cli('hdel', 'tls:a.test', 'key');
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      await put(redis, 'a.test', other);
      await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['other']), 10_000);
    });

    test(`${mode}: is what a worker shows that knew an older one alone`, async (t) => {
      const { redis, router, other } = await scene(t, mode);
      const { port } = router;
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      await put(redis, 'a.test', other);
      await eventually(async () => assert.equal(await nameAt(port, 'a.test'), 'other'), 10_000);
      await redis.cli('hset', 'tls:a.test', 'key', 'nonsense');
      await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['other']), 10_000);
    });

    test(`${mode}: serves while Redis is gone, in workers that began since`, async (t) => {
      const { redis, router } = await scene(t, mode);
      const { port } = router;
      await redis.kill();
      await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['good']), 10_000);
      await reload(router);
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      await killWorkers(router.process.pid ?? 0);
      await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['good']), 10_000);
      const successor = await upgrade(router);
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      assert.deepEqual(await namesAt(port, 'b.test'), ['fallback']);
      await killWorkers(successor);
      await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['good']), 10_000);
      assert.ok(!JSON.stringify(router.log).includes('PRIVATE KEY'));
    });

    test(`${mode}: is forgotten by all when its key is deleted`, async (t) => {
      const { redis, router } = await scene(t, mode);
      const { port } = router;
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      await redis.cli('del', 'tls:a.test');
      await eventually(async () => assert.equal(await nameAt(port, 'a.test'), 'fallback'), 10_000);
      await redis.cli('set', 'tls:a.test', 'x');
      await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['fallback']), 10_000);
      await redis.kill();
      await reload(router);
      assert.deepEqual(await namesAt(port, 'a.test'), ['fallback']);
    });
  }

  test('is what explain tells of, and why it is not the newer one', async (t) => {
    const redis = await startRedis(t);
    const folder = temporaryFolder(t);
    const [good, other] = [makePair(folder, 'good'), makePair(folder, 'other')];
    await put(redis, 'a.test', good);
    await put(redis, '*.test', other);
    const router = await startRouter(t, {
      server: { workers: WORKERS },
      config: {
        http: { bind: [] },
        https: { port: 0, bind: '127.0.0.1' },
        driver: `redis://127.0.0.1:${redis.port}`,
        admin: join(folder, 'admin.sock'),
      },
    });
    await adminOf(router);
    const config = join(router.folder, 'config.json');
    assert.equal(await nameAt(router.port, 'a.test'), 'good');
    assert.match(await explained(config), /^ {2}tls:a\.test, for good, until 20/m);
    await redis.cli('hset', 'tls:a.test', 'key', other.key);
    assert.deepEqual(await namesAt(router.port, 'a.test'), ['good']);
    const said = await explained(config);
    assert.match(
      said,
      /^ {2}the last valid certificate of tls:a\.test, for good, until 20.*: the current one has a key that does/m,
    );
    assert.match(said, /tls-pair/);
    await redis.kill();
    await reload(router);
    assert.match(
      await explained(config),
      /^ {2}the last valid certificate of tls:a\.test, for good, until 20.*: the current one cannot be read/m,
    );
  });

  test('of a folder stays in use in workers that began since', async (t) => {
    const pairs = temporaryFolder(t);
    const [good, other] = [makePair(pairs, 'good'), makePair(pairs, 'other')];
    const config = { http: { bind: [] }, https: { port: 0, bind: '127.0.0.1' } };
    const router = await startRouter(t, { routes: {}, server: { workers: WORKERS }, config });
    const { folder, port } = router;
    mkdirSync(join(folder, 'tls'));
    writeFileSync(join(folder, 'tls', 'a.test.key'), good.key);
    writeFileSync(join(folder, 'tls', 'a.test.crt'), good.cert);
    await eventually(async () => assert.equal(await nameAt(port, 'a.test'), 'good'), 10_000);
    const from = router.log.length;
    writeFileSync(join(folder, 'tls', 'a.test.key'), other.key);
    await eventually(async () => {
      assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
      assert.ok(router.log.slice(from).some(({ event }) => event === 'certificate-fault'));
    }, 10_000);
    await reload(router);
    assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
    await killWorkers(router.process.pid ?? 0);
    await eventually(async () => assert.deepEqual(await namesAt(port, 'a.test'), ['good']), 10_000);
    await upgrade(router);
    assert.deepEqual(await namesAt(port, 'a.test'), ['good']);
  });
});

/** Certificates of tenants, which are in Redis beside their routes. */
// @one-lane: handshakes end before a lane begins
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { makeExpired, makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { helloWith, shakeHands } from '../support/handshakes.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { type Router, startRouter, temporaryFolder } from '../support/router.ts';

const UNRECOGNIZED = 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME';

interface Options {
  readonly mode?: 'request' | 'push';
  readonly prefix?: string;
  readonly fallback?: Pair;
  readonly server?: Readonly<Record<string, unknown>>;
  readonly userinfo?: string;
}

async function start(
  t: TestContext,
  redis: TestRedis,
  options: Options = {},
): Promise<{ router: Router; port: number }> {
  const { mode = 'request', prefix = '', fallback, server = {}, userinfo = '' } = options;
  const router = await startRouter(t, {
    server: { workers: 2, ...server },
    config: {
      http: { bind: [] },
      https: { port: 0, bind: '127.0.0.1', ...(fallback && { key: fallback.keyFile, cert: fallback.certFile }) },
      driver: `redis://${userinfo}127.0.0.1:${redis.port}${prefix}`,
      cache: { mode },
    },
  });
  return { router, port: router.port };
}

async function keep(redis: TestRedis, key: string, { cert, key: secret }: Pair): Promise<void> {
  await redis.cli('hset', key, 'certificate', cert, 'key', secret);
}

async function nameAt(port: number, servername: string): Promise<string | null> {
  const { name, error } = await shakeHands(port, servername);
  return name ?? error;
}

describe('certificates in Redis', { skip: noOpenssl }, () => {
  for (const mode of ['request', 'push'] as const) {
    test(`${mode}: a host’s handshake gets its own, else its wildcard’s, else the configuration’s, and news at once`, async (t) => {
      const redis = await startRedis(t);
      const folder = temporaryFolder(t);
      const [own, other, wild, fallback] = ['own', 'other', 'wild', 'fallback'].map((name) => makePair(folder, name));
      if (!own || !other || !wild || !fallback) throw new Error('no pairs');
      const { port } = await start(t, redis, { mode, fallback });
      assert.equal(await nameAt(port, 'www.a.test'), 'fallback');
      await keep(redis, 'tls:*.a.test', wild);
      await eventually(async () => assert.equal(await nameAt(port, 'www.a.test'), 'wild'));
      // A wildcard stands for one label.
      assert.equal(await nameAt(port, 'deep.www.a.test'), 'fallback');
      await keep(redis, 'tls:www.a.test', own);
      await eventually(async () => assert.equal(await nameAt(port, 'WWW.a.test'), 'own'));
      assert.equal(await nameAt(port, 'b.a.test'), 'wild');
      await keep(redis, 'tls:www.a.test', other);
      await eventually(async () => assert.equal(await nameAt(port, 'www.a.test'), 'other'));
      await redis.cli('del', 'tls:www.a.test');
      await eventually(async () => assert.equal(await nameAt(port, 'www.a.test'), 'wild'));
      assert.equal(await nameAt(port, ''), 'fallback');
    });
  }

  test('push: Redis is asked once, until it tells of a change', async (t) => {
    const redis = await startRedis(t);
    const folder = temporaryFolder(t);
    await keep(redis, 'tls:a.test', makePair(folder, 'first'));
    const { port } = await start(t, redis, { mode: 'push', server: { workers: 1 } });
    await eventually(async () => {
      const before = await lookups(redis);
      assert.equal(await nameAt(port, 'a.test'), 'first');
      assert.equal(await lookups(redis), before);
    });
    await keep(redis, 'tls:a.test', makePair(folder, 'second'));
    await eventually(async () => assert.equal(await nameAt(port, 'a.test'), 'second'));
  });

  test('without a certificate for a name the handshake ends with the alert unrecognized_name', async (t) => {
    const redis = await startRedis(t);
    await keep(redis, 'tls:a.test', makePair(temporaryFolder(t), 'a'));
    const { port, router } = await start(t, redis);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      assert.equal((await shakeHands(port, 'b.test', { maxVersion })).error, UNRECOGNIZED);
      assert.equal((await shakeHands(port, 'a.test', { maxVersion })).name, 'a');
    }
    assert.match((await shakeHands(port, '')).error ?? '', /HANDSHAKE_FAILURE/);
    assert.deepEqual(faultsOf(router), []);
  });

  test('a pair that cannot be used is reported once, and the last good one stays; others are untouched', async (t) => {
    const redis = await startRedis(t);
    const folder = temporaryFolder(t);
    const good = makePair(folder, 'good');
    const other = makePair(folder, 'other');
    await keep(redis, 'tls:a.test', good);
    await keep(redis, 'tls:b.test', other);
    const { port, router } = await start(t, redis, { server: { workers: 1 } });
    assert.equal(await nameAt(port, 'a.test'), 'good');
    const expired = makeExpired(folder, 'expired');
    const bad: readonly [string, readonly string[], RegExp][] = [
      ['mismatched', ['certificate', other.cert, 'key', good.key], /key that does not match its certificate/],
      ['no certificate', ['certificate', 'nonsense', 'key', good.key], /no certificate in PEM form/],
      ['no key', ['certificate', good.cert, 'key', 'nonsense'], /no private key in PEM form/],
      ['expired', ['certificate', expired.cert, 'key', expired.key], /expired on 20/],
      ['half of it', ['certificate', good.cert], /certificate and no key/],
    ];
    for (const [what, fields, fault] of bad) {
      const from = router.log.length;
      await redis.cli('multi');
      await redis.cli('del', 'tls:a.test');
      await redis.cli('hset', 'tls:a.test', ...fields);
      await redis.cli('exec');
      assert.equal(await nameAt(port, 'a.test'), 'good', what);
      assert.equal(await nameAt(port, 'a.test'), 'good', what);
      assert.equal(await nameAt(port, 'b.test'), 'other', what);
      const entry = await router.event('certificate-fault', from);
      assert.deepEqual([entry['key'], entry.level], ['tls:a.test', 'error']);
      assert.match(String(entry['fault']), fault);
      assert.equal(router.log.slice(from).filter(({ event }) => event === 'certificate-fault').length, 1, what);
    }
    const from = router.log.length;
    await redis.cli('set', 'tls:b.test', 'x');
    assert.equal(await nameAt(port, 'b.test'), 'other');
    assert.match(String((await router.event('certificate-fault', from))['fault']), /no hash/);
    assert.ok(!JSON.stringify(router.log).includes('PRIVATE KEY'));
    await redis.cli('del', 'tls:a.test');
    assert.equal(await nameAt(port, 'a.test'), UNRECOGNIZED);
  });

  test('a pair that was never good is as good as none', async (t) => {
    const redis = await startRedis(t);
    const folder = temporaryFolder(t);
    const fallback = makePair(folder, 'fallback');
    await keep(redis, 'tls:a.test', { ...fallback, cert: makePair(folder, 'a').cert });
    const { port, router } = await start(t, redis, { fallback });
    assert.equal(await nameAt(port, 'a.test'), 'fallback');
    await router.event('certificate-fault');
  });

  test('while Redis is silent the last good one serves, and unknown names wait for no longer than a lookup may', async (t) => {
    const redis = await startRedis(t);
    await keep(redis, 'tls:a.test', makePair(temporaryFolder(t), 'a'));
    const { port } = await start(t, redis, { server: { workers: 1, storeTimeout: 0.3 } });
    // On a busy machine Redis may take longer than that.
    await eventually(async () => assert.equal(await nameAt(port, 'a.test'), 'a'));
    redis.pause();
    const startedAt = performance.now();
    assert.deepEqual(await Promise.all([nameAt(port, 'a.test'), nameAt(port, 'b.test')]), ['a', UNRECOGNIZED]);
    assert.ok(performance.now() - startedAt < 5_000);
    redis.resume();
    await redis.kill();
    assert.equal(await nameAt(port, 'a.test'), 'a');
  });

  test('a prefix stands before the key, and names of any bytes reach Redis as keys or not at all', async (t) => {
    const redis = await startRedis(t);
    const folder = temporaryFolder(t);
    await keep(redis, 'site:tls:a.test', makePair(folder, 'a'));
    const { port, router } = await start(t, redis, { prefix: '#site:', server: { workers: 1 } });
    assert.equal(await nameAt(port, 'a.test'), 'a');
    const before = await lookups(redis);
    const odd = [
      '../a.test',
      'a.test/',
      '*',
      '*.test',
      'a b',
      'a.test\r\nset x y',
      'x'.repeat(256),
      'ä.test',
      '[::1]',
      'a.test:1',
    ];
    for (const name of odd) await helloWith(port, name);
    assert.equal(await lookups(redis), before);
    // What could be a host's name is asked for, and nothing comes of it.
    for (const name of ['..', '.', 'x'.repeat(255), '__proto__']) await helloWith(port, name);
    assert.equal(await nameAt(port, 'a.test'), 'a');
    assert.deepEqual(
      router.log.filter(({ event }) => event === 'worker-died'),
      [],
    );
  });

  for (const mode of ['request', 'push'] as const) {
    test(`${mode}: the rights that docs/redis.md lists are enough`, async (t) => {
      const redis = await startRedis(t);
      const rule = /^ACL SETUSER hipache .*$/m.exec(readFileSync(join(packageRoot, 'docs/redis.md'), 'utf8'))?.[0];
      assert.ok(rule);
      await redis.cli('acl', ...rule.split(' ').slice(1));
      const folder = temporaryFolder(t);
      await keep(redis, 'tls:a.test', makePair(folder, 'first'));
      const { port, router } = await start(t, redis, { mode, userinfo: 'hipache:password@' });
      assert.equal(await nameAt(port, 'a.test'), 'first');
      await keep(redis, 'tls:a.test', makePair(folder, 'second'));
      await eventually(async () => assert.equal(await nameAt(port, 'a.test'), 'second'));
      assert.deepEqual(await redis.cli('acl', 'log'), []);
      assert.deepEqual(faultsOf(router), []);
    });
  }

  test('in a cluster they serve wherever their keys are', async (t) => {
    const cluster = await startCluster(t, 2);
    const folder = temporaryFolder(t);
    const hosts = [0, 1].map((place) => cluster.hostOn(place, 'tls:'));
    for (const [i, host] of hosts.entries()) {
      const { cert, key } = makePair(folder, `place${i}`);
      await cluster.cli('hset', `tls:${host}`, 'certificate', cert, 'key', key);
    }
    const [first] = cluster.masters;
    const router = await startRouter(t, {
      config: {
        http: { bind: [] },
        https: { port: 0, bind: '127.0.0.1' },
        driver: `redis+cluster://127.0.0.1:${first?.port}/`,
      },
    });
    for (const [i, host] of hosts.entries()) assert.equal(await nameAt(router.port, host), `place${i}`);
  });

  test('a Redis user without the right to them is told of, and the configuration’s serves', async (t) => {
    const redis = await startRedis(t, { lines: ['user old on >pw ~frontend:* ~dead:* ~hchecker_ping &* +@all'] });
    const fallback = makePair(temporaryFolder(t), 'fallback');
    const { port, router } = await start(t, redis, { fallback, userinfo: 'old:pw@' });
    assert.equal(await nameAt(port, 'a.test'), 'fallback');
    assert.match(String((await router.event('certificate-fault'))['fault']), /may not be read/);
  });
});

/** How often Redis was asked for a hash. */
async function lookups(redis: TestRedis): Promise<number> {
  const said = String(await redis.cli('info', 'commandstats'));
  return Number(/cmdstat_hmget:calls=([0-9]+)/.exec(said)?.[1] ?? 0);
}

function faultsOf(router: Router): readonly unknown[] {
  return router.log.filter(({ event }) => event === 'certificate-fault');
}

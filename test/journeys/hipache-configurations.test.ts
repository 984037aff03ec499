/** What Hipache's own functional suites hold its drivers and its configuration to. */
// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../support/client.ts';
import { faultsOf } from '../support/configurations.ts';
import { eventually } from '../support/eventually.ts';
import { closingBackend, SERVER } from '../support/hipache-suites.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

test('a driver URL with a database, a prefix, a password or all of them finds what stands there', async (t) => {
  const [open, shut] = [await startRedis(t), await startRedis(t, { password: 'superpassword' })];
  const backends: readonly string[] = [(await closingBackend(t, 201)).url, (await closingBackend(t, 202)).url];
  for (const [redis, user, rest, database, prefix] of [
    [open, '', '', 0, ''],
    [open, '', '/#someprefix', 0, 'someprefix'],
    [open, '', '/1', 1, ''],
    [open, '', '/2#someprefix', 2, 'someprefix'],
    [shut, ':superpassword@', '/1#someprefix', 1, 'someprefix'],
  ] as const) {
    const driver = `redis://${user}127.0.0.1:${redis.port}${rest}`;
    const client = redis.client();
    await client.select(database);
    const { port } = await startRouter(t, { server: { ...SERVER, workers: 1 }, config: { driver } });
    const statuses = async () => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => ask({ port, host: 'domain.test' })));
      return [...new Set(answers.map(({ status }) => status))].toSorted((a, b) => a - b);
    };
    const key = `${prefix}frontend:domain.test`;
    assert.deepEqual(await statuses(), [400], 'nothing stands there');
    await client.rpush(`${prefix}frontend:*`, 'fallback', backends[1] ?? '');
    assert.deepEqual(await statuses(), [202], 'a frontend for all');
    await client.rpush(key, 'myvhost', backends[0] ?? '');
    assert.deepEqual(await statuses(), [201], 'one backend');
    await client.rpush(key, backends[1] ?? '');
    assert.deepEqual(await statuses(), [201, 202], 'two');
    // A mark for a place that the list does not have hides no backend.
    await client.sadd(`${prefix}dead:domain.test`, 1, 5);
    await client.pexpire(`${prefix}dead:domain.test`, 300);
    await eventually(async () => assert.deepEqual(await statuses(), [201, 202], 'the mark ends by itself'));
    await client.sadd(`${prefix}dead:domain.test`, 1, 5);
    assert.deepEqual(await statuses(), [201], 'the second is dead');
    await client.select(0);
  }
});

for (const [what, https, fault] of [
  ['a key file that is not there', { key: 'whateverbogus', cert: 'cert.pem' }, /^https\.key: .*whateverbogus/m],
  ['a certificate file that is not there', { key: 'key.pem', cert: 'whateverbogus' }, /^https\.cert: .*whateverbogus/m],
  [
    'a ca file that is not there',
    { key: 'key.pem', cert: 'cert.pem', ca: 'whateverbogus' },
    /^https\.ca.*whateverbogus/m,
  ],
  ['no key', { cert: 'cert.pem' }, /^https\.key: /m],
  ['no certificate', { key: 'key.pem' }, /^https\.cert: /m],
] as const) {
  test(`https with ${what} is a fault that is named`, () => {
    assert.match(faultsOf({ https: { ...https, bind: ['::1'] } }).join('\n'), fault);
  });
}

for (const driver of ['nopassaran://', 'bogus', 'drivertpl://', 'memcached://', 'etcd:', 'etcds://', 'redis:///ß∞']) {
  test(`the driver ${driver} is refused before anything starts`, () => {
    assert.match(faultsOf({ driver }).join('\n'), /^driver: /m);
  });
}

test('a Redis whose name leads nowhere costs each request a 503 within the limit, and is logged', async (t) => {
  const config = { driver: 'redis://wontresolve.invalid:7001' };
  const router = await startRouter(t, { server: { ...SERVER, storeTimeout: 1 }, config });
  assert.equal((await ask({ port: router.port, host: 'simple' })).status, 503);
  await router.event('store-down');
});

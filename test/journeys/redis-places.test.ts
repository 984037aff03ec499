// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { launchRouter, Router, startRouter, temporaryFolder, writeConfig } from '../support/router.ts';

const hello = (t: TestContext) => startBackend(t, (_request, response) => response.end('hello'));
const failing = (t: TestContext) => startBackend(t, (_request, response) => response.writeHead(502).end());

async function setRoute(redis: TestRedis, key: string, ...urls: string[]): Promise<void> {
  await redis.cli('rpush', key, 'site', ...urls);
}

test('a Unix socket is as good as a port, with a database and a prefix', async (t) => {
  const redis = await startRedis(t, { password: 's3cret' });
  const backend = await hello(t);
  await redis.client().select(3);
  await setRoute(redis, 'eu:frontend:site.test', backend.url);
  const driver = `redis+unix://:s3cret@${redis.socketPath}?db=3#eu:`;
  const router = await startRouter(t, { config: { driver, cache: { maxStale: 0 } } });
  assert.equal((await ask(router)).body, 'hello');
  await redis.kill();
  assert.match(
    (await router.event('store-down')).msg ?? '',
    /redis\+unix:\/\/\/.*redis\.sock\?db=3#eu: .*ENOENT|ECONN/,
  );
  assert.equal((await ask(router)).status, 503);
  assert.ok(await redis.start());
  await redis.client().select(3);
  await setRoute(redis, 'eu:frontend:site.test', backend.url);
  await eventually(async () => assert.equal((await ask(router)).body, 'hello'));
  assert.doesNotMatch(JSON.stringify(router.log), /s3cret/);
});

test('rediss: trusts the authority that driverTls names, and shows its own certificate', async (t) => {
  const redis = await startRedis(t, { tls: 'mutual' });
  const backend = await hello(t);
  await setRoute(redis, 'frontend:site.test', backend.url);
  // By name and by address: both are in the certificate.
  for (const host of ['localhost', '127.0.0.1']) {
    const driver = `rediss://${host}:${redis.port}`;
    const driverTls = { ca: redis.caPath, ...redis.clientFiles };
    const router = await startRouter(t, { config: { driver, driverTls } });
    assert.equal((await ask(router)).body, 'hello');
  }
  const driver = `rediss://localhost:${redis.port}`;
  const stranger = await startRouter(t, { config: { driver, driverTls: { ca: [redis.caPath] } } });
  assert.match((await stranger.event('store-down')).msg ?? '', /certificate|closed|ECONNRESET/);
  const wary = await startRouter(t, { config: { driver, driverTls: redis.clientFiles } });
  assert.match((await wary.event('store-down')).msg ?? '', /certificate/);
  assert.equal((await ask(wary)).status, 503);
});

test('a key that is not the certificate’s is refused before anything starts', async (t) => {
  const redis = await startRedis(t, { tls: 'mutual' });
  const { cert } = redis.clientFiles;
  const driverTls = { cert, key: join(cert, '../server.key') };
  const router = launchRouter(t, { config: { driver: `rediss://localhost:${redis.port}`, driverTls } });
  assert.equal(await router.exited(), 1);
  assert.match(router.stray.join('\n') + JSON.stringify(router.log), /driverTls\.key: .*server\.key is not the key of/);
});

test('--dry shows no secret of any driver URL', async (t) => {
  for (const driver of [
    ['redis+sentinel://u:s3cret@a,b:1/m/0?sentinel_password=cret4', 'rediss+cluster://:s3cret@h'],
    ['redis+unix://s3cret@/run/r.sock', 'rediss://:s3cret@h'],
  ]) {
    const folder = temporaryFolder(t);
    const router = new Router(folder, ['--dry', '--config', writeConfig(folder, { config: { driver } })], {});
    assert.equal(await router.exited(), 0);
    assert.doesNotMatch(router.lines.join('\n'), /s3cret|cret4/);
    assert.match(router.lines.join('\n'), /\*\*\*/);
  }
});

test('the rights that docs/redis.md lists are enough, and none is asked for that is not there', async (t) => {
  const redis = await startRedis(t);
  const rule = /^ACL SETUSER hipache .*$/m.exec(readFileSync(join(packageRoot, 'docs/redis.md'), 'utf8'))?.[0];
  assert.ok(rule);
  await redis.cli('acl', ...rule.split(' ').slice(1));
  const [good, bad] = [await hello(t), await failing(t)];
  await setRoute(redis, 'frontend:site.test', bad.url, good.url);
  await redis.client().hset('hchecker_ping', 'a', 'b');
  await redis.cli('del', 'hchecker_ping');
  const subscriber = redis.client().duplicate();
  t.after(() => subscriber.disconnect());
  await subscriber.subscribe('dead');
  const announced = once(subscriber, 'message');
  const router = await startRouter(t, { config: { driver: `redis://hipache:password@127.0.0.1:${redis.port}/0` } });
  while ((await ask(router)).status !== 502);
  assert.deepEqual(await announced, ['dead', `site.test;${bad.url};0;2`]);
  assert.deepEqual(await redis.cli('smembers', 'dead:site.test'), ['0']);
  assert.ok(Number(await redis.cli('ttl', 'dead:site.test')) > 0);
  // A server that was emptied, scripts and all.
  await redis.cli('script', 'flush');
  assert.equal((await ask(router)).body, 'hello');
  await redis.cli('hset', 'weights:site.test', good.url, '5');
  await redis.cli('hset', 'options:site.test', 'sticky', 'home');
  assert.match(String((await ask(router)).headers['set-cookie']), /^home=/);
  assert.equal(await redis.cli('hexists', 'secrets', 'sticky'), 1);
  assert.deepEqual(await redis.cli('acl', 'log'), []);
});

test('reads go to the replica nearby, deaths to the master, and come back by replication', async (t) => {
  const master = await startRedis(t);
  const replica = await startRedis(t, { lines: [`replicaof 127.0.0.1 ${master.port}`] });
  const [good, bad] = [await hello(t), await failing(t)];
  const driver = [`redis://127.0.0.1:${replica.port}`, `redis://127.0.0.1:${master.port}`];
  const router = await startRouter(t, { config: { driver } });
  await setRoute(master, 'frontend:site.test', bad.url, good.url);
  while ((await master.cli('wait', 1, 1000)) !== 1);
  while ((await ask(router)).status !== 502);
  await eventually(async () => assert.deepEqual(await replica.cli('smembers', 'dead:site.test'), ['0']));
  for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'hello');
  // Without its master the replica goes on telling what it knows.
  await master.kill();
  await router.event('store-down');
  assert.equal((await ask(router)).body, 'hello');
});

// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { askOnAndOn } from '../support/asking.ts';
import { eventually } from '../support/eventually.ts';
import { startSentinels } from '../support/redis-sentinel.ts';
import { type Router, startRouter } from '../support/router.ts';

/** The store's time limit, s, and what a busy machine adds to an answer, ms. */
const STORE_TIMEOUT = 0.5;
const SLACK_MS = 3500;
/** Of "within a second", on a busy machine, ms. */
const RECOVERY_MS = 4000;

/** Without memory: what it answers is what it was told just now. */
const routerOn = (t: TestContext, driver: string): Promise<Router> =>
  startRouter(t, { server: { storeTimeout: STORE_TIMEOUT }, config: { driver, cache: { maxStale: 0 } } });

const hello = (t: TestContext) => startBackend(t, (_request, response) => response.end('hello'));

test('a failover on request is followed: reads and deaths go to the new master', async (t) => {
  const redis = await startSentinels(t);
  const backend = await hello(t);
  const old = await redis.master();
  await old.cli('rpush', 'frontend:site.test', 'site', backend.url);
  const router = await routerOn(t, redis.url());
  assert.equal((await ask(router)).body, 'hello');
  const stop = askOnAndOn(router, STORE_TIMEOUT * 1000 + SLACK_MS);
  await eventually(() => redis.sentinels[0]?.cli('sentinel', 'failover', 'mymaster'), RECOVERY_MS);
  await redis.haveElected(old);
  const master = await redis.master();
  // Only the new one takes writes.
  await eventually(() => master.cli('rpush', 'frontend:new.test', 'new', backend.url));
  await eventually(
    async () => assert.equal((await ask({ port: router.port, host: 'new.test' })).body, 'hello'),
    RECOVERY_MS,
  );
  const statuses = await stop();
  assert.ok((statuses.get(200) ?? 0) > 0);
  assert.deepEqual(
    [...statuses.keys()].filter((status) => status !== 200 && status !== 503),
    [],
  );
  const failing = await startBackend(t, (_request, response) => response.writeHead(502).end());
  await master.cli('rpush', 'frontend:dying.test', 'x', failing.url, backend.url);
  await eventually(async () => {
    await ask({ port: router.port, host: 'dying.test' });
    assert.deepEqual(await master.cli('smembers', 'dead:dying.test'), ['0']);
  }, RECOVERY_MS);
  assert.deepEqual(router.stray, []);
});

for (const [what, end] of [
  ['killed', 'kill'],
  ['silent', 'pause'],
] as const) {
  test(`a master that is ${what} is followed by its replica, without a restart`, async (t) => {
    const redis = await startSentinels(t);
    const backend = await hello(t);
    const old = await redis.master();
    await old.cli('rpush', 'frontend:site.test', 'site', backend.url);
    await old.cli('wait', 1, 5000);
    const router = await routerOn(t, redis.url());
    const stop = askOnAndOn(router, STORE_TIMEOUT * 1000 + SLACK_MS);
    await router.line(/ 200 /);
    await old[end]();
    await redis.haveElected(old);
    const electedAt = performance.now();
    await eventually(async () => assert.equal((await ask(router)).body, 'hello'), RECOVERY_MS);
    t.diagnostic(`served ${Math.round(performance.now() - electedAt)} ms after the election`);
    const statuses = await stop();
    assert.deepEqual(
      [...statuses.keys()].filter((status) => status !== 200 && status !== 503),
      [],
    );
    assert.deepEqual(router.stray, []);
    if (end === 'pause') old.resume();
  });
}

test('passwords of the servers and of the sentinels are used, and never told', async (t) => {
  const redis = await startSentinels(t, { password: 's3cret', sentinelPassword: 'other/cret' });
  const backend = await hello(t);
  const master = await redis.master();
  await master.cli('rpush', 'p:frontend:site.test', 'site', backend.url);
  const query = '?sentinel_password=other%2Fcret#p:';
  const router = await routerOn(t, redis.url(':s3cret@', '/0', query));
  assert.equal((await ask(router)).body, 'hello');
  const lost = await routerOn(t, redis.url(':s3cret@', '/0', '?sentinel_password=wrong'));
  assert.equal((await ask(lost)).status, 503);
  assert.match((await lost.event('store-down')).msg ?? '', /WRONGPASS|invalid username-password/);
  for (const { log, stray } of [router, lost]) {
    assert.doesNotMatch(JSON.stringify(log), /s3cret|cret|wrong/);
    assert.deepEqual(stray, []);
  }
});

test('rediss+sentinel: sentinels and servers are talked to over TLS, also after a failover', async (t) => {
  const redis = await startSentinels(t, { tls: true });
  const backend = await hello(t);
  const old = await redis.master();
  await old.cli('rpush', 'frontend:site.test', 'site', backend.url);
  await old.cli('wait', 1, 5000);
  const driver = redis.url().replace('redis+', 'rediss+');
  const router = await startRouter(t, { config: { driver, driverTls: { ca: old.caPath } } });
  assert.equal((await ask(router)).body, 'hello');
  await old.kill();
  await redis.haveElected(old);
  await eventually(async () => assert.equal((await ask(router)).body, 'hello'), RECOVERY_MS);
  const wary = await startRouter(t, { config: { driver } });
  assert.match((await wary.event('store-down')).msg ?? '', /certificate/);
});

test('a master that the sentinels do not know is said to be unknown to them', async (t) => {
  const redis = await startSentinels(t);
  const router = await routerOn(t, redis.url().replace('mymaster', 'another'));
  assert.match((await router.event('store-down')).msg ?? '', /no sentinel names the master: .*No such master/);
  assert.equal((await ask(router)).status, 503);
});

test('sentinels that are gone are no trouble while the master is there; when all are, it is said', async (t) => {
  const redis = await startSentinels(t);
  const backend = await hello(t);
  const master = await redis.master();
  await master.cli('rpush', 'frontend:site.test', 'site', backend.url);
  await redis.sentinels[0]?.kill();
  const router = await routerOn(t, redis.url());
  assert.equal((await ask(router)).body, 'hello');
  // Each time another one is asked: the list's end is not the end.
  for (let i = 0; i < 4; i++) {
    await master.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await eventually(async () => assert.equal((await ask(router)).body, 'hello'), RECOVERY_MS);
  }
  for (const sentinel of redis.sentinels) await sentinel.kill();
  assert.equal((await ask(router)).body, 'hello');
  const seen = router.log.length;
  await master.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
  assert.match(
    (await router.event('store-down', seen)).msg ?? '',
    /no sentinel names the master: failed to connect to sentinel 127/,
  );
  assert.equal((await ask(router)).status, 503);
  for (const sentinel of redis.sentinels) assert.ok(await sentinel.start());
  await eventually(async () => assert.equal((await ask(router)).body, 'hello'), RECOVERY_MS);
});

// @one-lane: checks are made beside the lanes, which see their marks as those of any router
// @waits: for the intervals of checks, a second each
import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';
import { refusingUrl, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { hipache } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { OFTEN_ARGS, type Patient, startPatient } from '../support/patients.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Router, type RouterOptions, startRouter } from '../support/router.ts';

const SITE = 'site.test';

function routerOn(t: TestContext, redis: TestRedis, rest = '', options: RouterOptions = {}): Promise<Router> {
  return startRouter(t, { ...options, config: { driver: `redis://127.0.0.1:${redis.port}${rest}` } });
}

function pushRouterOn(t: TestContext, redis: TestRedis): Promise<Router> {
  const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode: 'push' } };
  return startRouter(t, { config });
}

/** Waits until so many more checks of a backend have been made. */
async function checked(patient: Patient, times: number): Promise<void> {
  const target = patient.checks + times;
  await eventually(() => assert.ok(patient.checks >= target, `${patient.checks} of ${target}`));
}

const deadOf = async (redis: TestRedis, key = `dead:${SITE}`): Promise<unknown> => await redis.cli('smembers', key);

// They mostly wait, each for backends of its own.
void suite('active checks', { concurrency: 4 }, () => {
  test('a backend that fails its checks is dead for all, without a request, and comes back when they pass', async (t) => {
    const redis = await startRedis(t);
    const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
    bad.isIll = true;
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, `${bad.url} `);
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await routerOn(t, redis);
    const failed = await router.event('check-failed');
    assert.deepEqual(
      [failed['frontend'], failed['backend'], failed['id'], failed['why'], failed['isLast']],
      [SITE, bad.url, 1, 'status 503', false],
    );
    assert.deepEqual(await deadOf(redis), ['1']);
    assert.deepEqual(await redis.cli('hgetall', `marks:${SITE}`), { '1': bad.url });
    assert.equal(bad.requests, 0);
    for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'good');
    const shown = await hipache(['route', 'explain', SITE, '--driver', `redis://127.0.0.1:${redis.port}`]);
    assert.ok(shown.stdout.includes(`${bad.url} is down: failed `), shown.stdout);
    const last = JSON.parse(String(await redis.cli('hget', `check:${SITE}`, bad.url))) as Record<string, unknown>;
    assert.deepEqual([last['state'], last['passed'], last['detail']], ['down', false, 'status 503']);
    // The mark stays as long as the backend is down.
    await checked(bad, 3);
    assert.deepEqual(await deadOf(redis), ['1']);
    bad.isIll = false;
    const passed = await router.event('check-passed');
    assert.deepEqual([passed['frontend'], passed['backend']], [SITE, bad.url]);
    assert.deepEqual(await deadOf(redis), []);
    assert.deepEqual(await redis.cli('hgetall', `marks:${SITE}`), {});
    await eventually(async () => assert.equal((await ask(router)).body, 'bad'));
    assert.equal(router.log.filter(({ event }) => event === 'check-failed').length, 1);
  });

  test('a mark of a check outlives its time limit while the backend is down', async (t) => {
    const redis = await startRedis(t);
    const good = await startPatient(t, 'good');
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, refusingUrl());
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await routerOn(t, redis);
    await router.event('check-failed');
    // As if most of it had passed.
    await redis.cli('pexpire', `dead:${SITE}`, 2_500);
    await redis.cli('pexpire', `marks:${SITE}`, 2_500);
    await eventually(async () => assert.ok(Number(await redis.cli('pttl', `dead:${SITE}`)) > 10_000));
    assert.ok(Number(await redis.cli('pttl', `marks:${SITE}`)) > 10_000);
  });

  test('the last living backend is not marked, until another one lives', async (t) => {
    const redis = await startRedis(t);
    const [one, two] = [await startPatient(t, 'one'), await startPatient(t, 'two')];
    one.isIll = true;
    two.isIll = true;
    await redis.cli('rpush', `frontend:${SITE}`, 'site', one.url, two.url, 'not a URL');
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await routerOn(t, redis);
    const entries = await router.until('both events', () => {
      const failed = router.log.filter(({ event }) => event === 'check-failed');
      return failed.length === 2 && failed;
    });
    assert.equal(entries.filter(({ isLast }) => isLast).length, 1);
    const last = entries.find(({ isLast }) => isLast)?.['backend'] === one.url ? one : two;
    const other = last === one ? two : one;
    await checked(last, 2);
    assert.deepEqual(await deadOf(redis), [other === one ? '0' : '1']);
    assert.equal((await ask(router)).status, 200);
    other.isIll = false;
    await eventually(async () => assert.deepEqual(await deadOf(redis), [last === one ? '0' : '1']));
  });

  test('once checks have found a silent backend, it costs no request of three routers, and gets no trial', async (t) => {
    const redis = await startRedis(t);
    const good = await startPatient(t, 'good');
    let requests = 0;
    const { url } = await startBackend(t, (request) => {
      if (request.url !== '/health') requests++;
    });
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, url);
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    // More than the good backend takes on a busy machine.
    const server = { deadBackendTTL: 1, timeouts: { firstByte: 3 } };
    const routers = await Promise.all([1, 2, 3].map(() => routerOn(t, redis, '', { server })));
    await Promise.any(routers.map((router) => router.event('check-failed')));
    const until = performance.now() + 4_000;
    const before = requests;
    const statuses = new Set<number>();
    while (performance.now() < until) {
      for (const { port } of routers) {
        statuses.add((await ask({ port, method: 'POST', headers: { Host: SITE } })).status);
      }
    }
    assert.deepEqual([...statuses], [200]);
    assert.equal(requests, before);
    assert.equal(await redis.cli('exists', `trial:${SITE}`), 0);
  });

  test('a backend that fails requests and passes its checks gets no trial: the checks bring it back', async (t) => {
    const redis = await startRedis(t);
    const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, bad.url);
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await routerOn(t, redis);
    await checked(bad, 1);
    await eventually(async () => assert.equal(await redis.cli('exists', `check:${SITE}`), 1));
    bad.failsRequests = true;
    await eventually(async () => {
      await ask(router);
      assert.ok(router.log.some(({ event }) => event === 'backend-dead'));
    });
    assert.equal(await redis.cli('exists', `trial:${SITE}`), 0);
    bad.failsRequests = false;
    await router.event('check-passed');
    await eventually(async () => assert.equal((await ask(router)).body, 'bad'));
  });

  test('marks of operators and other checkers stay, whatever the checks show', async (t) => {
    const redis = await startRedis(t);
    const [one, two, three] = [await startPatient(t, '1'), await startPatient(t, '2'), await startPatient(t, '3')];
    await redis.cli('rpush', `frontend:${SITE}`, 'site', one.url, two.url, three.url);
    await redis.cli('sadd', `dead:${SITE}`, 0, 2);
    three.isIll = true;
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await routerOn(t, redis);
    await Promise.all([checked(one, 4), checked(three, 4)]);
    assert.deepEqual(await deadOf(redis), ['0', '2']);
    assert.deepEqual(await redis.cli('hgetall', `marks:${SITE}`), {});
    assert.equal(await redis.cli('ttl', `dead:${SITE}`), -1);
    assert.equal((await ask(router)).body, '2');
  });

  test('a backend that a router has marked needs good checks, not the end of its time', async (t) => {
    const redis = await startRedis(t);
    const [good, other] = [await startPatient(t, 'good'), await startPatient(t, 'other')];
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, other.url);
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    await redis.cli('sadd', `dead:${SITE}`, 1);
    await redis.cli('hset', `marks:${SITE}`, 1, other.url);
    const router = await routerOn(t, redis);
    await router.event('check-passed');
    assert.deepEqual(await deadOf(redis), []);
    assert.ok(other.checks >= 2, `${other.checks}`);
  });

  test('a result is filed for the backend that was checked, wherever it stands by then, or not at all', async (t) => {
    const redis = await startRedis(t);
    const [good, bad, later] = [await startPatient(t, 'g'), await startPatient(t, 'b'), await startPatient(t, 'l')];
    bad.isIll = true;
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, bad.url, later.url);
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await routerOn(t, redis);
    await router.event('check-failed');
    // The list moves: another backend stands where the mark was made for the bad one.
    await redis.cli('linsert', `frontend:${SITE}`, 'before', good.url, later.url);
    await eventually(async () => assert.deepEqual(await redis.cli('hget', `marks:${SITE}`, '2'), bad.url));
    for (let i = 0; i < 20; i++) assert.notEqual((await ask(router)).body, 'b');
    // It leaves: no mark is made or renewed for any other one.
    await redis.cli('lrem', `frontend:${SITE}`, 0, bad.url);
    await redis.cli('del', `dead:${SITE}`, `marks:${SITE}`);
    await checked(good, 3);
    assert.deepEqual(await deadOf(redis), []);
  });

  test('checks begin, change and end with their hash, while the router runs', async (t) => {
    const redis = await startRedis(t);
    const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
    bad.isIll = true;
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, bad.url);
    await routerOn(t, redis);
    assert.equal((await redis.cli('zcard', 'checks')) === 0 || good.checks === 0, true);
    const from = performance.now();
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    await eventually(async () => assert.deepEqual(await deadOf(redis), ['1']));
    assert.ok(performance.now() - from < 12_000, 'it took long');
    await redis.cli('del', `healthcheck:${SITE}`);
    await eventually(async () => assert.equal(await redis.cli('zscore', 'checks', SITE), null));
  });

  test('checks pause while another health checker renews hchecker_ping', async (t) => {
    const redis = await startRedis(t);
    const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
    bad.isIll = true;
    await redis.cli('set', 'hchecker_ping', Math.floor(Date.now() / 1000));
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, bad.url);
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await routerOn(t, redis);
    await router.event('checks-paused');
    assert.equal(good.checks, 0);
    await redis.cli('del', 'hchecker_ping');
    await router.event('checks-resumed');
    await router.event('check-failed');
  });

  test('a user without the rights has no checks, which the log says once, and all the rest', async (t) => {
    const rights = '~frontend:* ~dead:* ~marks:* ~options:* ~headers:* ~weights:* ~prefixes:* ~hchecker_ping &* +@all';
    const redis = await startRedis(t, { lines: [`user old on >pw ${rights}`] });
    const good = await startPatient(t, 'good');
    await redis.cli('rpush', `frontend:${SITE}`, 'site', good.url, refusingUrl());
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await startRouter(t, { config: { driver: `redis://old:pw@127.0.0.1:${redis.port}` } });
    const off = await router.event('checks-off');
    assert.match(String(off['cause']), /NOPERM|permission/i);
    assert.equal((await ask(router)).body, 'good');
    assert.equal(good.checks, 0);
  });

  test('keys that are none of the routers disturb no other list', async (t) => {
    const redis = await startRedis(t);
    const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
    bad.isIll = true;
    await redis.cli('rpush', 'eu-frontend:broken.test', 'site', good.url, bad.url);
    await redis.cli('set', 'eu-dead:broken.test', 'a text');
    await redis.cli('hset', 'eu-healthcheck:broken.test', ...OFTEN_ARGS);
    await redis.cli('set', 'eu-frontend:text.test', 'a text');
    await redis.cli('hset', 'eu-healthcheck:text.test', 'path', '/health');
    await redis.cli('set', 'eu-healthcheck:odd.test', 'a text');
    await redis.cli('hset', 'eu-healthcheck:*.wild.test', 'path', '/health');
    await redis.cli('rpush', `eu-frontend:${SITE}`, 'site', good.url, bad.url);
    await redis.cli('hset', `eu-healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await routerOn(t, redis, '#eu-');
    await eventually(async () => assert.deepEqual(await deadOf(redis, `eu-dead:${SITE}`), ['1']));
    assert.deepEqual(
      router.log.filter(({ event }) => event === 'checks-off'),
      [],
    );
  });

  test('with `first`, a new backend gets no traffic before its first good check, unless no other one lives', async (t) => {
    const redis = await startRedis(t);
    const [old, young] = [await startPatient(t, 'old'), await startPatient(t, 'young')];
    young.isIll = true;
    await redis.cli('rpush', `frontend:${SITE}`, 'site', old.url);
    await redis.cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS, 'first', 1, 'fall', 100);
    const routers = [await routerOn(t, redis), await pushRouterOn(t, redis)];
    await eventually(async () => assert.deepEqual(await redis.cli('smembers', `checked:${SITE}`), [old.url]));
    await redis.cli('rpush', `frontend:${SITE}`, young.url);
    // From the first request on: no check has been made yet.
    for (const router of routers) for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'old');
    await checked(young, 3);
    for (const router of routers) for (let i = 0; i < 20; i++) assert.equal((await ask(router)).body, 'old');
    // It is no worse than an error.
    await redis.cli('sadd', `dead:${SITE}`, 0);
    for (const router of routers) await eventually(async () => assert.equal((await ask(router)).body, 'young'));
    await redis.cli('srem', `dead:${SITE}`, 0);
    for (const router of routers) await eventually(async () => assert.equal((await ask(router)).body, 'old'));
    young.isIll = false;
    for (const router of routers) await eventually(async () => assert.equal((await ask(router)).body, 'young'));
    // One that comes back is new.
    await redis.cli('lrem', `frontend:${SITE}`, 0, young.url);
    await eventually(async () => assert.deepEqual(await redis.cli('smembers', `checked:${SITE}`), [old.url]));
    assert.equal(await redis.cli('hexists', `check:${SITE}`, young.url), 0);
    // Without the rule all get traffic.
    await redis.cli('hset', `healthcheck:${SITE}`, 'first', 0);
    await eventually(async () => assert.equal(await redis.cli('exists', `checked:${SITE}`), 0));
  });

  test('with `first`, a path has backends of its own that wait', async (t) => {
    const redis = await startRedis(t);
    const [host, old, young] = [await startPatient(t, 'h'), await startPatient(t, 'o'), await startPatient(t, 'y')];
    young.isIll = true;
    await redis.cli('rpush', `frontend:${SITE}`, 'site', host.url);
    await redis.cli('sadd', `prefixes:${SITE}`, '/api');
    await redis.cli('rpush', `frontend:${SITE}/api`, 'api', old.url, ` ${young.url}`);
    await redis.cli('hset', `healthcheck:${SITE}/api`, ...OFTEN_ARGS, 'first', 1, 'fall', 100);
    const routers = [await routerOn(t, redis), await pushRouterOn(t, redis)];
    await eventually(async () => assert.deepEqual(await redis.cli('smembers', `checked:${SITE}/api`), [old.url]));
    for (const { port } of routers) {
      for (let i = 0; i < 20; i++) assert.equal((await ask({ port, host: SITE, path: '/api/x' })).body, 'o');
      assert.equal((await ask({ port, host: SITE, path: '/x' })).body, 'h');
    }
    young.isIll = false;
    for (const { port } of routers) {
      await eventually(async () => assert.equal((await ask({ port, host: SITE, path: '/api/x' })).body, 'y'));
    }
  });
});

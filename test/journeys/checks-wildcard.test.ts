// @one-lane: checks are made beside the lanes, which see their marks as those of any router
// @waits: for the intervals of checks, a second each
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FrontendView } from '../../lib/diagnostics/explanation.ts';
import { adminOf, askAdmin } from '../support/admin.ts';
import { ask } from '../support/client.ts';
import { hipache } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { OFTEN, OFTEN_ARGS, startPatient } from '../support/patients.ts';
import { startRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const WILD = '*.wild.test';
const HOSTS = ['a.wild.test', 'b.wild.test', 'c.d.wild.test'];

test('a backend under a wildcard that fails its checks gets no request of any host, and comes back', async (t) => {
  const redis = await startRedis(t);
  const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
  await redis.cli('rpush', `frontend:${WILD}`, 'wild', good.url, ` ${bad.url} `);
  const driver = `redis://127.0.0.1:${redis.port}`;
  const routers = [
    await startRouter(t, { config: { driver } }),
    await startRouter(t, { config: { driver, cache: { mode: 'push' } }, server: { checks: false } }),
  ];
  const [asking] = routers;
  assert.ok(asking);
  // Each of them is remembered in mode push.
  for (const { port } of routers) for (const host of HOSTS) assert.equal((await ask({ port, host })).status, 200);
  bad.isIll = true;
  await redis.cli('hset', `healthcheck:${WILD}`, ...OFTEN_ARGS);
  const failed = await asking.event('check-failed');
  assert.deepEqual([failed['frontend'], failed['backend'], failed['isLast']], [WILD, bad.url, false]);
  assert.equal(bad.host, 'wild.test');
  assert.deepEqual(await redis.cli('smembers', `down:${WILD}`), [bad.url]);
  assert.ok(Number(await redis.cli('pttl', `down:${WILD}`)) > 0);
  assert.deepEqual(await redis.cli('keys', 'dead:*'), []);
  for (const { port } of routers) {
    for (const host of HOSTS) {
      await eventually(async () => {
        for (let i = 0; i < 10; i++) assert.equal((await ask({ port, host })).body, 'good');
      });
    }
  }
  const shown = await hipache(['route', 'explain', 'a.wild.test', '--driver', driver]);
  assert.ok(shown.stdout.includes(`${bad.url} is down: failed `), shown.stdout);
  assert.match(shown.stdout, /the one of 1 living backend of 2/);
  bad.isIll = false;
  await asking.event('check-passed');
  assert.deepEqual(await redis.cli('smembers', `down:${WILD}`), []);
  for (const { port } of routers) {
    for (const host of HOSTS) await eventually(async () => assert.equal((await ask({ port, host })).body, 'bad'));
  }
});

test('the last living backend under a wildcard is not marked, neither by checks nor by requests', async (t) => {
  const redis = await startRedis(t);
  const [one, two] = [await startPatient(t, 'one'), await startPatient(t, 'two')];
  await redis.cli('rpush', `frontend:${WILD}`, 'wild', one.url, two.url);
  await redis.cli('hset', `healthcheck:${WILD}`, ...OFTEN_ARGS);
  one.isIll = true;
  const router = await startRouter(t, { config: { driver: `redis://127.0.0.1:${redis.port}` } });
  await router.event('check-failed');
  // By requests.
  two.failsRequests = true;
  const { port } = router;
  assert.equal((await ask({ port, host: 'a.wild.test' })).status, 502);
  await router.event('last-backend');
  assert.deepEqual(await redis.cli('keys', 'dead:*'), []);
  // By checks.
  two.isIll = true;
  const last = await router.until('event', () => router.log.find(({ isLast }) => isLast === true));
  assert.equal(last['backend'], two.url);
  assert.deepEqual(await redis.cli('smembers', `down:${WILD}`), [one.url]);
  assert.equal(one.requests, 0);
});

test('with a routes file, checks of a list under a wildcard count for all of its hosts', async (t) => {
  const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
  bad.isIll = true;
  const routes = { [WILD]: ['wild', good.url, bad.url], [`healthcheck:${WILD}`]: OFTEN };
  const router = await startRouter(t, { routes, server: { workers: 2 }, config: { admin: { port: 0 } } });
  await router.event('check-failed');
  const admin = await adminOf(router);
  const statesAt = async (path: string): Promise<readonly unknown[]> => {
    const shown = (await askAdmin(admin, `/api/v1/frontends/${path}`)).json as FrontendView & { route?: FrontendView };
    return (shown.route ?? shown).backends.map(({ state, markedBy }) => [state, markedBy]);
  };
  const states = [
    ['alive', null],
    ['dead', 'router'],
  ];
  assert.deepEqual(await statesAt(encodeURIComponent(WILD)), states);
  assert.deepEqual(await statesAt('a.wild.test/explain'), states);
  const { port } = router;
  for (const host of HOSTS) for (let i = 0; i < 20; i++) assert.equal((await ask({ port, host })).body, 'good');
  // The other one is the last that lives.
  good.failsRequests = true;
  assert.equal((await ask({ port, host: 'a.wild.test' })).status, 502);
  await router.event('last-backend');
  assert.equal((await ask({ port, host: 'a.wild.test' })).status, 502);
  assert.equal(bad.requests, 0);
  bad.isIll = false;
  await router.event('check-passed');
  for (const host of HOSTS) await eventually(async () => assert.equal((await ask({ port, host })).body, 'bad'));
  // A URL that leaves the list takes its mark with it.
  bad.isIll = true;
  await router.event('check-failed', router.log.length);
  writeFileSync(
    join(router.folder, 'routes.json'),
    JSON.stringify({ [WILD]: ['wild', bad.url], [`healthcheck:${WILD}`]: OFTEN }),
  );
  await eventually(async () => assert.equal((await ask({ port, host: 'b.wild.test' })).body, 'bad'));
});

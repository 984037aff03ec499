/** Active checks without scripts that read several keys: in a cluster, and where Redis refuses scripts. */
// @one-lane: checks are made beside the lanes, which see their marks as those of any router
// @waits: for the intervals of checks, a second each
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { OFTEN_ARGS, startPatient } from '../support/patients.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const SITE = 'site.test';
const WILD = '*.wild.test';

interface Store {
  readonly driver: string;
  readonly servers: readonly TestRedis[];
  /** The second word is a key. */
  readonly cli: (name: string, key: string, ...args: readonly (string | number)[]) => Promise<unknown>;
}

/** The rights that docs/redis.md lists. */
function rights(): readonly (readonly string[])[] {
  const document = readFileSync(join(packageRoot, 'docs/redis.md'), 'utf8');
  const [rule] = /^ACL (SETUSER hipache .*~frontend.*)$/m.exec(document)?.slice(1) ?? [];
  const [more] = /^ACL (SETUSER hipache .*\+asking.*)$/m.exec(document)?.slice(1) ?? [];
  assert.ok(rule !== undefined && more !== undefined);
  return [rule.split(' '), more.split(' ')];
}

async function openCluster(t: TestContext): Promise<Store> {
  const cluster = await startCluster(t, 3);
  for (const node of cluster.masters) for (const words of rights()) await node.cli('acl', ...words);
  const [one] = cluster.masters;
  const driver = `redis+cluster://hipache:password@127.0.0.1:${one?.port}/`;
  return { driver, servers: cluster.masters, cli: (...words) => cluster.cli(...words) };
}

async function openScriptless(t: TestContext): Promise<Store> {
  const redis = await startRedis(t);
  for (const words of rights()) await redis.cli('acl', ...words);
  await redis.cli('acl', 'setuser', 'hipache', '-eval', '-evalsha');
  const driver = `redis://hipache:password@127.0.0.1:${redis.port}`;
  return { driver, servers: [redis], cli: (...words) => redis.cli(...words) };
}

for (const [where, open] of [
  ['in a cluster', openCluster],
  ['without scripts', openScriptless],
] as const) {
  test(`${where}, a backend that fails its checks is dead for all, and comes back when they pass`, async (t) => {
    const { driver, servers, cli } = await open(t);
    const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
    bad.isIll = true;
    for (const key of [SITE, WILD]) {
      await cli('rpush', `frontend:${key}`, 'site', good.url, `${bad.url} `);
      await cli('hset', `healthcheck:${key}`, ...OFTEN_ARGS, 'first', '1');
    }
    const router = await startRouter(t, { config: { driver } });
    const { port } = router;
    const both = (event: string, from = 0) =>
      router.until(event, () => {
        const keys = router.log.slice(from).filter((entry) => entry.event === event);
        return new Set(keys.map(({ frontend }) => frontend)).size === 2 && keys;
      });
    for (const { backend, isLast } of await both('check-failed')) assert.deepEqual([backend, isLast], [bad.url, false]);
    assert.deepEqual(await cli('smembers', `dead:${SITE}`), ['1']);
    assert.deepEqual(await cli('hgetall', `marks:${SITE}`), { '1': bad.url });
    assert.deepEqual(await cli('smembers', `down:${WILD}`), [bad.url]);
    for (const key of [`dead:${SITE}`, `marks:${SITE}`, `down:${WILD}`]) {
      const left = Number(await cli('pttl', key));
      assert.ok(left > 10_000 && left <= 30_000, `${key}: ${left}`);
      // As if most of it had passed: it is renewed.
      await cli('pexpire', key, 2_500);
    }
    for (const host of [SITE, 'a.wild.test']) {
      for (let i = 0; i < 20; i++) assert.equal((await ask({ port, host })).body, 'good');
    }
    assert.equal(bad.requests, 0);
    for (const key of [`dead:${SITE}`, `marks:${SITE}`, `down:${WILD}`]) {
      await eventually(async () => assert.ok(Number(await cli('pttl', key)) > 10_000, key));
    }
    for (const key of [SITE, WILD]) {
      await eventually(async () => assert.deepEqual(await cli('smembers', `checked:${key}`), [good.url]));
    }
    bad.isIll = false;
    await both('check-passed');
    assert.deepEqual(await cli('smembers', `dead:${SITE}`), []);
    assert.deepEqual(await cli('hgetall', `marks:${SITE}`), {});
    assert.deepEqual(await cli('smembers', `down:${WILD}`), []);
    for (const host of [SITE, 'a.wild.test']) {
      await eventually(async () => assert.equal((await ask({ port, host })).body, 'bad'));
    }
    // What is known of a URL that leaves the list is dropped.
    await cli('lrem', `frontend:${SITE}`, 0, `${bad.url} `);
    await eventually(async () => assert.equal(await cli('hexists', `check:${SITE}`, bad.url), 0));
    await eventually(async () => assert.deepEqual(await cli('smembers', `checked:${SITE}`), [good.url]));
    // Checks end with their hash.
    await cli('del', `healthcheck:${SITE}`);
    await eventually(async () => assert.equal(await cli('exists', `checking:${SITE}`), 0));
    if (where === 'in a cluster') for (const node of servers) assert.deepEqual(await node.cli('acl', 'log'), []);
    assert.deepEqual(
      router.log.filter(({ event }) => event === 'checks-off'),
      [],
    );
  });

  test(`${where}, the last living backend is not marked, and marks of others stay`, async (t) => {
    const { driver, cli } = await open(t);
    const [one, two, three] = [await startPatient(t, '1'), await startPatient(t, '2'), await startPatient(t, '3')];
    one.isIll = true;
    two.isIll = true;
    await cli('rpush', `frontend:${SITE}`, 'site', one.url, two.url, 'not a URL', three.url);
    await cli('sadd', `dead:${SITE}`, 3);
    await cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await startRouter(t, { config: { driver } });
    const failed = await router.until('both events', () => {
      const entries = router.log.filter(({ event }) => event === 'check-failed');
      return entries.length === 2 && entries;
    });
    const marked = failed.find(({ isLast }) => isLast === false);
    assert.ok(marked && failed.some(({ isLast }) => isLast === true));
    assert.deepEqual(await cli('smembers', `dead:${SITE}`), [String(marked['id']), '3'].toSorted());
    assert.deepEqual(await cli('hgetall', `marks:${SITE}`), { [String(marked['id'])]: marked['backend'] });
    // It passes its checks, and is marked by another.
    const before = three.checks;
    await eventually(() => assert.ok(three.checks >= before + 3));
    assert.ok(((await cli('smembers', `dead:${SITE}`)) as readonly string[]).includes('3'));
  });

  test(`${where}, checks pause while another health checker renews hchecker_ping`, async (t) => {
    const { driver, cli } = await open(t);
    const [good, bad] = [await startPatient(t, 'good'), await startPatient(t, 'bad')];
    bad.isIll = true;
    await cli('set', 'hchecker_ping', Math.floor(Date.now() / 1000));
    await cli('rpush', `frontend:${SITE}`, 'site', good.url, bad.url);
    await cli('hset', `healthcheck:${SITE}`, ...OFTEN_ARGS);
    const router = await startRouter(t, { config: { driver } });
    await router.event('checks-paused');
    assert.equal(good.checks + bad.checks, 0);
    await cli('del', 'hchecker_ping');
    await router.event('checks-resumed');
    await router.event('check-failed');
  });

  test(`${where}, three routers check each backend once an interval, also when one of them is killed`, async (t) => {
    const { driver, cli } = await open(t);
    const times: number[] = [];
    const { url } = await startBackend(t, (_request, response) => {
      times.push(performance.now());
      response.end('ok');
    });
    await cli('rpush', `frontend:${SITE}`, 'site', url);
    await cli('hset', `healthcheck:${SITE}`, 'path', '/', 'interval', 2, 'timeout', 1);
    const routers = await Promise.all([1, 2, 3].map(() => startRouter(t, { config: { driver } })));
    await eventually(() => assert.ok(times.length >= 4), 30_000);
    routers[0]?.signal('SIGKILL');
    const killed = performance.now();
    await eventually(() => assert.ok(times.filter((time) => time > killed).length >= 4), 30_000);
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    const said = gaps.map(Math.round).join(' ');
    // The first lease lasts for the usual interval until the list is read.
    assert.ok(
      gaps.slice(1).every((gap) => gap > 1_200),
      `checked twice: ${said}`,
    );
    const long = gaps.slice(1).filter((gap) => gap > 3_500);
    assert.ok(long.length <= 1 && long.every((gap) => gap < 6_500), `left out: ${said}`);
  });
}

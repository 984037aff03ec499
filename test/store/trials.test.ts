/** Records of deaths in Redis: when a backend is on trial, and who may try it. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import type { Route } from '../../lib/core/routing/types.ts';
import { recordsOf } from '../../lib/store/redis/trials.ts';
import { eventually } from '../support/eventually.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startRedis } from '../support/redis.ts';
import { die, find } from './contract.ts';
import { openRedis } from './redis-subject.ts';
import { openCluster } from './cluster-subject.ts';

const [A, B, C] = ['http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3'] as const;
const redis = await startRedis(
  { after },
  {
    lines: [
      'user old on >pw ~* &* +@all',
      'user narrow on >pw &* +@all ~frontend:* ~dead:* ~marks:* ~options:* ~headers:* ~weights:* ~prefixes:* ~hchecker_ping',
      'user plain on >pw ~* &* +@all -@scripting',
    ],
  },
);

type Cli = (name: string, key: string, ...args: (string | number)[]) => Promise<unknown>;

/** Moves the times of a record, as if `seconds` had passed since the death. */
async function pass(cli: Cli, host: string, url: string, seconds: number): Promise<void> {
  const record = String(await cli('hget', `trial:${host}`, url)).split(' ');
  const moved = record.map((part, i) => (i >= 1 && i <= 3 ? String(Number(part) - seconds * 1000) : part));
  await cli('hset', `trial:${host}`, url, moved.join(' '));
}

/** The number of deaths of a record, and for how long its mark is meant to last, s. */
async function recordOf(cli: Cli, host: string, url: string): Promise<readonly number[] | null> {
  const text = await cli('hget', `trial:${host}`, url);
  if (typeof text !== 'string') return null;
  const [deaths = 0, marked = 0, , due = 0] = text.split(' ').map(Number);
  return [deaths, (due - marked) / 1000];
}

function states(route: Route | null) {
  const dead = [...(route?.dead ?? [])].toSorted((a, b) => a - b);
  return { dead, onTrial: [...(route?.onTrial.keys() ?? [])] };
}

const DEAD = { dead: [1], onTrial: [] };
const ON_TRIAL = { dead: [1], onTrial: [1] };
const ALIVE = { dead: [], onTrial: [] };

async function scene(t: TestContext, userinfo = '') {
  await redis.cli('flushall');
  const cli: Cli = (...command) => redis.cli(...command);
  await cli('rpush', 'frontend:x.io', 'x', A, B, C);
  const { store, notices } = openRedis(t, redis, userinfo);
  await store.ready();
  const backend = async () => {
    const found = (await find(store, 'x.io'))?.backends[1];
    assert.ok(found);
    return found;
  };
  return { store, notices, cli, backend, look: async () => states(await find(store, 'x.io')) };
}

/** The time of the mark is over; other routers see no mark. */
async function end(cli: Cli, seconds = 31): Promise<void> {
  await pass(cli, 'x.io', B, seconds);
  await cli('srem', 'dead:x.io', '1');
}

test('after its time a backend is on trial; each failed trial doubles the time, to ten times', async (t) => {
  const { store, cli, look } = await scene(t);
  const times: unknown[] = [];
  let rest = 30;
  for (let i = 0; i < 6; i++) {
    assert.equal(await die(store, 'x.io', 1, 30), 'marked');
    assert.deepEqual(await look(), DEAD);
    times.push(await recordOf(cli, 'x.io', B));
    await end(cli);
    // Other routers take it for alive.
    if (rest > 30) assert.deepEqual(await look(), DEAD);
    await pass(cli, 'x.io', B, rest);
    assert.deepEqual(await look(), ON_TRIAL);
    rest = Math.min(rest * 2, 300);
  }
  assert.deepEqual(times, [
    [1, 30],
    [2, 60],
    [3, 120],
    [4, 240],
    [5, 300],
    [6, 300],
  ]);
});

test('what other routers see of a mark is what it was without trials', async (t) => {
  const { store, cli } = await scene(t);
  await die(store, 'x.io', 1, 30);
  await end(cli);
  await die(store, 'x.io', 1, 30);
  assert.deepEqual(await recordOf(cli, 'x.io', B), [2, 60]);
  assert.deepEqual(await cli('smembers', 'dead:x.io'), ['1']);
  assert.deepEqual(await cli('hgetall', 'marks:x.io'), { 1: B });
  for (const key of ['dead:x.io', 'marks:x.io']) {
    const left = Number(await cli('pttl', key));
    assert.ok(left > 20_000 && left <= 30_000, `${key}: ${left} ms`);
  }
});

test('a failure of a request that was sent before the mark shows nothing new', async (t) => {
  const { store, cli } = await scene(t);
  const before = await find(store, 'x.io');
  assert.ok(before?.backends[1]);
  await die(store, 'x.io', 1, 30);
  await pass(cli, 'x.io', B, 5);
  const record = await cli('hget', 'trial:x.io', B);
  await store.markDead({ route: before, backend: before.backends[1] }, 30);
  assert.equal(await cli('hget', 'trial:x.io', B), record);
  await end(cli);
  await store.markDead({ route: before, backend: before.backends[1] }, 30);
  assert.deepEqual(await recordOf(cli, 'x.io', B), [1, 30]);
  assert.deepEqual(states(await find(store, 'x.io')), ON_TRIAL);
});

test('one worker of all has the right to a trial, until it gives it up or is silent', async (t) => {
  const { store, cli, backend, look } = await scene(t);
  const other = openRedis(t, redis).store;
  await other.ready();
  await die(store, 'x.io', 1, 30);
  assert.ok((await store.trials.take('x.io', await backend(), 5_000)) > 20_000, 'it is not due');
  await end(cli);
  const asked = await Promise.all(
    [store, other, store, other].map(async ({ trials }) => trials.take('x.io', await backend(), 5_000)),
  );
  assert.equal(asked.filter((ms) => ms === 0).length, 2, 'the same worker twice');
  const [holder, second] = asked[0] === 0 ? [store, other] : [other, store];
  const wait = await second.trials.take('x.io', await backend(), 5_000);
  assert.ok(wait > 0 && wait <= 5_000, String(wait));
  // A right that runs out at once.
  assert.equal(await holder.trials.take('x.io', await backend(), 1), 0);
  await eventually(async () => assert.equal(await second.trials.take('x.io', await backend(), 5_000), 0));
  await second.trials.pass('x.io', await backend());
  assert.deepEqual(await look(), ALIVE);
  assert.ok((await store.trials.take('x.io', await backend(), 5_000)) > 0, 'there is no trial any more');
});

test('a passed trial removes what is left of the mark, and nothing that others have marked', async (t) => {
  const { store, cli, backend, look } = await scene(t);
  await die(store, 'x.io', 1, 30);
  await pass(cli, 'x.io', B, 31);
  await cli('sadd', 'dead:x.io', '0');
  assert.deepEqual(await look(), { dead: [0, 1], onTrial: [1] });
  await store.trials.pass('x.io', await backend());
  assert.deepEqual(await look(), { dead: [0], onTrial: [] });
  await cli('sadd', 'dead:x.io', '1');
  await store.trials.pass('x.io', await backend());
  assert.deepEqual((await look()).dead, [0, 1]);
});

test('a mark that a checker removes is no trial, then or later', async (t) => {
  const { store, cli, look } = await scene(t);
  await die(store, 'x.io', 1, 30);
  await pass(cli, 'x.io', B, 5);
  await cli('srem', 'dead:x.io', '1');
  assert.deepEqual(await look(), ALIVE);
  await eventually(async () => assert.equal(await cli('exists', 'trial:x.io'), 0));
});

test('what checkers and operators mark is obeyed, and needs no trial', async (t) => {
  const { cli, look } = await scene(t);
  await cli('sadd', 'dead:x.io', '1');
  assert.deepEqual(await look(), DEAD);
  await cli('srem', 'dead:x.io', '1');
  assert.deepEqual(await look(), ALIVE);
});

test('the last backend that is neither dead nor on trial is not marked', async (t) => {
  const { store, cli, look } = await scene(t);
  await die(store, 'x.io', 1, 30);
  await end(cli);
  assert.equal(await die(store, 'x.io', 2, 30), 'marked');
  assert.equal(await die(store, 'x.io', 0, 30), 'last');
  assert.deepEqual((await look()).dead, [1, 2]);
});

test('a path has records of its own', async (t) => {
  const { store, cli } = await scene(t);
  await cli('sadd', 'prefixes:x.io', '/api');
  await cli('rpush', 'frontend:x.io/api', 'x', A, B);
  const api = async () => {
    const route = await store.find(['x.io', '*.io', '*'], '/api/x');
    assert.ok(route?.backends[1]);
    return { route, backend: route.backends[1] };
  };
  await store.markDead(await api(), 30);
  await pass(cli, 'x.io/api', B, 31);
  await cli('srem', 'dead:x.io/api', '1');
  assert.deepEqual(states((await api()).route), ON_TRIAL);
  assert.deepEqual(states(await find(store, 'x.io')), ALIVE);
});

test('records expire, and are bounded', async (t) => {
  const { store, cli } = await scene(t);
  await die(store, 'x.io', 1, 30);
  const left = Number(await cli('pttl', 'trial:x.io'));
  assert.ok(left > 300_000 && left <= 330_000, String(left));
  for (let i = 0; i < 200; i++) await cli('hset', 'trial:x.io', `http://10.9.0.${i}`, '1 1 1 1 0 -');
  await die(store, 'x.io', 0, 30);
  assert.equal(await cli('hlen', 'trial:x.io'), 2);
});

test('a key of another type, and records that no router has written, are ignored', async (t) => {
  const { store, cli, look } = await scene(t);
  await cli('set', 'trial:x.io', 'nonsense');
  assert.deepEqual(await look(), ALIVE);
  assert.equal(await die(store, 'x.io', 1, 30), 'marked');
  assert.deepEqual(await look(), DEAD);
  assert.equal(recordsOf([A, '1 2 3', B, '1 1 1 1 0 -', '5']).size, 1);
  assert.equal(recordsOf([]).size, 0);
});

test('without the right to the key, or to scripts, marks count as without trials', async (t) => {
  for (const user of ['narrow:pw@', 'plain:pw@']) {
    const { store, cli, look } = await scene(t, user);
    assert.equal(await die(store, 'x.io', 1, 30), 'marked');
    assert.equal(await cli('exists', 'trial:x.io'), 0);
    assert.deepEqual(await look(), DEAD);
    await cli('srem', 'dead:x.io', '1');
    assert.deepEqual(await look(), ALIVE);
  }
});

test('in a cluster there are trials, too', async (t) => {
  const cluster = await startCluster(t, 3);
  const { store } = openCluster(t, cluster);
  const cli: Cli = (...command) => cluster.cli(...command);
  await cli('rpush', 'frontend:x.io', 'x', A, B, C);
  await store.ready();
  await die(store, 'x.io', 1, 30);
  assert.deepEqual(await recordOf(cli, 'x.io', B), [1, 30]);
  await end(cli);
  const route = await find(store, 'x.io');
  assert.deepEqual(states(route), ON_TRIAL);
  const backend = route?.backends[1];
  assert.ok(backend);
  assert.equal(await store.trials.take('x.io', backend, 1_000), 0);
  await die(store, 'x.io', 1, 30);
  assert.deepEqual(await recordOf(cli, 'x.io', B), [2, 60]);
  await store.trials.pass('x.io', backend);
  assert.equal(await cli('exists', 'trial:x.io'), 0);
});

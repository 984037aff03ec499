// @waits: for time limits
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { buildRoute, NO_MARKS } from '../../lib/core/routing/backend.ts';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { eventually } from '../support/eventually.ts';
import { fakeRedis, type FakeRedis } from '../support/fake-redis.ts';
import { Notices } from '../support/notices.ts';
import { freePort } from '../support/ports.ts';
import { startRedis } from '../support/redis.ts';
import { die, find } from './contract.ts';
import { openRedis } from './redis-subject.ts';

const ROUTE = ['rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2'] as const;
/** Of lookups, where Redis hangs, ms. */
const LIMIT_MS = 2_000;
const DOWN = { name: 'RouterError', code: 'store-unavailable', status: 503 };

test('nobody listens: lookups are refused at once, told once, and served soon after somebody does', async (t) => {
  const redis = await startRedis(t);
  await redis.kill();
  const { store, notices } = openRedis(t, redis);
  await store.ready();
  const started = performance.now();
  for (let i = 0; i < 100; i++) await assert.rejects(find(store, 'www.x.io'), { ...DOWN, message: /ECONNREFUSED/ });
  await assert.rejects(store.markDead(DEATH, 30), DOWN);
  assert.ok(performance.now() - started < 10_000, 'at once');
  await notices.next('store-down');
  await redis.start();
  const back = performance.now();
  await notices.next('store-up');
  assert.ok(performance.now() - back < 10_000, 'within about a second');
  assert.equal(await find(store, 'www.x.io'), null);
  assert.deepEqual(notices.types, ['store-down', 'store-up']);
});

test('Redis killed in the middle of lookups: each settles in time, and it works again after a restart', async (t) => {
  const redis = await startRedis(t);
  const { store, notices } = openRedis(t, redis);
  await notices.next('store-up');
  redis.pause();
  const caught = Promise.all(Array.from({ length: 50 }, () => timed(() => find(store, 'www.x.io'))));
  await redis.kill();
  for (const { error, ms } of await caught) {
    assert.equal(codeOf(error), 'store-unavailable');
    assert.ok(ms < 5_000, 'long before the limit of 10 s');
  }
  await notices.next('store-down');
  await redis.start();
  await redis.cli(...ROUTE);
  await notices.next('store-up');
  assert.equal((await find(store, 'www.x.io'))?.name, 'x');
  assert.deepEqual(notices.types, ['store-up', 'store-down', 'store-up']);
});

test('a connection that is cut costs nobody a lookup, and is no news', async (t) => {
  const redis = await startRedis(t);
  await redis.cli(...ROUTE);
  const { store, notices } = openRedis(t, redis);
  await store.ready();
  for (let i = 0; i < 5; i++) {
    const waiting = [find(store, 'www.x.io')];
    await redis.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    for (let j = 0; j < 20; j++) waiting.push(find(store, 'www.x.io'));
    for (const route of await Promise.all(waiting)) assert.equal(route?.name, 'x');
  }
  assert.deepEqual(notices.types, ['store-up']);
});

test('Redis hangs: lookups end at the limit, then at once, and go on when it wakes up', async (t) => {
  const redis = await startRedis(t);
  await redis.cli(...ROUTE);
  const { store, notices } = openRedis(t, redis, '', '', LIMIT_MS);
  await find(store, 'www.x.io');
  redis.pause();
  for (const { error, ms } of await Promise.all(
    Array.from({ length: 10 }, () => timed(() => find(store, 'www.x.io'))),
  )) {
    assert.equal(codeOf(error), 'store-unavailable');
    assert.ok(ms > LIMIT_MS - 10 && ms < 10_000, `${ms} ms is the limit`);
  }
  await notices.next('store-down');
  const { error, ms } = await timed(() => find(store, 'www.x.io'));
  assert.equal(codeOf(error), 'store-unavailable');
  assert.ok(ms < LIMIT_MS - 500, 'known to be down');
  redis.resume();
  const woken = performance.now();
  await notices.next('store-up');
  assert.ok(performance.now() - woken < 10_000, 'within about a second');
  assert.equal((await find(store, 'www.x.io'))?.name, 'x');
  assert.deepEqual(notices.types, ['store-up', 'store-down', 'store-up']);
});

test('Redis hangs from the start: the first lookups wait no longer than the limit', async (t) => {
  const redis = await startRedis(t);
  redis.pause();
  const { store, notices } = openRedis(t, redis, '', '', LIMIT_MS);
  const { error, ms } = await timed(() => find(store, 'www.x.io'));
  assert.equal(codeOf(error), 'store-unavailable');
  assert.ok(ms < 10_000, `${ms} ms is the limit`);
  await store.ready();
  await notices.next('store-down');
  redis.resume();
  await notices.next('store-up');
  assert.equal(await find(store, 'www.x.io'), null);
});

test('lookups made before the first connection wait for it', async (t) => {
  const redis = await startRedis(t);
  await redis.cli(...ROUTE);
  const { store } = openRedis(t, redis);
  assert.equal((await find(store, 'www.x.io'))?.name, 'x');
});

test('a pause shorter than the limit is waited for', async (t) => {
  const redis = await startRedis(t);
  await redis.cli(...ROUTE);
  const { store, notices } = openRedis(t, redis, '', '', 5000);
  await store.ready();
  redis.pause();
  const waiting = find(store, 'www.x.io');
  setTimeout(() => redis.resume(), 100);
  assert.equal((await waiting)?.name, 'x');
  assert.deepEqual(notices.types, ['store-up']);
});

test('a store closed while lookups wait rejects them', async (t) => {
  const redis = await startRedis(t);
  const { store } = openRedis(t, redis);
  await store.ready();
  redis.pause();
  const waiting = Array.from({ length: 10 }, () => timed(() => find(store, 'www.x.io')));
  await store.close();
  for (const { error, ms } of await Promise.all(waiting)) {
    assert.equal(codeOf(error), 'store-unavailable');
    assert.ok(ms < 5_000);
  }
});

test('a store closed before it is connected leaves nothing behind', async (t) => {
  const redis = await startRedis(t);
  const { store } = openRedis(t, redis);
  await store.close();
  await store.ready();
  await assert.rejects(find(store, 'www.x.io'), { ...DOWN, message: /closed/ });
});

test('a wrong password is reported once and tried again until it is right', async (t) => {
  const redis = await startRedis(t, { password: 'right' });
  const { store, notices } = openRedis(t, redis, ':wrong@');
  assert.match((await notices.next('store-down')).cause.message, /WRONGPASS/);
  await assert.rejects(find(store, 'www.x.io'), { ...DOWN, message: /WRONGPASS/ });
  await redis.cli('config', 'set', 'requirepass', 'wrong');
  await notices.next('store-up');
  assert.equal(await find(store, 'www.x.io'), null);
  assert.deepEqual(notices.types, ['store-down', 'store-up']);
});

test('no password where one is wanted is a store that is down', async (t) => {
  const redis = await startRedis(t, { password: 'right' });
  const { store, notices } = openRedis(t, redis);
  assert.match((await notices.next('store-down')).cause.message, /NOAUTH/);
  await assert.rejects(find(store, 'www.x.io'), { ...DOWN, message: /NOAUTH/ });
});

test('full memory: lookups are answered, deaths are refused with the reason', async (t) => {
  const redis = await startRedis(t);
  await redis.cli(...ROUTE);
  const { store } = openRedis(t, redis);
  const route = await find(store, 'www.x.io');
  await redis.cli('config', 'set', 'maxmemory', '1');
  assert.deepEqual(await find(store, 'www.x.io'), route);
  await assert.rejects(die(store, 'www.x.io', 0, 30), { ...DOWN, message: /OOM/ });
});

test('a death written to a replica is refused with the reason, and lookups go on', async (t) => {
  const redis = await startRedis(t);
  await redis.cli(...ROUTE);
  await redis.cli('replicaof', '127.0.0.1', await freePort());
  const { store } = openRedis(t, redis);
  await assert.rejects(die(store, 'www.x.io', 0, 30), { ...DOWN, message: /READONLY/ });
  assert.equal((await find(store, 'www.x.io'))?.name, 'x');
});

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** What the script says of one host that nobody set. */
const NOBODY = bulk('[false]');

test('a server that loads its data is down, with its own words, until it has', async (t) => {
  let isLoading = true;
  const fake = await fakeRedis(t, (name) => {
    if (isLoading) return '-LOADING Redis is loading the dataset in memory\r\n';
    return name === 'evalsha' ? NOBODY : '+OK\r\n';
  });
  const { store, notices } = openFake(t, fake);
  await store.ready();
  await assert.rejects(find(store, 'www.x.io'), { ...DOWN, message: /LOADING Redis is loading/ });
  assert.match((await notices.next('store-down')).cause.message, /LOADING/);
  isLoading = false;
  await notices.next('store-up');
  assert.equal(await find(store, 'www.x.io'), null);
});

test('a server that resets every connection costs no more than the limit, and no crash', async (t) => {
  const fake = await fakeRedis(t, () => null);
  const { store, notices } = openFake(t, fake);
  for (let i = 0; i < 5; i++) {
    const { error, ms } = await timed(() => find(store, 'www.x.io'));
    assert.equal(codeOf(error), 'store-unavailable');
    assert.ok(ms < 5_000);
  }
  await notices.next('store-down');
});

test('a server that resets the connection at every lookup: one more try, then 503', async (t) => {
  let lookups = 0;
  const fake = await fakeRedis(t, (name) => {
    if (name !== 'evalsha') return '$-1\r\n';
    lookups++;
    return null;
  });
  const { store } = openFake(t, fake);
  await assert.rejects(find(store, 'www.x.io'), DOWN);
  assert.equal(lookups, 2);
});

test('replies that no Redis gives are a 503', async (t) => {
  const odd = [
    ':1\r\n',
    '*0\r\n',
    bulk('[false'),
    bulk('[false,false]'),
    bulk('{}'),
    bulk('[1]'),
    bulk('[{}]'),
    bulk('[[]]'),
    bulk('[["found",0]]'),
    bulk('[["found",0,["x","y"],[1],-1]]'),
    bulk('[["too-long","0"]]'),
    '+OK\r\n',
  ];
  const fake = await fakeRedis(t, (name) => (name === 'evalsha' ? (odd.shift() ?? NOBODY) : '$-1\r\n'));
  const { store } = openFake(t, fake);
  while (odd.length > 0) await assert.rejects(find(store, 'www.x.io'), DOWN);
  assert.equal(await find(store, 'www.x.io'), null);
});

test('bytes that are not the protocol are a 503, and no crash', async (t) => {
  let isOdd = false;
  const fake = await fakeRedis(t, (name) => {
    if (isOdd) return 'HTTP/1.1 400 Bad Request\r\n\r\n';
    return name === 'evalsha' ? NOBODY : '$-1\r\n';
  });
  const { store, notices } = openFake(t, fake);
  await notices.next('store-up');
  isOdd = true;
  await assert.rejects(find(store, 'www.x.io'), DOWN);
  isOdd = false;
  await eventually(async () => assert.equal(await find(store, 'www.x.io'), null));
});

const DEAD_ROUTE = buildRoute('www.x.io', 'www.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2'], NO_MARKS, () => {});
const [DEAD_BACKEND] = DEAD_ROUTE.backends;
assert.ok(DEAD_BACKEND);
const DEATH = { route: DEAD_ROUTE, backend: DEAD_BACKEND };

function openFake(t: TestContext, { port }: FakeRedis) {
  const notices = new Notices();
  const url = parseDriverUrl(`redis://127.0.0.1:${port}`);
  assert.equal(url.scheme, 'redis');
  const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 10_000, notify: notices.notify });
  t.after(() => store.close());
  return { store, notices };
}

/** How a lookup ended, and after how long. */
async function timed(work: () => Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const started = performance.now();
  const error = await work().then(
    () => null,
    (reason: unknown) => reason,
  );
  return { error, ms: performance.now() - started };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}

// @waits: for keys to expire
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { candidates } from '../../lib/core/routing/hostname.ts';
import type { RedisAddress } from '../../lib/core/routing/redis-address.ts';
import type { Route } from '../../lib/core/routing/types.ts';
import { openRedisStore } from '../../lib/store/redis/open.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { StoreCounts } from '../../lib/store/store-counts.ts';
import type { RouteStore } from '../../lib/store/store.ts';
import { eventually } from '../support/eventually.ts';
import { startLagging } from '../support/lagging.ts';
import { Notices } from '../support/notices.ts';
import { pick, propertyRuns, seeded } from '../support/random.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { find, storeContract } from './contract.ts';
import { redisSetters } from './redis-setters.ts';
import { subjectOf } from './redis-subject.ts';

/** `SEED=7 HIPACHE_PROPERTY_RUNS=20 npm test -- redis-push` for a long look. */
const SEED = Number(process.env['SEED'] ?? 20_261_121);
const ROUNDS = propertyRuns(15);
/** The promise: so long after the last edit, every answer is what Redis holds, ms. */
const SETTLED_MS = 100;

const redis = await startRedis({ after });
const LIST = ['x', 'http://10.0.0.1', 'http://10.0.0.2'] as const;

function open(t: TestContext, server: TestRedis = redis, userinfo = '', rest = '') {
  return openAt(t, server.address(userinfo, rest));
}

function openAt(t: TestContext, address: RedisAddress, max = 1000) {
  const notices = new Notices();
  const { store } = openRedisStore({
    read: address,
    write: address,
    timeoutMs: 2000,
    cache: { mode: 'push', max, maxAgeMs: 300_000, maxStaleMs: 3_600_000, lruMs: 0 },
    deadMs: 30_000,
    hasTrials: true,
    known: null,
    notify: notices.notify,
    counts: new StoreCounts(),
  });
  t.after(() => store.close());
  return { store, notices };
}

/** Waits until this host is answered from memory: then changes are told. */
async function remembered(store: RouteStore, host: string, path = '/'): Promise<Route | null> {
  return await eventually(async () => {
    await store.find(candidates(host), path);
    const route = store.peek(host, path);
    assert.notEqual(route, undefined, `${host} is asked for each time`);
    return route ?? null;
  });
}

/** Resolves when all that was changed until now has been told: what is told comes in order. */
async function told(store: RouteStore): Promise<void> {
  await remembered(store, 'marker.io');
  await redis.cli('rpush', 'frontend:marker.io', 'x');
  await eventually(() => assert.equal(store.peek('marker.io', '/'), undefined));
}

/** How many commands this does to the server, besides those that ask. */
async function commands(server: TestRedis, work: () => Promise<unknown>): Promise<number> {
  const count = async () =>
    Number(/total_commands_processed:(\d+)/.exec(String(await server.cli('info', 'stats')))?.[1]);
  const before = await count();
  await work();
  return (await count()) - before - 1;
}

test('a route that was read is not read again, nor a host that nobody knows, until Redis says so', async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:x.io', ...LIST);
  const { store } = open(t);
  await remembered(store, 'x.io');
  await remembered(store, 'none.io');
  const asked = await commands(redis, async () => {
    for (let i = 0; i < 200; i++) {
      assert.equal((await find(store, 'x.io'))?.size, 2);
      assert.equal(await find(store, 'none.io'), null);
    }
  });
  // The pulse may come in between.
  assert.ok(asked <= 2, `${asked} commands`);

  await redis.cli('rpush', 'frontend:x.io', 'http://10.0.0.3');
  await eventually(() => assert.equal(store.peek('x.io', '/'), undefined));
  assert.equal((await find(store, 'x.io'))?.size, 3);
  await redis.cli('rpush', 'frontend:none.io', ...LIST);
  await eventually(() => assert.equal(store.peek('none.io', '/'), undefined));
  assert.equal((await find(store, 'none.io'))?.size, 2);
});

test('keys behind a prefix are watched, too', async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'mine:frontend:x.io', ...LIST);
  const { store } = open(t, redis, '', '/0#mine:');
  await remembered(store, 'x.io');
  await redis.cli('sadd', 'mine:dead:x.io', 1);
  await eventually(async () => assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([1])));
});

test('a dead mark of another router hides the backend, and its end shows it again, in time', async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:x.io', ...LIST);
  const { store } = open(t);
  await remembered(store, 'x.io');
  await redis.cli('sadd', 'dead:x.io', 0);
  await eventually(async () => assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([0])));
  const begunAt = performance.now();
  await redis.cli('pexpire', 'dead:x.io', 400);
  await eventually(async () => assert.deepEqual((await find(store, 'x.io'))?.dead, new Set()));
  const tookMs = performance.now() - begunAt;
  assert.ok(tookMs > 350 && tookMs < 10_000, `${tookMs} ms`);
});

test('the end of a mark is seen in time though Redis has thousands of keys that expire', async (t) => {
  await redis.cli('flushall');
  const many = redis.client().pipeline();
  for (let i = 0; i < 50_000; i++) many.call('set', `volatile:${i}`, '1', 'px', String(60_000 + i));
  await many.exec();
  await redis.cli('rpush', 'frontend:x.io', ...LIST);
  const { store } = open(t);
  await remembered(store, 'x.io');
  for (const ttl of [300, 500, 700]) {
    await redis.cli('sadd', 'dead:x.io', 0);
    await eventually(async () => assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([0])));
    await redis.cli('pexpire', 'dead:x.io', ttl);
    await eventually(async () => assert.deepEqual((await find(store, 'x.io'))?.dead, new Set()), ttl + 5_000);
  }
});

test('when either connection is lost, what was read is asked for again, and then remembered again', async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:x.io', ...LIST);
  const { store } = open(t);
  for (const type of ['normal', 'pubsub']) {
    await remembered(store, 'x.io');
    await redis.cli('client', 'kill', 'type', type, 'skipme', 'yes');
    // While nobody tells, a change must not go by unseen.
    await eventually(() => assert.equal(store.peek('x.io', '/'), undefined));
    await redis.cli('rpush', 'frontend:x.io', 'http://10.0.0.9');
    const length = Number(await redis.cli('llen', 'frontend:x.io'));
    await eventually(async () => assert.equal((await find(store, 'x.io'))?.size, length - 1));
    assert.equal((await remembered(store, 'x.io'))?.size, length - 1);
  }
});

test('a server that was restarted is watched again', async (t) => {
  const own = await startRedis(t);
  await own.cli('rpush', 'frontend:x.io', ...LIST);
  const { store } = open(t, own);
  await remembered(store, 'x.io');
  await own.kill();
  await eventually(() => assert.equal(store.peek('x.io', '/'), undefined));
  assert.ok(await own.start());
  await own.cli('rpush', 'frontend:x.io', 'x', 'http://10.0.0.7');
  await eventually(async () => assert.equal((await find(store, 'x.io'))?.size, 1));
  assert.equal((await remembered(store, 'x.io'))?.size, 1);
});

test('an answer that a change has overtaken is not remembered', async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:x.io', ...LIST);
  // The connection that reads is made first.
  const port = await startLagging(t, redis.port, (connection) => (connection === 0 ? 150 : 0));
  const { store } = openAt(t, { ...redis.address(), place: { type: 'server', host: '127.0.0.1', port } });
  await remembered(store, 'other.io');
  const lookups = async () => /cmdstat_evalsha:calls=\d+/.exec(String(await redis.cli('info', 'commandstats')))?.[0];
  const before = await lookups();
  const early = find(store, 'x.io');
  await eventually(async () => assert.notEqual(await lookups(), before));
  await redis.cli('rpush', 'frontend:x.io', 'http://10.0.0.3');
  assert.equal((await early)?.size, 2, 'it was read before the change');
  await eventually(() => assert.equal(store.peek('x.io', '/'), undefined));
  assert.equal((await find(store, 'x.io'))?.size, 3);
});

test("a host's options count for its prefixes at once, though what was known of the host itself is forgotten", async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:a.io/api', ...LIST);
  await redis.cli('sadd', 'prefixes:a.io', '/api');
  await redis.cli('hset', 'options:a.io', 'state', 'live');
  const { store } = openAt(t, redis.address(), 5);
  const state = async () => (await store.find(candidates('a.io'), '/api/x'))?.site.fields.get('state');
  await remembered(store, 'a.io', '/api');
  // The host itself has no list: made-up names push it out.
  for (let i = 0; i < 5; i++) await remembered(store, `made-up-${i}.io`);
  assert.equal(store.peek('a.io', '/other'), undefined);
  await redis.cli('hset', 'options:a.io', 'state', 'maintenance');
  await told(store);
  await remembered(store, 'a.io', '/other');
  assert.equal(await state(), 'maintenance');
});

test('a header field that is changed counts at once: of a host, of its prefixes, of a wildcard, and of all', async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:a.io', ...LIST);
  await redis.cli('rpush', 'frontend:a.io/api', ...LIST);
  await redis.cli('sadd', 'prefixes:a.io', '/api');
  await redis.cli('rpush', 'frontend:*.io', ...LIST);
  const { store } = open(t);
  const seen = (host: string, path: string) => store.peek(host, path)?.site.fields.get('response:X-A');
  for (const [key, host, path] of [
    ['a.io', 'a.io', '/'],
    ['a.io', 'a.io', '/api/x'],
    ['a.io/api', 'a.io', '/api/x'],
    ['*.io', 'b.io', '/'],
    ['*', 'c.io', '/'],
  ] as const) {
    await remembered(store, host, path);
    for (const value of ['1', '2']) {
      await redis.cli('hset', `headers:${key}`, 'response:X-A', value);
      await told(store);
      await remembered(store, host, path);
      assert.equal(seen(host, path), value, key);
    }
    await redis.cli('del', `headers:${key}`);
    await told(store);
    await remembered(store, host, path);
    assert.equal(seen(host, path), undefined, key);
  }
});

test('a weight that is changed counts at once', async (t) => {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:a.io', 'a', 'http://10.0.0.1', 'http://10.0.0.2');
  const { store } = open(t);
  await remembered(store, 'a.io', '/');
  for (const [key, value] of [
    ['a.io', '0'],
    ['a.io', '7'],
    ['*', '5'],
  ] as const) {
    await redis.cli('del', 'weights:a.io');
    await redis.cli('hset', `weights:${key}`, 'http://10.0.0.1', value);
    await eventually(async () => {
      await remembered(store, 'a.io', '/');
      assert.equal(store.peek('a.io', '/')?.site.fields.get('http://10.0.0.1'), value);
    });
  }
});

test("when a host has no prefixes of its own any more, a wildcard's serve at once", async (t) => {
  await redis.cli('flushall');
  for (const [key, url] of [
    ['w.b.io', 'http://10.0.0.1'],
    ['*.b.io', 'http://10.0.0.2'],
  ] as const) {
    for (const prefix of ['/api', '/img']) await redis.cli('rpush', `frontend:${key}${prefix}`, key, url);
    await redis.cli('sadd', `prefixes:${key}`, '/api', '/img');
  }
  const { store } = open(t);
  assert.equal((await remembered(store, 'w.b.io', '/api'))?.name, 'w.b.io');
  // From here on what is known of the host is of another reading.
  await remembered(store, 'w.b.io', '/img');
  await redis.cli('del', 'prefixes:w.b.io');
  await told(store);
  await remembered(store, 'w.b.io', '/other');
  assert.equal((await store.find(candidates('w.b.io'), '/api'))?.name, '*.b.io');
});

test('a prefix that was away for a while comes back with the options that its host has then', async (t) => {
  await redis.cli('flushall');
  for (const prefix of ['/a', '/b']) {
    await redis.cli('rpush', `frontend:c.io${prefix}`, ...LIST);
    await redis.cli('sadd', 'prefixes:c.io', prefix);
  }
  const { store } = open(t);
  for (const path of ['/b', '/a']) await remembered(store, 'c.io', path);
  const settled = async () => {
    await told(store);
    await remembered(store, 'c.io', '/other');
  };
  await redis.cli('srem', 'prefixes:c.io', '/b');
  await settled();
  await redis.cli('hset', 'options:c.io', 'state', 'maintenance');
  await settled();
  await redis.cli('sadd', 'prefixes:c.io', '/b');
  await settled();
  assert.equal((await store.find(candidates('c.io'), '/b'))?.site.fields.get('state'), 'maintenance');
});

test('a user who may not watch is reported once, and Redis is asked on each request', async (t) => {
  const own = await startRedis(t, { lines: ['user blind on >pw ~* &* +@all -client|tracking'] });
  await own.cli('rpush', 'frontend:x.io', ...LIST);
  const { store, notices } = open(t, own, 'blind:pw@');
  assert.match((await notices.next('push-refused')).cause.message, /NOPERM/);
  assert.equal((await find(store, 'x.io'))?.size, 2);
  assert.equal(store.peek('x.io', '/'), undefined);
  await own.cli('rpush', 'frontend:x.io', 'http://10.0.0.3');
  assert.equal((await find(store, 'x.io'))?.size, 3);
  for (let i = 0; i < 3; i++) {
    await own.cli('client', 'kill', 'type', 'pubsub');
    await own.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await eventually(async () => assert.equal((await find(store, 'x.io'))?.size, 3));
  }
  assert.equal(notices.types.filter((type) => type === 'push-refused').length, 1);
});

test('a change of everything that is told when nobody watches any more makes nothing sure', async (t) => {
  const own = await startRedis(t, { lines: ['user known on >pw ~* &* +@all'] });
  const address = own.address('known:pw@');
  const LAG_MS = 2_000;
  for (const edit of [() => own.cli('hset', 'options:*', 'retries', '1'), () => own.cli('flushdb')]) {
    await own.cli('acl', 'setuser', 'known', '+client|tracking');
    await own.cli('rpush', 'frontend:x.io', ...LIST);
    // The connection that reads is made first; the other one lags, from the change on.
    let lag = 0;
    const port = await startLagging(t, own.port, (connection) => (connection === 1 ? lag : 0));
    const { store, notices } = openAt(t, { ...address, place: { type: 'server', host: '127.0.0.1', port } });
    await remembered(store, 'x.io');
    await own.cli('acl', 'setuser', 'known', '-client|tracking');
    lag = LAG_MS;
    await edit();
    const editedAt = performance.now();
    await own.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
    await eventually(() => assert.equal(store.peek('x.io', '/'), undefined));
    assert.ok(performance.now() - editedAt < LAG_MS, 'the change is still on its way');
    // The next connection that reads may not be watched.
    await notices.next('push-refused');
    do {
      await find(store, 'x.io');
      assert.equal(store.peek('x.io', '/'), undefined);
      await delay(10);
    } while (performance.now() - editedAt < LAG_MS + 500);
  }
});

test(`after random edits and lost connections, ${SETTLED_MS} ms of peace are enough for every answer to be right`, async (t) => {
  await redis.cli('flushall');
  const random = seeded(SEED);
  const address = redis.address();
  // Changes are told on a connection of their own: they overtake answers, and are overtaken.
  const lags: number[] = [];
  const port = await startLagging(t, redis.port, (connection) => (lags[connection] ??= Math.floor(random() * 8)));
  const { store } = openAt(t, { ...address, place: { type: 'server', host: '127.0.0.1', port } });
  const fresh = new RedisStore({ read: address, write: address, timeoutMs: 2000, notify: () => {} });
  t.after(() => fresh.close());
  await fresh.ready();

  const hosts = ['a.x.io', 'b.x.io', 'c.y.io', 'd.z.com', 'x.io', '[::1]'] as const;
  const keys = [...hosts, '*.x.io', '*.io', '*', '::1'] as const;
  const prefixes = ['', '', '/a', '/a/b'] as const;
  const paths = ['/', '/a', '/a/b?c', '/a/x', '/b'] as const;
  const url = () => `http://10.0.0.${1 + Math.floor(random() * 9)}`;
  const key = () => `frontend:${pick(keys, random)}${pick(prefixes, random)}`;
  const dead = () => `dead:${pick(hosts, random)}${pick(prefixes, random)}`;
  const named = () => `prefixes:${pick(keys, random)}`;
  const options = () => `options:${pick(keys, random)}${pick(prefixes, random)}`;
  const headers = () => `headers:${pick(keys, random)}${pick(prefixes, random)}`;
  const weights = () => `weights:${pick(keys, random)}${pick(prefixes, random)}`;
  const few = () => String(Math.floor(random() * 3));
  const edits: readonly [() => readonly string[], ...(() => readonly string[])[]] = [
    () => ['rpush', key(), 'name', url()],
    () => ['rpush', key(), url()],
    () => ['rpush', key(), 'bare'],
    () => ['lrem', key(), '1', url()],
    () => ['lpop', key()],
    () => ['del', key()],
    () => ['sadd', dead(), few()],
    () => ['srem', dead(), few()],
    () => ['del', dead()],
    () => ['pexpire', dead(), String(20 + Math.floor(random() * 400))],
    () => ['pexpire', key(), String(20 + Math.floor(random() * 400))],
    () => ['persist', key()],
    () => ['rename', key(), key()],
    () => ['set', key(), 'no list'],
    () => ['sadd', named(), '/a', '/a/b'],
    () => ['srem', named(), pick(['/a', '/a/b'], random)],
    () => ['del', named()],
    () => ['hset', options(), 'pauseMax', String(1 + Math.floor(random() * 9))],
    () => ['hset', options(), 'prepend', '/v2', 'odd', '1'],
    () => ['pexpire', options(), String(20 + Math.floor(random() * 400))],
    () => ['del', options()],
    () => ['hset', headers(), 'response:X-One', few()],
    () => ['del', headers()],
    () => ['hset', weights(), url(), few()],
    () => ['del', weights()],
    () => ['flushdb'],
  ];
  const cuts = ['normal', 'pubsub'] as const;

  for (let round = 0; round < ROUNDS; round++) {
    const editing = new AbortController();
    const asking = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!editing.signal.aborted) {
          await store.find(candidates(pick(hosts, random)), pick(paths, random)).catch(() => {});
          // What is answered from memory would leave no time for anything else.
          await turn();
        }
      }),
    );
    for (let i = 0; i < 60; i++) {
      // A key that is not there to be renamed, or is no list, is an error of Redis and of no matter here.
      await redis.cli(...(pick(edits, random)() as [string, ...string[]])).catch(() => {});
      if (random() < 0.03)
        await redis.cli('client', 'kill', 'type', pick(cuts, random), 'skipme', 'yes').catch(() => {});
      if (random() < 0.2) await delay(random() * 5);
    }
    editing.abort();
    await asking;
    await delay(SETTLED_MS);
    for (const host of hosts.flatMap((each) => paths.map((path) => [each, path] as const))) {
      // What was remembered and should not have been stays wrong. What expires between two readings, or is told late
      // by a machine that has other things to do, does not.
      await eventually(async () => {
        const [answer, truth] = await Promise.all([outcomeOf(store, ...host), outcomeOf(fresh, ...host)]);
        assert.deepEqual(answer, truth, `${host.join('')} in round ${round} of SEED=${SEED}`);
      });
    }
  }
});

/** What a store says of a path, as data: two stores make two sites of the same fields, and their functions differ. */
async function outcomeOf(store: RouteStore, host: string, path: string): Promise<unknown> {
  try {
    const route = await store.find(candidates(host), path);
    return route === null ? null : { ...route, site: route.site.fields };
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

storeContract('redis with push', (t) => subjectWithPush(t));

async function subjectWithPush(t: TestContext) {
  await subjectOf(redis)(t);
  const { store } = open(t);
  const write = async (name: string, ...args: string[]) => {
    await redis.cli(name, ...args);
    // Sees to it that what was written before has been told: what is told comes in order.
    await redis.cli('del', 'frontend:marker.test');
    await delay(20);
  };
  return { store, ...redisSetters(write) };
}

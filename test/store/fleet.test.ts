/** Heartbeats of workers, and what deploys ask of them, in Redis and in a cluster. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RedisAddress } from '../../lib/core/routing/redis-address.ts';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { openFleet } from '../../lib/store/drivers/open-fleet.ts';
import { type Announcement, type BeatSource, type Fleet, GONE_MS, type WorkerBeat } from '../../lib/store/fleet.ts';
import { openRedisStore } from '../../lib/store/redis/open.ts';
import { StoreCounts } from '../../lib/store/store-counts.ts';
import { startRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';
import type { Owner } from '../support/router.ts';

const redis = await startRedis({ after });
const cluster = await startCluster({ after }, 3);

const BEAT: WorkerBeat = {
  router: 'r1',
  master: 10,
  generation: 1,
  slot: 0,
  pid: 11,
  host: 'edge-1',
  version: '1.0.0',
  startedAt: 1_790_000_000_000,
  isDraining: false,
  requestsPerSecond: 12.5,
  connections: 7,
  exchanges: 2,
  queued: 0,
  permits: 0,
  permitsInUse: 0,
  sharedRates: 0,
  lagMs: 1,
  skewMs: null,
  deploys: [],
};

const ANNOUNCED: Announcement = {
  key: 'www.x.io',
  token: 'one',
  list: ['http://a', 'http://b'],
  drained: ['http://a'],
  watched: ['http://a', 'http://b'],
  cut: [],
};

function addressOf(url: string): RedisAddress {
  const parsed = parseDriverUrl(url);
  assert.ok(parsed.scheme === 'redis');
  return parsed.redis;
}

function openWorker(t: Owner, address: RedisAddress): BeatSource {
  const { store, heartbeats } = openRedisStore({
    read: address,
    write: address,
    timeoutMs: 5_000,
    cache: { mode: 'request', max: 10, maxAgeMs: 1_000, maxStaleMs: 0, lruMs: 0 },
    deadMs: 1_000,
    hasTrials: true,
    known: null,
    notify: () => {},
    counts: new StoreCounts(),
  });
  t.after(() => store.close());
  return heartbeats;
}

function open(t: Owner, url: string): Fleet {
  const fleet = openFleet(parseDriverUrl(url), 5_000);
  assert.ok(fleet !== null);
  t.after(() => fleet.close());
  return fleet;
}

const SUBJECTS = [
  [
    'Redis',
    `redis://127.0.0.1:${redis.port}/#pre:`,
    (name: string, key: string, ...args: string[]) => redis.cli(name, key, ...args),
  ],
  [
    'a cluster',
    `redis+cluster://127.0.0.1:${cluster.masters[0]?.port}/#pre:`,
    (name: string, key: string, ...args: string[]) => cluster.cli(name, key, ...args),
  ],
] as const;

for (const [name, url, cli] of SUBJECTS) {
  test(`${name}: a heartbeat is seen until its worker leaves`, async (t) => {
    const [worker, fleet] = [openWorker(t, addressOf(url)), open(t, url)];
    const { skewMs, announced } = await worker.beat(BEAT);
    assert.ok(Math.abs(skewMs) < 2_000, String(skewMs));
    assert.deepEqual(announced, []);
    const [seen, ...others] = await fleet.beats();
    assert.deepEqual([seen?.beat, others], [BEAT, []]);
    assert.ok((seen?.agoMs ?? Infinity) < 2_000);
    assert.ok(Number(await cli('pttl', 'pre:routers')) <= GONE_MS);
    await worker.leave(BEAT);
    assert.deepEqual(await fleet.beats(), []);
  });

  test(`${name}: a worker that has gone is not seen, and is removed by others`, async (t) => {
    const [worker, fleet] = [openWorker(t, addressOf(url)), open(t, url)];
    const gone = { ...BEAT, router: 'r2' };
    await cli('hset', 'pre:routers', 'r2.1.0', `${Date.now() - GONE_MS - 5_000} ${JSON.stringify(gone)}`);
    await cli('hset', 'pre:routers', 'r3.1.0', 'no heartbeat');
    assert.deepEqual(await fleet.beats(), []);
    await worker.beat(BEAT);
    assert.deepEqual(await cli('hlen', 'pre:routers'), 1);
    await worker.leave(BEAT);
  });

  test(`${name}: workers get what is announced, and no more when it is withdrawn`, async (t) => {
    const [worker, fleet] = [openWorker(t, addressOf(url)), open(t, url)];
    await fleet.announce(ANNOUNCED);
    assert.deepEqual((await worker.beat(BEAT)).announced, [ANNOUNCED]);
    await fleet.announce(ANNOUNCED);
    const next = { ...ANNOUNCED, token: 'two', cut: ['http://a'] };
    await fleet.announce(next);
    assert.deepEqual((await worker.beat(BEAT)).announced, [next]);
    assert.ok(Number(await cli('pttl', 'pre:epoch:www.x.io')) > 0);
    assert.ok(Number(await cli('pttl', 'pre:epochs')) > 0);
    await fleet.withdraw('www.x.io');
    assert.deepEqual((await worker.beat(BEAT)).announced, []);
    assert.equal(await cli('exists', 'pre:epoch:www.x.io'), 0);
    assert.equal(await cli('exists', 'pre:epochs'), 0);
  });

  test(`${name}: one deploy at a time may announce a frontend`, async (t) => {
    const [fleet, other] = [open(t, url), open(t, url)];
    await fleet.announce(ANNOUNCED);
    await assert.rejects(other.announce({ ...ANNOUNCED, token: 'other' }), { code: 'busy' });
    await other.withdraw('www.x.io');
    await fleet.announce(ANNOUNCED);
    await fleet.withdraw('www.x.io');
    await other.announce(ANNOUNCED);
    await other.withdraw('www.x.io');
  });
}

test('an announcement that expires is not seen any more', async (t) => {
  const url = `redis://127.0.0.1:${redis.port}`;
  const [worker, fleet] = [openWorker(t, addressOf(url)), open(t, url)];
  await fleet.announce(ANNOUNCED);
  assert.equal((await worker.beat(BEAT)).announced.length, 1);
  await redis.cli('zadd', 'epochs', 1, 'one www.x.io');
  assert.deepEqual((await worker.beat(BEAT)).announced, []);
});

test('a Redis that refuses heartbeats is an error, and one that is away, too', async (t) => {
  const url = `redis://127.0.0.1:${redis.port}`;
  const [worker, fleet] = [openWorker(t, addressOf(url)), open(t, url)];
  await redis.cli('set', 'routers', 'text');
  await assert.rejects(worker.beat(BEAT), /WRONGTYPE/);
  await assert.rejects(fleet.beats(), { code: 'store-refused' });
  await redis.cli('del', 'routers');
});

/** How workers divide a limit: by Redis, and by the master. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SILENT_MS, shareOf, smoothed } from '../../lib/core/limits/demand.ts';
import { WorkerShares } from '../../lib/cluster/master/shares.ts';
import { openRedisStore } from '../../lib/store/redis/open.ts';
import type { PermitShare } from '../../lib/core/limits/permits.ts';
import type { PermitNeed, ShareSource } from '../../lib/store/shares.ts';
import { StoreCounts } from '../../lib/store/store-counts.ts';
import { eventually } from '../support/eventually.ts';
import { type TestRedis, startRedis } from '../support/redis.ts';

test('a share is in proportion to the demand, and the silent have none', () => {
  const demands = new Map([
    ['a', { asked: 30, at: 1000 }],
    ['b', { asked: 10, at: 1000 }],
    ['c', { asked: 99, at: 900 - SILENT_MS }],
  ]);
  assert.deepEqual(shareOf('a', demands, 1000), { share: 0.75, sharers: 2 });
  assert.deepEqual(shareOf('b', demands, 1000), { share: 0.25, sharers: 2 });
  assert.deepEqual(shareOf('a', new Map([['a', { asked: 0, at: 1 }]]), 1), { share: 1, sharers: 1 });
});

test('demand follows what is asked for within two seconds', () => {
  let demand: number | null = null;
  for (let i = 0; i < 3; i++) demand = smoothed(demand, 100);
  for (let i = 0; i < 8; i++) demand = smoothed(demand, 10);
  assert.ok(demand !== null && demand < 10 * 1.6, String(demand));
});

test('the master divides limits among workers, and forgets the silent', () => {
  let now = 1000;
  const shares = new WorkerShares(() => now);
  assert.deepEqual(shares.exchange('1', [{ key: 'k', asked: 30 }]), [{ share: 1, sharers: 1 }]);
  assert.deepEqual(shares.exchange('2', [{ key: 'k', asked: 10 }]), [{ share: 0.25, sharers: 2 }]);
  assert.deepEqual(shares.exchange('1', [{ key: 'other', asked: 1 }]), [{ share: 1, sharers: 1 }]);
  now += SILENT_MS + 1;
  assert.deepEqual(shares.exchange('2', [{ key: 'k', asked: 10 }]), [{ share: 1, sharers: 1 }]);
});

const demands = (asked: number): { key: string; asked: number }[] => [
  { key: 'k', asked },
  { key: 'l', asked: 1 },
];

function openShares(t: TestContext, redis: TestRedis): ShareSource {
  const { store, shares } = openRedisStore({
    read: redis.address(),
    write: redis.address(),
    timeoutMs: 5_000,
    cache: { mode: 'request', max: 10, maxAgeMs: 1_000, maxStaleMs: 0, lruMs: 0 },
    deadMs: 1_000,
    hasTrials: false,
    known: null,
    notify: () => {},
    counts: new StoreCounts(),
  });
  t.after(() => store.close());
  return shares;
}

/** What a worker says, that wants and uses so many of ten. */
const need = (wanted: number, used = 0): PermitNeed[] => [{ key: 'k', limit: 10, wanted, used }];

async function lease(shares: ShareSource, wanted: number, used = 0): Promise<PermitShare> {
  const [permits] = await shares.lease(need(wanted, used));
  return permits ?? assert.fail('no reply');
}

test('workers divide permits by Redis, never more than there are, and those of a dead one are back after a second', async (t) => {
  const redis = await startRedis(t);
  const [one, two] = [openShares(t, redis), openShares(t, redis)];
  assert.deepEqual(await lease(one, 2), { permits: 6, share: 1, isScarce: false });
  assert.deepEqual(await lease(two, 100), { permits: 4, share: 0.980392, isScarce: true });
  assert.equal((await lease(one, 100, 6)).permits, 5);
  assert.equal((await lease(two, 100, 4)).permits, 4, 'one is still used by the other');
  await lease(one, 100, 5);
  assert.equal((await lease(two, 100, 4)).permits, 5);
  await eventually(async () => assert.equal((await lease(two, 100, 5)).permits, 10));
  const left = Number(await redis.cli('pttl', 'permits:k'));
  assert.ok(left > 0 && left <= 5_000);
});

test('the master divides permits among workers in the same way', () => {
  let now = 1000;
  const shares = new WorkerShares(() => now);
  assert.deepEqual(shares.lease('1', need(2)), [{ permits: 6, share: 1, isScarce: false }]);
  assert.deepEqual(shares.lease('2', need(100)), [{ permits: 4, share: 100 / 102, isScarce: true }]);
  now += SILENT_MS + 1;
  assert.equal(shares.lease('2', need(100))[0]?.permits, 10);
});

test('workers divide limits by Redis, a dead one is without a share after a second, and the keys expire', async (t) => {
  const redis = await startRedis(t);
  const [one, two] = [openShares(t, redis), openShares(t, redis)];
  assert.deepEqual((await one.exchange(demands(30)))[0], { share: 1, sharers: 1 });
  assert.deepEqual(await two.exchange(demands(10)), [
    { share: 0.25, sharers: 2 },
    { share: 0.5, sharers: 2 },
  ]);
  await eventually(async () => {
    assert.deepEqual((await two.exchange(demands(10)))[0], { share: 1, sharers: 1 });
  });
  const left = Number(await redis.cli('pttl', 'rate:k'));
  assert.ok(left > 0 && left <= 5_000);
});

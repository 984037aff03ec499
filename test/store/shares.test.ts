/** How workers divide a limit: by Redis, and by the master. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT_MS, shareOf, smoothed } from '../../lib/core/limits/demand.ts';
import { WorkerShares } from '../../lib/cluster/master/shares.ts';
import { openRedisStore } from '../../lib/store/redis/open.ts';
import type { ShareSource } from '../../lib/store/shares.ts';
import { StoreCounts } from '../../lib/store/store-counts.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';

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

test('workers divide limits by Redis, a dead one is without a share after a second, and the keys expire', async (t) => {
  const redis = await startRedis(t);
  const open = (): ShareSource => {
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
  };
  const [one, two] = [open(), open()];
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

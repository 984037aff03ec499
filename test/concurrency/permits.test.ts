/** The limits of requests in flight in one worker, and its permits. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { mock, test, type TestContext } from 'node:test';
import { WorkerShares } from '../../lib/cluster/master/shares.ts';
import { Permits } from '../../lib/concurrency/permits.ts';
import type { Backend } from '../../lib/core/routing/types.ts';
import type { ConcurrencyRule, Permit } from '../../lib/core/routing/site.ts';
import type { ShareSource } from '../../lib/store/shares.ts';

const KEY = 'site.test';
const RULE: ConcurrencyRule = { maxConn: 4, maxConnPerBackend: null, queueLength: 100, queueSeconds: 5 };
const BACKENDS: ConcurrencyRule = { ...RULE, maxConn: null, maxConnPerBackend: 2 };

interface Fleet {
  readonly workers: readonly Permits[];
  /** Lets so much time pass. */
  readonly pass: (ms: number) => Promise<void>;
  isDown: boolean;
  /** The worker that does nothing any more. */
  dead: number | null;
  asked: number;
}

function fleetOf(t: TestContext, count: number): Fleet {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  let now = 1000;
  const shares = new WorkerShares(() => now);
  const fleet: Fleet = {
    workers: Array.from({ length: count }, (_, i) => {
      const lease: ShareSource['lease'] = async (needs) => {
        if (fleet.dead === i) return await new Promise(() => {});
        if (fleet.isDown) throw new Error('it does not reply');
        fleet.asked++;
        return shares.lease(String(i), needs);
      };
      return new Permits({ shares: { lease }, now: () => now });
    }),
    pass: async (ms) => {
      for (let passed = 0; passed < ms; passed += 25) {
        now += 25;
        mock.timers.tick(25);
        await nextTurn();
        await nextTurn();
      }
    },
    isDown: false,
    dead: null,
    asked: 0,
  };
  return fleet;
}

const refuse = (): void => assert.fail('it was refused');
const backend = (id: number): Backend => ({ id, href: `http://127.0.0.1:${id}` }) as unknown as Backend;

/** So many requests come to a worker. @returns the permits, as they come */
function come(worker: Permits | undefined, count: number, rule = RULE): Permit[] {
  const permits: Permit[] = [];
  for (let i = 0; i < count; i++) {
    const permit = worker?.enter(KEY, rule) ?? null;
    if (permit !== null) permits.push(permit);
    else worker?.waitForSite(KEY, rule, (given) => permits.push(given), refuse);
  }
  return permits;
}

test('the first requests of a site wait for the store once, and then have as many permits as there are', async (t) => {
  const { workers, pass } = fleetOf(t, 1);
  const permits = come(workers[0], 6);
  assert.equal(permits.length, 0);
  await pass(25);
  assert.equal(permits.length, 4);
  assert.equal(workers[0]?.waiting, 2);
  permits[0]?.release();
  assert.equal(permits.length, 5, 'the next has its permit at once');
  permits[0]?.release();
  assert.equal(permits.length, 5, 'a second release does nothing');
});

test('those that wait are served in the order in which they came, and those that leave get nothing', async (t) => {
  const { workers, pass } = fleetOf(t, 1);
  const [worker] = workers;
  const held = come(worker, 4);
  await pass(25);
  const order: string[] = [];
  const wait = (name: string): (() => void) | null | undefined =>
    worker?.waitForSite(KEY, RULE, () => order.push(name), refuse);
  wait('first');
  wait('second')?.();
  wait('third');
  assert.equal(worker?.enter(KEY, RULE), null);
  held[0]?.release();
  assert.equal(worker?.enter(KEY, RULE), null, 'a newcomer comes after those that wait');
  held[1]?.release();
  assert.deepEqual(order, ['first', 'third']);
  assert.equal(worker?.waiting, 0);
});

test('workers of a fleet never have more in flight than the limit, and each gets its part within two seconds', async (t) => {
  const { workers, pass } = fleetOf(t, 4);
  const rule = { ...RULE, maxConn: 20, queueLength: 10_000 };
  /** Requests per 25 ms; each takes 100 ms. */
  const loads = [5, 5, 5, 5];
  const flying: { permit: Permit; until: number }[] = [];
  const sums: number[] = [];
  let clock = 0;
  const run = async (ms: number): Promise<void> => {
    sums.length = 0;
    for (let passed = 0; passed < ms; passed += 25) {
      for (const [i, load] of loads.entries()) {
        const worker = workers[i];
        if (worker !== undefined && worker.waiting > 50) continue;
        for (let n = 0; n < load; n++) {
          const take = (permit: Permit): void => void flying.push({ permit, until: clock + 100 });
          const permit = worker?.enter(KEY, rule) ?? null;
          if (permit === null) worker?.waitForSite(KEY, rule, take, refuse);
          else take(permit);
        }
      }
      await pass(25);
      clock += 25;
      for (const each of flying.filter(({ until }) => until <= clock)) {
        flying.splice(flying.indexOf(each), 1);
        each.permit.release();
      }
      assert.ok(flying.length <= 20, `${flying.length} in flight`);
      sums.push(flying.length);
    }
  };
  const mean = (): number => sums.reduce((sum, each) => sum + each, 0) / sums.length;
  await run(2_000);
  await run(3_000);
  assert.ok(mean() >= 18, `evenly: ${mean()}`);
  loads.splice(0, 4, 17, 1, 1, 1);
  await run(2_000);
  await run(3_000);
  assert.ok(mean() >= 18, `at one: ${mean()}`);
  loads.splice(0, 4, 0, 0, 20, 0);
  await run(2_000);
  await run(3_000);
  assert.ok(mean() >= 18, `at another: ${mean()}`);
});

test('a burst far below the limit waits for the store only, not for the next turn', async (t) => {
  const { workers, pass } = fleetOf(t, 4);
  const rule = { ...RULE, maxConn: 100 };
  for (const worker of workers) come(worker, 1, rule);
  await pass(1_000);
  const permits = come(workers[1], 40, rule);
  await pass(150);
  assert.equal(permits.length, 40);
});

test('one permit of a fleet serves all of its workers in turn', async (t) => {
  const { workers, pass } = fleetOf(t, 3);
  const rule = { ...RULE, maxConn: 1 };
  const served = [0, 0, 0];
  const flying: Permit[] = [];
  for (let i = 0; i < 400; i++) {
    for (const [n, worker] of workers.entries()) {
      if (worker.waiting > 2) continue;
      worker.waitForSite(
        KEY,
        rule,
        (permit) => {
          served[n] = (served[n] ?? 0) + 1;
          flying.push(permit);
        },
        refuse,
      );
      worker.enter(KEY, rule)?.release();
    }
    await pass(25);
    assert.ok(flying.length <= 1, `${flying.length} in flight`);
    for (const permit of flying.splice(0)) permit.release();
  }
  for (const count of served) assert.ok(count > 40, served.join(', '));
});

test('the permits of a dead worker are back within two seconds', async (t) => {
  const fleet = fleetOf(t, 2);
  come(fleet.workers[0], 50);
  const other = come(fleet.workers[1], 50);
  await fleet.pass(500);
  assert.ok(other.length < 4);
  fleet.dead = 0;
  await fleet.pass(2_000);
  assert.equal(other.length, 4);
});

test('without the store the last permits hold, and a site that is new to the worker has at least one', async (t) => {
  const fleet = fleetOf(t, 2);
  const [one, two] = fleet.workers;
  const permits = come(one, 50);
  const others = come(two, 50);
  await fleet.pass(500);
  assert.equal(permits.length, 4);
  for (const permit of permits.slice(0, 2)) permit.release();
  await fleet.pass(500);
  assert.deepEqual([permits.length, others.length], [4, 2], 'half of them are the other worker’s now');
  fleet.isDown = true;
  await fleet.pass(5_000);
  assert.deepEqual([permits.length, others.length], [4, 2]);
  permits[3]?.release();
  assert.equal(permits.length, 5, 'its own permit is used again');
  assert.notEqual(one?.enter('new.test', RULE), null);
});

test('each backend has its own permits, and a full one is named', async (t) => {
  const { workers, pass } = fleetOf(t, 1);
  const [worker] = workers;
  const enter = (): Permit => worker?.enter(KEY, BACKENDS) ?? assert.fail('no limit of the site');
  const permits = Array.from({ length: 3 }, enter);
  let served = 0;
  for (const permit of permits) {
    if (permit.useBackend(backend(1))) served++;
    else worker?.waitForBackend(KEY, BACKENDS, () => permit.useBackend(backend(1)) && ++served > 0, refuse);
  }
  await pass(25);
  assert.equal(served, 2);
  assert.deepEqual([...(permits[0]?.fullAmong([backend(1), backend(2)]) ?? [])], [1]);
  const moved = permits[0]?.useBackend(backend(2));
  await pass(25);
  assert.equal(served, 3, 'what one leaves, another gets');
  assert.equal(moved, false, 'the first use of a backend asks the store');
  assert.equal(permits[0]?.useBackend(backend(2)), true);
});

test('a worker that no request comes to asks for nothing', async (t) => {
  const fleet = fleetOf(t, 1);
  const permits = come(fleet.workers[0], 1);
  await fleet.pass(500);
  for (const permit of permits) permit.release();
  await fleet.pass(6_000);
  const { asked } = fleet;
  await fleet.pass(2_000);
  assert.equal(fleet.asked, asked);
});

test('a changed limit holds from the next request on', async (t) => {
  const { workers, pass } = fleetOf(t, 1);
  const permits = come(workers[0], 10);
  await pass(250);
  assert.equal(permits.length, 4);
  const more = { ...RULE, maxConn: 8 };
  workers[0]?.enter(KEY, more);
  permits[0]?.release();
  await pass(500);
  assert.equal(permits.length, 9);
});

test('those that came before the first reply are refused when the queue has no place for them', async (t) => {
  const { workers, pass } = fleetOf(t, 1);
  const [worker] = workers;
  const rule = { ...RULE, maxConn: 1, queueLength: 1 };
  const seen: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    worker?.enter(KEY, rule);
    worker?.waitForSite(
      KEY,
      rule,
      () => seen.push(`${name} served`),
      () => seen.push(`${name} refused`),
    );
  }
  await pass(25);
  assert.deepEqual(seen, ['a served', 'c refused', 'd refused']);
  assert.equal(worker?.waiting, 1);
});

test('a store that is slow to reply is not waited for', async (t) => {
  const fleet = fleetOf(t, 1);
  fleet.dead = 0;
  const permits = come(fleet.workers[0], 6);
  await fleet.pass(400);
  assert.equal(permits.length, 0);
  await fleet.pass(200);
  assert.equal(permits.length, 4);
});

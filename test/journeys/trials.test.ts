/** A backend whose time as a dead one is over gets one trial of all routers, before its share of the requests. */
// @calm: counts by the clock when requests of three routers come
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { fileOwner } from '../support/file-owner.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Owner, type Router, startRouter } from '../support/router.ts';

const TTL = 1;
/** How long the sick backend is waited for, s: much longer than a good one takes on a busy machine. */
const FIRST_BYTE = 1.5;
/** After so long all requests are over that were sent before a mark, ms. */
const SETTLED_MS = FIRST_BYTE * 1_000 + 200;

interface Request {
  readonly method: string;
  readonly at: number;
}

interface Fleet {
  readonly redis: TestRedis;
  readonly routers: readonly Router[];
}

/** Three routers on one Redis. */
async function startThree(owner: Owner, server: Readonly<Record<string, unknown>> = {}): Promise<Fleet> {
  const redis = await startRedis(owner);
  const options = {
    config: { driver: `redis://127.0.0.1:${redis.port}` },
    server: { workers: 1, deadBackendTTL: TTL, timeouts: { firstByte: FIRST_BYTE }, ...server },
  };
  const routers = await Promise.all([1, 2, 3].map(() => startRouter(owner, options)));
  return { redis, routers };
}

const file = fileOwner();
let shared: Promise<Fleet> | undefined;
let sites = 0;

interface Scene extends Fleet {
  readonly host: string;
  readonly state: { isSilent: boolean };
  /** What the sick backend has got. */
  readonly seen: readonly Request[];
}

/** A site of two backends, one of which accepts requests and says nothing until it is well; on routers that tests share. */
async function scene(t: TestContext, fleet: Promise<Fleet> = (shared ??= startThree(file))): Promise<Scene> {
  const { redis, routers } = await fleet;
  const state = { isSilent: true };
  const seen: Request[] = [];
  const sick: RequestListener = ({ method = '' }, response) => {
    seen.push({ method, at: performance.now() });
    if (!state.isSilent) response.end('sick');
  };
  const backends = [await startBackend(t, says('good')), await startBackend(t, sick)];
  const host = `site-${++sites}.test`;
  await redis.cli('rpush', `frontend:${host}`, 'site', ...backends.map(({ url }) => url));
  return { redis, state, seen, routers, host };
}

/** Asks all routers until one has marked the sick one, and those requests that were sent before are over. */
async function untilDead({ routers, redis, host }: Scene, method: string): Promise<void> {
  await eventually(async () => {
    await ask({ port: routers[0]?.port ?? 0, method, host });
    assert.equal(await redis.cli('exists', `trial:${host}`), 1);
  });
}

/** Statuses of requests to all routers, eight at a time, for so long. */
async function askAll({ routers, host }: Scene, method: string, ms: number): Promise<number[]> {
  const until = performance.now() + ms;
  const statuses: number[] = [];
  const client = async (router: Router): Promise<void> => {
    while (performance.now() < until) {
      const { status } = await ask({ port: router.port, method, host });
      statuses.push(status);
      await delay(5);
    }
  };
  await Promise.all(routers.flatMap((router) => [client(router), client(router)]));
  return statuses;
}

/** The time between two trials grows: 2 s, 4 s, 8 s after the one before. */
function assertDoubling(seen: readonly Request[], from: number): void {
  const times = seen.filter(({ at }) => at > from).map(({ at }) => at);
  for (const [i, at] of times.entries()) {
    const before = times[i - 1];
    if (before === undefined) continue;
    const wanted = TTL * 1_000 * 2 ** i;
    assert.ok(at - before >= wanted, `trial ${i} came ${at - before} ms after the one before, not ${wanted}`);
  }
}

test('a silent backend costs the fleet one GET for each trial, ever more rarely, and comes back with one', async (t) => {
  const site = await scene(t);
  const { redis, state, seen, routers, host } = site;
  await untilDead(site, 'GET');
  // Those that were sent before the mark.
  await delay(SETTLED_MS);
  const from = performance.now();
  const before = seen.length;
  const statuses = await askAll(site, 'GET', 10_000);
  assert.deepEqual(new Set(statuses), new Set([200]));
  const trials = seen.length - before;
  assert.ok(trials >= 1 && trials <= 3, `${trials} trials in 10 s`);
  assertDoubling(seen, from);

  state.isSilent = false;
  await eventually(async () => {
    assert.equal((await ask({ port: routers[0]?.port ?? 0, host })).status, 200);
    assert.equal(await redis.cli('exists', `trial:${host}`), 0);
  });
  for (const router of routers) {
    await eventually(async () => assert.equal((await ask({ port: router.port, host })).body, 'sick'));
  }
});

test('while there are GETs, no POST is a trial', async (t) => {
  const site = await scene(t);
  const { seen } = site;
  await untilDead(site, 'GET');
  await delay(SETTLED_MS);
  const before = seen.length;
  const [posts] = await Promise.all([askAll(site, 'POST', 4_000), askAll(site, 'GET', 4_000)]);
  assert.deepEqual(new Set(posts), new Set([200]));
  assert.deepEqual(new Set(seen.slice(before).map(({ method }) => method)), new Set(['GET']));
});

test('where all are POSTs, one of them fails for each trial', async (t) => {
  const site = await scene(t);
  const { seen } = site;
  await untilDead(site, 'POST');
  await delay(SETTLED_MS);
  const before = seen.length;
  const statuses = await askAll(site, 'POST', 10_000);
  const failed = statuses.filter((status) => status !== 200);
  const trials = seen.length - before;
  assert.ok(trials >= 1 && trials <= 2, `${trials} trials in 10 s`);
  assert.equal(failed.length, trials);
});

test('with server.trial false a backend gets its share when its mark ends, and no record is made', async (t) => {
  const site = await scene(t, startThree(t, { trial: false }));
  const { redis, seen, routers, host } = site;
  await eventually(async () => {
    await ask({ port: routers[0]?.port ?? 0, host });
    assert.equal(await redis.cli('exists', `dead:${host}`), 1);
  });
  await delay(SETTLED_MS);
  const before = seen.length;
  await askAll(site, 'GET', 3_000);
  assert.ok(seen.length - before > 3, `${seen.length - before}`);
  assert.equal(await redis.cli('exists', `trial:${host}`), 0);
});

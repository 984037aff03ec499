/** `rate` holds for all routers and workers together. */
// @one-lane: both lanes ask the same limits, which journeys/rate shows
// @calm: it measures by the clock what three routers let through
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';

const RATE = 60;

/** Asks each router so often a second, evenly, on connections of their own, which are spread over its workers. @returns how many a second were let through in the last `seconds` */
async function flood(
  routers: readonly { readonly port: number; readonly perSecond: number }[],
  settleMs: number,
  seconds: number,
): Promise<number> {
  let passed = 0;
  const begin = performance.now();
  let lastAt = begin;
  await Promise.all(
    routers.map(async ({ port, perSecond }) => {
      const asking: Promise<void>[] = [];
      const all = Math.round((perSecond * (settleMs + seconds * 1000)) / 1000);
      for (let i = 0; i < all; i++) {
        const dueAt = begin + (i * 1000) / perSecond;
        await delay(Math.max(0, dueAt - performance.now()));
        asking.push(
          ask({ port }).then(({ status }) => {
            assert.ok(status === 200 || status === 429, String(status));
            lastAt = performance.now();
            if (status === 200 && lastAt >= begin + settleMs) passed++;
          }),
        );
      }
      await Promise.all(asking);
    }),
  );
  return (passed * 1000) / (lastAt - begin - settleMs);
}

function assertNear(found: number, what: string): void {
  assert.ok(Math.abs(found - RATE) <= RATE / 10, `${what}: ${found} a second of ${RATE}`);
}

async function startFleet(t: TestContext): Promise<readonly Router[]> {
  const redis = await startRedis(t);
  const backend = await startBackend(t, says('ok'));
  await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
  await redis.cli('hset', 'options:site.test', 'rate', `${RATE} 10`, 'rateBy', 'host');
  const config = { driver: `redis://127.0.0.1:${redis.port}` };
  return await Promise.all(Array.from({ length: 3 }, () => startRouter(t, { config })));
}

test('three routers together let through what the rate says, however clients are spread', async (t) => {
  const routers = await startFleet(t);
  const spread = (...perSecond: readonly number[]): { port: number; perSecond: number }[] =>
    routers.map(({ port }, i) => ({ port, perSecond: perSecond[i] ?? 0 })).filter((each) => each.perSecond > 0);
  assertNear(await flood(spread(60, 60, 60), 2_000, 3), 'evenly');
  assertNear(await flood(spread(120, 30, 10), 2_000, 3), 'unevenly');
  assertNear(await flood(spread(0, 90, 0), 2_000, 3), 'at one');
  const [first, ...others] = routers;
  first?.process.kill('SIGKILL');
  assertNear(
    await flood(
      others.map(({ port }) => ({ port, perSecond: 60 })),
      2_000,
      4,
    ),
    'after a death',
  );
});

test('two workers of one router share the rate of a routes file', async (t) => {
  const backend = await startBackend(t, says('ok'));
  const routes = { 'site.test': ['site', backend.url], 'options:site.test': { rate: `${RATE} 10`, rateBy: 'host' } };
  const router = await startRouter(t, { routes, server: { workers: 2 } });
  assertNear(await flood([{ port: router.port, perSecond: 180 }], 2_000, 3), 'two workers');
});

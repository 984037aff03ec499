/** With a routes file, a backend whose time as a dead one is over gets one trial of all workers. */
// @calm: counts by the clock when requests of two workers come
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { BackendView, FrontendView } from '../../lib/diagnostics/explanation.ts';
import { adminOf, askAdmin } from '../support/admin.ts';
import { says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';

const TTL = 1;
const SITE = 'site.test';

/** A site of two backends, one of which cuts its connections until it is well. */
async function startSite(t: TestContext) {
  const state = { isSick: true };
  /** When the sick one has got requests, ms. */
  const seen: number[] = [];
  const sick: RequestListener = (request, response) => {
    seen.push(performance.now());
    if (state.isSick) request.socket.destroy();
    else response.end('sick');
  };
  const backends = [await startBackend(t, says('good')), await startBackend(t, sick)];
  return { state, seen, list: ['site', ...backends.map(({ url }) => url)] };
}

async function scene(t: TestContext, server: Readonly<Record<string, unknown>> = {}) {
  const { list, ...site } = await startSite(t);
  const routes = { [SITE]: list };
  const router = await startRouter(t, { routes, server: { workers: 2, deadBackendTTL: TTL, ...server } });
  return { ...site, router };
}

async function untilDead(router: Router): Promise<void> {
  await eventually(async () => {
    assert.equal((await ask(router)).body, 'good');
    assert.ok(router.log.some(({ event }) => event === 'backend-dead'));
  });
  // Requests that were sent before.
  await delay(100);
}

/** Statuses of requests for so long, each with a connection of its own. */
async function askFor(router: Router, ms: number): Promise<Set<number>> {
  const until = performance.now() + ms;
  const statuses = new Set<number>();
  const client = async (): Promise<void> => {
    while (performance.now() < until) {
      statuses.add((await ask(router)).status);
      await delay(5);
    }
  };
  await Promise.all([1, 2, 3, 4].map(client));
  return statuses;
}

test('two workers try a sick backend with one request, ever more rarely, across a reload, until it is well', async (t) => {
  const { router, state, seen } = await scene(t);
  await untilDead(router);
  seen.length = 0;
  const [statuses] = await Promise.all([
    askFor(router, 8_000),
    (async () => {
      // After the first trial.
      await eventually(() => assert.equal(seen.length, 1));
      router.signal('SIGHUP');
      await router.event('reloaded');
    })(),
  ]);
  assert.deepEqual(statuses, new Set([200]));
  assert.ok(seen.length >= 2 && seen.length <= 3, `${seen.length} trials in 8 s`);
  for (const [i, at] of seen.entries()) {
    const before = seen[i - 1] ?? -Infinity;
    const least = TTL * 1_000 * 2 ** i;
    assert.ok(at - before >= least, `trial ${i} came ${at - before} ms after the one before, not ${least}`);
  }
  state.isSick = false;
  await eventually(async () => assert.equal((await ask(router)).body, 'sick'));
  // Its share of both workers.
  await eventually(async () => {
    const bodies = await Promise.all(Array.from({ length: 40 }, async () => (await ask(router)).body));
    assert.ok(bodies.filter((body) => body === 'sick').length >= 8);
  });
});

test('with server.trial false it gets its share again when its mark ends', async (t) => {
  const { router, seen } = await scene(t, { trial: false });
  await untilDead(router);
  seen.length = 0;
  const from = performance.now();
  while (seen.length < 4) await askFor(router, 200);
  // The fourth trial would come after 15 s.
  assert.ok(performance.now() - from < 12_000, 'the time of its mark has grown');
});

/** The sick backend, as the admin interface shows it. */
async function shown(router: Router): Promise<BackendView | undefined> {
  const { json } = await askAdmin(await adminOf(router), `/api/v1/frontends/${SITE}`);
  return (json as FrontendView).backends[1];
}

for (const store of ['a file', 'Redis']) {
  test(`in ${store} a backend is shown as dead until its trial, then as on trial, then as alive`, async (t) => {
    const admin = { port: 0 };
    const { list, state } = await startSite(t);
    const redis = store === 'Redis' ? await startRedis(t) : null;
    await redis?.cli('rpush', `frontend:${SITE}`, ...list);
    const where =
      redis === null
        ? { routes: { [SITE]: list }, config: { admin } }
        : { config: { admin, driver: `redis://127.0.0.1:${redis.port}` } };
    const router = await startRouter(t, { ...where, server: { workers: 2, deadBackendTTL: 3 } });
    await eventually(async () => {
      await ask(router);
      const backend = await shown(router);
      assert.equal(backend?.state, 'dead');
      const { trialInSeconds, markedBy } = backend;
      assert.ok(trialInSeconds !== null && trialInSeconds > 0 && trialInSeconds <= 3, String(trialInSeconds));
      assert.equal(markedBy, 'router');
    });
    await eventually(async () => {
      const { state: is, trialInSeconds, secondsLeft } = (await shown(router)) ?? {};
      assert.deepEqual([is, trialInSeconds, secondsLeft], ['on-trial', 0, null]);
    });
    const { text } = await askAdmin(await adminOf(router), `/api/v1/frontends/${SITE}/explain`);
    assert.match(text, /the one of 1 living backend of 2/);
    state.isSick = false;
    await eventually(async () => {
      await ask(router);
      assert.equal((await shown(router))?.state, 'alive');
    });
  });
}

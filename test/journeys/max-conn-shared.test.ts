/** `maxConn` holds for all routers and workers together. */
// @one-lane: both lanes take the same permits, which journeys/max-conn shows
// @calm: it measures by the clock what three routers let through
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { startRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';

const MOST = 20;
/** How long the backend takes, ms. */
const TAKES_MS = 250;

/** A backend that counts its requests. */
interface Counted {
  readonly url: string;
  inFlight: number;
}

async function startCounted(t: TestContext): Promise<Counted> {
  const counted = { url: '', inFlight: 0 };
  const { url } = await startBackend(t, (request, response) => {
    request.resume();
    counted.inFlight++;
    response.once('close', () => counted.inFlight--);
    setTimeout(() => response.end('ok'), TAKES_MS);
  });
  counted.url = url;
  return counted;
}

/**
 * So many clients of each router ask again and again; each request has a connection of its own, so that workers are used evenly.
 * @returns what ends them
 */
function load(ports: readonly (readonly [port: number, clients: number])[]): () => Promise<void> {
  const end = new AbortController();
  const clients = ports.flatMap(([port, count]) => Array.from({ length: count }, () => askOn(port, end.signal)));
  return async () => {
    end.abort();
    await Promise.all(clients);
  };
}

async function askOn(port: number, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    const { status } = await ask({ port });
    assert.ok(status === 200 || status === 503, String(status));
    if (status === 503) await delay(20);
  }
}

/** The mean of what is in flight, in so many ms. */
async function watch(counted: Counted, ms: number): Promise<number> {
  const seen: number[] = [];
  for (const until = performance.now() + ms; performance.now() < until;) {
    await delay(5);
    seen.push(counted.inFlight);
  }
  return seen.reduce((sum, each) => sum + each, 0) / seen.length;
}

async function assertShared(
  counted: Counted,
  ports: readonly (readonly [port: number, clients: number])[],
  what: string,
): Promise<void> {
  const end = load(ports);
  await delay(2_000);
  const mean = await watch(counted, 2_000);
  await end();
  assert.ok(mean >= MOST * 0.85 && mean <= MOST * 1.1, `${what}: ${mean} in flight of ${MOST}`);
}

async function startFleet(t: TestContext, counted: Counted): Promise<readonly Router[]> {
  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:site.test', 'site', counted.url);
  await redis.cli('hset', 'options:site.test', 'maxConn', String(MOST), 'queue', '200 10');
  const config = { driver: `redis://127.0.0.1:${redis.port}` };
  return await Promise.all(Array.from({ length: 3 }, () => startRouter(t, { config, server: { workers: 2 } })));
}

test('three routers together have as many in flight as maxConn says, however clients are spread', async (t) => {
  const counted = await startCounted(t);
  const routers = await startFleet(t, counted);
  const spread = (...counts: readonly number[]): (readonly [number, number])[] =>
    routers.map(({ port }, i) => [port, counts[i] ?? 0]);
  await assertShared(counted, spread(20, 20, 20), 'evenly');
  await assertShared(counted, spread(40, 10, 4), 'unevenly');
  await assertShared(counted, spread(0, 50, 0), 'at one');
});

test('the permits of a router that is killed are back within two seconds', async (t) => {
  const counted = await startCounted(t);
  const routers = await startFleet(t, counted);
  const [first, ...others] = routers;
  const end = load(others.map(({ port }) => [port, 20]));
  const endFirst = load([[first?.port ?? 0, 20]]);
  await delay(1_500);
  first?.process.kill('SIGKILL');
  await assert.rejects(endFirst());
  await delay(2_000);
  const mean = await watch(counted, 2_000);
  await end();
  assert.ok(mean >= MOST * 0.85 && mean <= MOST * 1.1, `${mean} in flight of ${MOST}`);
});

test('two workers of one router share the permits of a routes file', async (t) => {
  const counted = await startCounted(t);
  const routes = {
    'site.test': ['site', counted.url],
    'options:site.test': { maxConn: MOST, queue: '200 10' },
  };
  const router = await startRouter(t, { routes, server: { workers: 2 } });
  await assertShared(counted, [[router.port, 60]], 'two workers');
});

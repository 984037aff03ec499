/** Whatever befalls Redis under traffic: known hosts lose no request, nobody waits long, no worker dies, and it passes. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Router, startRouter } from '../support/router.ts';

/** server.storeTimeout here, and what a busy machine may add, ms. */
const LIMIT_MS = 1_000;
const NOISE_MS = 3_000;
/** Requests per second. */
const RATE = 100;
/** No more are under way: a machine that is slower than that has no queue that grows. */
const MOST = (RATE * LIMIT_MS) / 1_000;
/** The promise is a second; the machine may add its own delays. */
const RECOVERY_MS = 4_000;

interface Fault {
  readonly name: string;
  /** For its configuration file. */
  readonly lines?: readonly string[];
  /** Goes on until it resolves, or until `end`. */
  readonly begin: (redis: TestRedis, t: TestContext) => Promise<unknown>;
  readonly lastsMs?: number;
  readonly end?: (redis: TestRedis, t: TestContext) => Promise<unknown> | void;
}

const killClients = async (redis: TestRedis): Promise<void> => {
  await redis.cli('client', 'kill', 'type', 'normal', 'skipme', 'yes');
  await redis.cli('client', 'kill', 'type', 'pubsub').catch(() => {});
};

const FAULTS: readonly Fault[] = [
  {
    name: 'killed and started again with its data',
    lines: ['appendonly yes', 'appendfsync always'],
    begin: (redis) => redis.kill(),
    lastsMs: 700,
    end: async (redis) => assert.ok(await redis.start()),
  },
  {
    name: 'hung for 5 s',
    begin: async (redis) => redis.pause(),
    lastsMs: 5_000,
    end: (redis) => redis.resume(),
  },
  { name: 'slow for 700 ms, again and again', begin: slowly },
  { name: 'all connections reset, again and again', begin: (redis) => repeat(10, () => killClients(redis)) },
  { name: 'scripts flushed, again and again', begin: (redis) => repeat(20, () => redis.cli('script', 'flush')) },
  {
    name: 'out of memory',
    begin: (redis) => redis.cli('config', 'set', 'maxmemory', '1'),
    lastsMs: 700,
    end: (redis) => redis.cli('config', 'set', 'maxmemory', '0'),
  },
  {
    name: 'a password that the router does not have, for a while',
    begin: async (redis) => {
      await redis.cli('config', 'set', 'requirepass', 'secret');
      await killClients(redis);
    },
    lastsMs: 700,
    end: (redis) => redis.cli('config', 'set', 'requirepass', ''),
  },
  {
    name: 'made a replica that has lost its master and serves nothing (MASTERDOWN, READONLY)',
    begin: async (redis) => {
      await redis.cli('config', 'set', 'replica-serve-stale-data', 'no');
      await redis.cli('replicaof', '127.0.0.1', '1');
    },
    lastsMs: 700,
    end: (redis) => redis.cli('replicaof', 'no', 'one'),
  },
];

async function repeat(times: number, what: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) {
    await what();
    await delay(50);
  }
}

/** Nobody else is answered while Redis sleeps. */
async function slowly(redis: TestRedis): Promise<void> {
  for (let i = 0; i < 3; i++) await redis.cli('debug', 'sleep', '0.7');
}

/** Asks at a steady rate until `over`; what was not well. */
async function load(router: Router, over: AbortSignal): Promise<{ asked: number; failures: string[] }> {
  const failures: string[] = [];
  const asked: Promise<void>[] = [];
  let underWay = 0;
  const one = async (): Promise<void> => {
    const startedAt = performance.now();
    underWay++;
    try {
      const { status, body } = await ask(router);
      const tookMs = performance.now() - startedAt;
      if (status !== 200 || body !== 'hello') failures.push(`${status}`);
      if (tookMs > LIMIT_MS + NOISE_MS) failures.push(`${Math.round(tookMs)} ms`);
    } catch (error) {
      failures.push(String(error));
    }
    underWay--;
  };
  while (!over.aborted) {
    const more = Math.min(RATE / 20, MOST - underWay);
    for (let i = 0; i < more; i++) asked.push(one());
    await delay(50);
  }
  await Promise.all(asked);
  return { asked: asked.length, failures };
}

for (const mode of ['request', 'push'] as const) {
  for (const { name, lines = [], begin, lastsMs = 0, end } of FAULTS) {
    test(`${mode}: Redis ${name}`, async (t) => {
      const redis = await startRedis(t, { lines: ['enable-debug-command yes', ...lines] });
      const backend = await startBackend(t, (_request, response) => response.end('hello'));
      await redis.cli('rpush', 'frontend:site.test', 'site', backend.url);
      const config = { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode } };
      const router = await startRouter(t, { config, server: { storeTimeout: LIMIT_MS / 1000 } });
      assert.equal((await ask(router)).body, 'hello');
      const over = new AbortController();
      const loaded = load(router, over.signal);
      await begin(redis, t);
      await delay(lastsMs);
      await end?.(redis, t);
      // It is asked again: what is new is seen.
      await redis.cli('rpush', 'frontend:new.test', 'new', backend.url);
      await eventually(async () => {
        assert.equal((await ask({ port: router.port, host: 'new.test' })).body, 'hello');
      }, RECOVERY_MS);
      over.abort();
      const { asked, failures } = await loaded;
      assert.deepEqual(failures, [], `${failures.length} of ${asked}`);
      assert.deepEqual(
        router.log.filter(({ event = '' }) => /^worker-|internal-error/.test(event)),
        [],
      );
      assert.deepEqual(router.stray, []);
    });
  }
}

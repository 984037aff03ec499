/** What clients make up, hosts and paths, causes a bounded number of lookups in Redis. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { says, startBackend } from '../support/backends.ts';
import { ask, send } from '../support/client.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startRouter } from '../support/router.ts';

const CONNECTIONS = 5;
const REQUESTS = 4_000;
/** What one client may cause at once, and in a second after that: half of what all may. */
const BURST = 2_500;
const PER_SECOND = 500;

/** The field of a trusted proxy that names a client. */
function of(client: string): Record<string, string> {
  return { 'X-Forwarded-For': client };
}

/** How many lists were read so far. */
async function readsOf(redis: TestRedis): Promise<number> {
  const stats = String(await redis.cli('info', 'commandstats'));
  return Number(/cmdstat_lrange:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

/** Requests on one connection, one after the other, each with a line of its own. Resolves to how many got each status. */
async function pipeline(port: number, count: number, request: (i: number) => string): Promise<Map<string, number>> {
  const heads = Array.from({ length: count }, (_, i) => `${request(i)}\r\n\r\n`);
  const last = 'GET /last HTTP/1.1\r\nHost: none.test\r\nConnection: close\r\n\r\n';
  const text = await send(port, heads.join('') + last);
  const statuses = new Map<string, number>();
  for (const [, status = ''] of text.matchAll(/HTTP\/1\.1 (\d+) /g))
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  return statuses;
}

test('made-up hosts of one client cause half of the lookups at most, and another client finds a host that is new', async (t) => {
  const redis = await startRedis(t);
  const { url } = await startBackend(t, says('ok'));
  for (const host of ['seen.test', 'new.test']) await redis.cli('rpush', `frontend:${host}`, host, url);
  const router = await startRouter(t, {
    config: { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode: 'push' } },
  });
  const { port } = router;
  assert.equal((await ask({ port, host: 'seen.test' })).status, 200);
  const readsBefore = await readsOf(redis);
  await ask({ port, host: 'made-up.test' });
  const readsOfOne = (await readsOf(redis)) - readsBefore;
  const begin = performance.now();
  const floods = Array.from({ length: CONNECTIONS }, (_, c) =>
    pipeline(port, REQUESTS, (i) => `GET / HTTP/1.1\r\nHost: made-up-${c}-${i}.test\r\nX-Forwarded-For: 192.0.2.1`),
  );
  const statuses = await Promise.all(floods);
  const lookups = ((await readsOf(redis)) - readsBefore) / readsOfOne;
  const most = BURST + (PER_SECOND * (performance.now() - begin)) / 1_000 + CONNECTIONS + 2;
  assert.ok(lookups <= most, `${lookups} lookups`);
  const refused = statuses.reduce((sum, count) => sum + (count.get('503') ?? 0), 0);
  assert.ok(refused >= CONNECTIONS * REQUESTS - most, `${refused} were refused`);
  assert.equal((await ask({ port, host: 'new.test', headers: of('192.0.2.2') })).status, 200);
  assert.equal((await ask({ port, host: 'seen.test', headers: of('192.0.2.1') })).status, 200);
});

test('made-up paths of a site with routes by path cause no lookups', async (t) => {
  const redis = await startRedis(t);
  const { url } = await startBackend(t, says('ok'));
  for (const site of ['site.test', '*.wild.test'])
    for (const prefix of ['', '/api', '/api/v2']) await redis.cli('rpush', `frontend:${site}${prefix}`, 'name', url);
  // A prefix without a list, too.
  for (const site of ['site.test', '*.wild.test'])
    await redis.cli('sadd', `prefixes:${site}`, '/api', '/api/v2', '/gone');
  const router = await startRouter(t, {
    config: { driver: `redis://127.0.0.1:${redis.port}`, cache: { mode: 'push' } },
  });
  const { port } = router;
  const hosts = ['site.test', 'a.wild.test'];
  const tops = ['', '/api', '/api/v2', '/gone'];
  for (const host of hosts)
    for (const top of tops) assert.equal((await ask({ port, host, path: `${top}/` })).body, 'ok');
  const before = await readsOf(redis);
  for (const host of hosts) {
    const statuses = await pipeline(
      port,
      2_000,
      (i) => `GET ${tops[i % tops.length]}/made-up-${i}/${i * 7}?q=${i} HTTP/1.1\r\nHost: ${host}`,
    );
    assert.equal(statuses.get('200'), 2_000);
  }
  assert.ok((await readsOf(redis)) - before < 20, 'only those of the last requests of each connection');
});

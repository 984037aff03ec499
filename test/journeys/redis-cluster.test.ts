// @waits: for failovers
// @one-lane: both lanes ask the same store
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { askOnAndOn } from '../support/asking.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import { startHoldingBackend } from '../support/holding-backend.ts';
import { startRouter } from '../support/router.ts';

const STORE_TIMEOUT = 0.5;
/** What a busy machine adds to an answer, ms. */
const SLACK_MS = 3500;
const LIMIT_MS = STORE_TIMEOUT * 1000 + SLACK_MS;
/** Of "within a second", on a busy machine, ms. */
const RECOVERY_MS = 4000;
/** Until the cluster has noticed and voted, ms. */
const ELECTION_MS = 30_000;

/** Two nodes are enough to find the others. */
function urlOf({ masters: [one, two] }: TestCluster, userinfo = '', rest = ''): string {
  return `redis+cluster://${userinfo}127.0.0.1:${one?.port},127.0.0.1:${two?.port}/${rest}`;
}

test('routes, wildcards, deaths and limits work wherever their keys are, with the rights that docs/redis.md lists', async (t) => {
  const cluster = await startCluster(t, 3);
  const document = readFileSync(join(packageRoot, 'docs/redis.md'), 'utf8');
  const rule = /^ACL SETUSER hipache .*$/m.exec(document)?.[0].split(' ').slice(1);
  const more = /^ACL SETUSER hipache (.*\+asking.*)$/m.exec(document)?.[1]?.split(' ');
  assert.ok(rule && more);
  for (const node of cluster.masters) {
    await node.cli('acl', ...rule);
    await node.cli('acl', 'setuser', 'hipache', ...more);
  }
  const router = await startRouter(t, { config: { driver: urlOf(cluster, 'hipache:password@') } });
  const good = await startBackend(t, (_request, response) => response.end('hello'));
  const bad = await startBackend(t, (_request, response) => response.writeHead(502).end());
  for (const place of [0, 1, 2]) {
    const host = cluster.hostOn(place, 'frontend:');
    await cluster.cli('rpush', `frontend:${host}`, 'site', bad.url, good.url);
    while ((await ask({ port: router.port, host })).status !== 502);
    await eventually(async () => assert.deepEqual(await cluster.cli('smembers', `dead:${host}`), ['0']));
    assert.ok(Number(await cluster.cli('ttl', `dead:${host}`)) > 0);
    assert.equal((await ask({ port: router.port, host })).body, 'hello');
  }
  await cluster.cli('rpush', 'frontend:*.wild.test', 'wild', good.url);
  for (let i = 0; i < 20; i++)
    assert.equal((await ask({ port: router.port, host: `h${i}.a.wild.test` })).body, 'hello');
  const holding = await startHoldingBackend(t);
  const limited = [0, 1, 2].map((place) => `limited.${cluster.hostOn(place, 'options:limited.')}`);
  for (const host of limited) {
    await cluster.cli('hset', `options:${host}`, 'maxConn', '1', 'queue', 'off');
    await cluster.cli('rpush', `frontend:${host}`, 'limited', holding.url);
  }
  const asked = limited.map((host) => ask({ port: router.port, host }));
  await holding.holds(limited.length);
  for (const host of limited)
    assert.equal((await ask({ port: router.port, host })).headers['x-router-error'], 'site-busy');
  for (let i = 0; i < limited.length; i++) holding.letGo();
  for (const answer of asked) assert.equal((await answer).status, 200);
  for (const node of cluster.masters) assert.deepEqual(await node.cli('acl', 'log'), []);
  assert.deepEqual(router.stray, []);
});

test('rediss+cluster: every node is talked to over TLS, and must be vouched for', async (t) => {
  const cluster = await startCluster(t, 2, 0, { tls: 'mutual' });
  const [first] = cluster.masters;
  assert.ok(first);
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  const hosts = [0, 1].map((place) => cluster.hostOn(place, 'frontend:'));
  for (const host of hosts) await cluster.cli('rpush', `frontend:${host}`, 'site', backend.url);
  const driver = urlOf(cluster).replace('redis+', 'rediss+');
  const router = await startRouter(t, { config: { driver, driverTls: { ca: first.caPath, ...first.clientFiles } } });
  for (const host of hosts) assert.equal((await ask({ port: router.port, host })).body, 'hello');
  const wary = await startRouter(t, { config: { driver, driverTls: first.clientFiles } });
  assert.match((await wary.event('store-down')).msg ?? '', /certificate/);
});

test('a planned failover costs nobody an answer', async (t) => {
  const cluster = await startCluster(t, 3, 3);
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  const hosts = [0, 1, 2].map((place) => cluster.hostOn(place, 'frontend:'));
  for (const host of hosts) await cluster.cli('rpush', `frontend:${host}`, 'site', backend.url);
  // Longer than a busy machine keeps a node from answering: here none of them is lost.
  const storeTimeout = 3;
  const router = await startRouter(t, { server: { storeTimeout }, config: { driver: urlOf(cluster) } });
  const stop = askOnAndOn(router, storeTimeout * 1000 + SLACK_MS, hosts);
  await router.line(/ 200 /);
  const [old] = cluster.masters;
  await cluster.replicas[0]?.cli('cluster', 'failover');
  await eventually(async () => assert.match(String(await old?.cli('info', 'replication')), /role:slave/), ELECTION_MS);
  await ask({ port: router.port, host: hosts[0] ?? '' });
  assert.deepEqual([...(await stop()).keys()], [200]);
  assert.equal(router.log.filter(({ event }) => event === 'store-down').length, 0);
});

for (const [what, end] of [
  ['killed', 'kill'],
  ['silent', 'pause'],
] as const) {
  test(`a master that is ${what} costs its own hosts answers until its replica takes over, without a restart`, async (t) => {
    const cluster = await startCluster(t, 3, 3);
    const backend = await startBackend(t, (_request, response) => response.end('hello'));
    const [lost = '', ...kept] = [0, 1, 2].map((place) => cluster.hostOn(place, 'frontend:'));
    for (const host of [lost, ...kept]) await cluster.cli('rpush', `frontend:${host}`, 'site', backend.url);
    await cluster.masters[0]?.cli('wait', 1, 5000);
    const router = await startRouter(t, {
      server: { storeTimeout: STORE_TIMEOUT },
      config: { driver: urlOf(cluster) },
    });
    const stop = askOnAndOn(router, LIMIT_MS, [lost]);
    await router.line(/ 200 /);
    await cluster.masters[0]?.[end]();
    const heir = cluster.replicas[0];
    await eventually(async () => {
      assert.match(String(await heir?.cli('info', 'replication')), /role:master/);
      assert.match(String(await cluster.masters[1]?.cli('cluster', 'info')), /cluster_state:ok/);
    }, ELECTION_MS);
    const electedAt = performance.now();
    const get = async (host: string) => assert.equal((await ask({ port: router.port, host })).body, 'hello');
    await eventually(() => get(lost), RECOVERY_MS);
    t.diagnostic(`served ${Math.round(performance.now() - electedAt)} ms after the election`);
    for (const host of kept) await eventually(() => get(host), RECOVERY_MS);
    const statuses = await stop();
    assert.deepEqual(
      [...statuses.keys()].filter((status) => status !== 200 && status !== 503),
      [],
    );
    if (end === 'pause') cluster.masters[0]?.resume();
    assert.deepEqual(router.stray, []);
  });
}

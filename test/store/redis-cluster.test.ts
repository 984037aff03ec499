// @waits: for failovers
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { RedisCluster } from '../../lib/store/redis-client/cluster.ts';
import { slotOf } from '../../lib/store/redis-client/slots.ts';
import { eventually } from '../support/eventually.ts';
import { Notices } from '../support/notices.ts';
import { startRedis } from '../support/redis.ts';
import { startCluster, subscribe } from '../support/redis-cluster.ts';
import { die, find, storeContract } from './contract.ts';
import { openCluster } from './cluster-subject.ts';
import { redisSetters } from './redis-setters.ts';

const shared = await startCluster({ after }, 3);

for (const prefix of ['', 'site:', '{one}']) {
  storeContract(`redis cluster with prefix "${prefix}"`, async (t) => {
    await shared.flush();
    return {
      store: openCluster(t, shared, prefix).store,
      ...redisSetters((...command) => shared.cli(...command), prefix),
    };
  });
}

test('a mark ends by itself, wherever it is kept, and every node tells of the death', async (t) => {
  await shared.flush();
  const { store } = openCluster(t, shared);
  const heard: string[] = [];
  for (const node of shared.masters) {
    const subscriber = await subscribe(t, node, 'dead');
    subscriber.on('message', (_channel, message: string) => heard.push(`${node.port} ${message}`));
  }
  for (const place of [0, 1, 2]) {
    const host = shared.hostOn(place, 'dead:');
    await shared.cli('rpush', `frontend:${host}`, 'x', 'http://10.0.0.1', 'http://10.0.0.2');
    await die(store, host, 1, 30);
    assert.deepEqual(await shared.cli('smembers', `dead:${host}`), ['1']);
    const ttl = Number(await shared.cli('ttl', `dead:${host}`));
    assert.ok(ttl > 20 && ttl <= 30, `${ttl} s`);
    await eventually(() => {
      for (const { port } of shared.masters)
        assert.ok(heard.includes(`${port} ${host};http://10.0.0.2;1;2`), heard.join());
    });
  }
});

test('a mark of an operator stays theirs when a request fails, and a mark of a check keeps its time', async (t) => {
  await shared.flush();
  const { store } = openCluster(t, shared);
  await shared.cli('rpush', 'frontend:x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  const route = await find(store, 'x.io');
  const backend = route?.backends[1];
  assert.ok(route && backend);
  await shared.cli('sadd', 'dead:x.io', '1');
  await shared.cli('expire', 'dead:x.io', '240');
  await shared.cli('hset', 'check:x.io', backend.href, '{}');
  assert.equal(await store.markDead({ route, backend }, 30), 'marked');
  assert.equal(await shared.cli('exists', 'marks:x.io'), 0);
  assert.ok(Number(await shared.cli('ttl', 'dead:x.io')) > 200);
});

test('an active health checker is noticed, whichever node has its pulse', async (t) => {
  await shared.flush();
  await shared.cli('set', 'hchecker_ping', Math.floor(Date.now() / 1000));
  const { store } = openCluster(t, shared);
  await store.ready();
  assert.ok(store.hasHealthChecker);
  await shared.flush();
});

test('a slot that moves, and one that is on its way, cost nobody a lookup', async (t) => {
  await shared.flush();
  const host = shared.hostOn(0, 'frontend:');
  const key = `frontend:${host}`;
  const slot = slotOf(key);
  const [from, to] = shared.masters;
  assert.ok(from && to);
  const { store } = openCluster(t, shared);
  await store.ready();
  await from.cli('rpush', key, 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  assert.equal((await find(store, host))?.name, 'x');
  const [fromId, toId] = [String(await from.cli('cluster', 'myid')), String(await to.cli('cluster', 'myid'))];
  await to.cli('cluster', 'setslot', slot, 'importing', fromId);
  await from.cli('cluster', 'setslot', slot, 'migrating', toId);
  assert.equal((await find(store, host))?.name, 'x', 'still there');
  await from.cli('migrate', '127.0.0.1', to.port, key, 0, 5000);
  assert.equal((await find(store, host))?.name, 'x', 'ASK');
  for (const node of [to, ...shared.masters]) await node.cli('cluster', 'setslot', slot, 'node', toId);
  assert.equal((await find(store, host))?.name, 'x', 'MOVED');
  t.after(async () => {
    for (const node of shared.masters) await node.cli('cluster', 'setslot', slot, 'node', fromId);
  });
  await to.cli('del', key);
  assert.equal(await find(store, host), null);
});

test('a node that is lost costs its own hosts an answer at once, and no others', async (t) => {
  const cluster = await startCluster(t, 3, 0, { lines: ['cluster-require-full-coverage no'] });
  const [lost, kept] = [cluster.hostOn(1, 'frontend:'), cluster.hostOn(2, 'frontend:')];
  for (const host of [lost, kept]) await cluster.cli('rpush', `frontend:${host}`, host, 'http://10.0.0.1');
  const { store, notices } = openCluster(t, cluster);
  await notices.next('store-up');
  assert.equal((await store.find([kept], '/'))?.name, kept);
  await cluster.masters[1]?.kill();
  assert.match((await notices.next('store-down')).cause.message, new RegExp(`:${cluster.masters[1]?.port}: .*ECONN`));
  for (let i = 0; i < 20; i++) {
    await eventually(async () => assert.equal((await store.find([kept], '/'))?.name, kept));
    const started = performance.now();
    await assert.rejects(store.find([lost], '/'), { code: 'store-unavailable' });
    assert.ok(performance.now() - started < 5_000, 'at once');
  }
});

test('a cluster that is gone is reported once, refused at once, and found again', async (t) => {
  const cluster = await startCluster(t, 3);
  const host = cluster.hostOn(0, 'frontend:');
  const { store, notices } = openCluster(t, cluster);
  await notices.next('store-up');
  await Promise.all(cluster.masters.map((node) => node.kill()));
  await notices.next('store-down');
  const started = performance.now();
  for (let i = 0; i < 20; i++) await assert.rejects(find(store, host), { code: 'store-unavailable' });
  assert.ok(performance.now() - started < 10_000, 'at once');
  for (const node of cluster.masters) assert.ok(await node.start());
  await eventually(async () => {
    for (const node of cluster.masters) assert.match(String(await node.cli('cluster', 'info')), /cluster_state:ok/);
  }, 20_000);
  const back = performance.now();
  await notices.next('store-up');
  assert.ok(performance.now() - back < 10_000, 'within about a second');
  assert.equal(await find(store, host), null);
  assert.deepEqual(notices.types, ['store-up', 'store-down', 'store-up']);
});

test('a new link can be asked for its servers, and then at once for something at one of them', async (t) => {
  const url = parseDriverUrl(`redis+cluster://127.0.0.1:${shared.masters[0]?.port}`);
  assert.ok(url.scheme === 'redis');
  const quiet = { pulse: ['ping'] as const, onPulse: () => {}, onUp: () => {}, onDown: () => {} };
  const link = new RedisCluster({ ...quiet, address: url.redis, timeoutMs: 4_000 });
  t.after(() => link.close());
  const deadline = link.deadline();
  const [server = ''] = await link.servers(deadline);
  const began = performance.now();
  await link.sendAt(server, ['time'], deadline);
  // Not after the next look at the cluster, which is 5 s later.
  assert.ok(performance.now() - began < 2_000);
});

test('a server that is no cluster is said to be none', async (t) => {
  const redis = await startRedis(t);
  const url = parseDriverUrl(`redis+cluster://127.0.0.1:${redis.port}`);
  assert.ok(url.scheme === 'redis');
  const notices = new Notices();
  const store = new RedisStore({ read: url.redis, write: url.redis, timeoutMs: 1000, notify: notices.notify });
  t.after(() => store.close());
  await store.ready();
  assert.match((await notices.next('store-down')).cause.message, /cluster support disabled/);
  await assert.rejects(find(store, 'www.x.io'), { code: 'store-unavailable', message: /cluster support disabled/ });
});

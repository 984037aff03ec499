import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { candidates } from '../../lib/core/routing/hostname.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { die, find, storeContract } from './contract.ts';
import { redisReplies } from './redis-replies.ts';
import { openRedis, subjectOf } from './redis-subject.ts';

const shared = await startRedis({ after });
storeContract('redis', subjectOf(shared));
storeContract('redis with a prefix', subjectOf(shared, '', 'site:'));
redisReplies('redis', shared);

test('a right that is missing is a 503 that says which', async (t) => {
  const redis = await startRedis(t, {
    lines: ['user default on nopass ~* &* +@all', 'user low on >pw ~other:* +@all'],
  });
  const { store, notices } = openRedis(t, redis, 'low:pw@');
  await store.ready();
  await notices.next('store-up');
  await assert.rejects(find(store, 'www.x.io'), { code: 'store-unavailable', message: /NOPERM/ });
});

test('a death that may not be announced is filed nevertheless, and that is told', async (t) => {
  const lines = ['user default on nopass ~* &* +@all', 'user mute on >pw ~* resetchannels +@all'];
  const redis = await startRedis(t, { lines });
  const { store, notices } = openRedis(t, redis, 'mute:pw@');
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  assert.equal(await die(store, 'www.x.io', 0, 30), 'marked');
  assert.match((await notices.next('route-fault')).fault, /cannot be announced.*NOPERM/);
  assert.deepEqual(await redis.cli('smembers', 'dead:www.x.io'), ['0']);
});

test('without the right to one kind of hash the others count, with scripts and without', async (t) => {
  const common = 'resetchannels ~frontend:* ~dead:* ~marks:* ~trial:* ~prefixes:* ~options:* ~checked:* ~down:*';
  const rights = { both: '~headers:* ~weights:*', headers: '~headers:*', weights: '~weights:*', neither: '' };
  const lines = Object.entries(rights).flatMap(([name, keys]) => [
    `user ${name} on >pw ${common} ${keys} +@all`,
    `user ${name}-scriptless on >pw ${common} ${keys} +@all -eval -evalsha`,
  ]);
  const redis = await startRedis(t, { lines: ['user default on nopass ~* &* +@all', ...lines] });
  const URL = 'http://10.0.0.1';
  for (const key of ['www.x.io', 'www.x.io/api']) {
    await redis.cli('rpush', `frontend:${key}`, 'x', URL);
    await redis.cli('hset', `options:${key}`, 'pauseMax', '7');
    await redis.cli('hset', `headers:${key}`, 'response:X-A', '1');
    await redis.cli('hset', `weights:${key}`, URL, '5');
  }
  await redis.cli('sadd', 'prefixes:www.x.io', '/api');
  for (const [name, keys] of Object.entries(rights)) {
    for (const user of [name, `${name}-scriptless`]) {
      const { store, notices } = openRedis(t, redis, `${user}:pw@`);
      for (const path of ['/', '/api/a']) {
        const route = await store.find(candidates('www.x.io'), path);
        const fields = Object.fromEntries(route?.site.fields ?? []);
        assert.deepEqual(
          fields,
          {
            pauseMax: '7',
            ...(keys.includes('headers') && { 'response:X-A': '1' }),
            ...(keys.includes('weights') && { [URL]: '5' }),
          },
          user,
        );
      }
      for (const kind of ['headers', 'weights'].filter((each) => !keys.includes(each))) {
        const { key, fault } = await notices.next('route-fault');
        assert.equal(key, `${kind}:*`);
        assert.match(fault, /(?:permission|can't access).*ignored/);
      }
    }
  }
});

test('without the right to `checked:` all backends get traffic, and all the rest counts', async (t) => {
  const keys = '~frontend:* ~dead:* ~marks:* ~trial:* ~prefixes:* ~options:* ~headers:* ~weights:*';
  const lines = ['user default on nopass ~* &* +@all', `user old on >pw ${keys} +@all`];
  const redis = await startRedis(t, { lines });
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  await redis.cli('hset', 'options:www.x.io', 'pauseMax', '7');
  await redis.cli('sadd', 'checked:www.x.io', 'http://10.0.0.1');
  const { store, notices } = openRedis(t, redis, 'old:pw@');
  const route = await store.find(candidates('www.x.io'), '/');
  assert.equal(route?.dead.size, 0);
  assert.equal(route.site.fields.get('pauseMax'), '7');
  assert.equal((await notices.next('route-fault')).key, 'checked:*');
  const { store: whole } = openRedis(t, redis);
  assert.deepEqual([...((await whole.find(candidates('www.x.io'), '/'))?.dead ?? [])], [1]);
});

test('a lookup is one command, whatever the number of candidates', async (t) => {
  const redis = await startRedis(t);
  const { store } = openRedis(t, redis);
  await find(store, 'a.b.c.d.x.io');
  await redis.cli('config', 'resetstat');
  for (let i = 0; i < 10; i++) await find(store, 'a.b.c.d.x.io');
  const statistics = String(await redis.cli('info', 'commandstats'));
  assert.match(statistics, /cmdstat_evalsha:calls=10,/);
  assert.doesNotMatch(statistics, /cmdstat_eval:/);
});

test('equal addresses share a connection, others do not', async (t) => {
  const redis = await startRedis(t);
  for (const [read, write, expected] of [
    ['', '#p', 1],
    ['', '/1', 2],
  ] as const) {
    const store = new RedisStore({
      read: redis.address('', read),
      write: redis.address('', write),
      timeoutMs: 2000,
      notify: () => {},
    });
    t.after(() => store.close());
    await store.ready();
    assert.equal(await connections(redis), expected);
    await store.close();
    await eventually(async () => assert.equal(await connections(redis), 0));
  }
});

test('the database of the URL is the one that is read', async (t) => {
  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1');
  await redis.cli('move', 'frontend:www.x.io', 3);
  assert.equal(await find(openRedis(t, redis).store, 'www.x.io'), null);
  assert.equal((await find(openRedis(t, redis, '', '/3').store, 'www.x.io'))?.name, 'x');
});

test('a database that does not exist is no database: never database 0 in its place', async (t) => {
  const redis = await startRedis(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1');
  const { store, notices } = openRedis(t, redis, '', '/99');
  await store.ready();
  await assert.rejects(find(store, 'www.x.io'), { code: 'store-unavailable', message: /DB index is out of range/ });
  assert.match((await notices.next('store-down')).cause.message, /DB index is out of range/);
});

async function connections(redis: TestRedis): Promise<number> {
  const list = String(await redis.cli('client', 'list', 'type', 'normal'));
  return list.split('\n').filter((line) => line.includes(`laddr=127.0.0.1:${redis.port} `)).length;
}

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { TestRedis } from '../support/redis.ts';
import { die, find } from './contract.ts';
import { openRedis } from './redis-subject.ts';

/** What RedisStore makes of odd data: the same with scripts and without. */
export function redisReplies(name: string, redis: TestRedis, userinfo = ''): void {
  const promise = (what: string, check: (t: TestContext) => Promise<void>): void => {
    void test(`${name}: ${what}`, check);
  };
  const start = async (t: TestContext) => {
    await redis.cli('flushall');
    const opened = openRedis(t, redis, userinfo);
    await opened.store.ready();
    return opened;
  };

  promise('a key that holds no list is a 502 that names it and its type, and a notice once', async (t) => {
    const { store, notices } = await start(t);
    await redis.cli('set', 'frontend:www.x.io', 'oops');
    for (let i = 0; i < 3; i++) {
      await assert.rejects(find(store, 'www.x.io'), {
        code: 'route-broken',
        status: 502,
        message: 'frontend:www.x.io holds a string, not a list',
      });
    }
    assert.deepEqual(
      notices.all.filter(({ type }) => type === 'route-fault'),
      [{ type: 'route-fault', key: 'frontend:www.x.io', fault: 'holds a string, not a list' }],
    );
    assert.equal(await find(store, 'www.y.io'), null, 'others are served');
  });

  promise('a wildcard that holds no list breaks only those who need it', async (t) => {
    const { store } = await start(t);
    await redis.cli('hset', 'frontend:*.x.io', 'a', 'b');
    await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1');
    assert.equal((await find(store, 'www.x.io'))?.name, 'x');
    await assert.rejects(find(store, 'other.x.io'), {
      code: 'route-broken',
      message: /frontend:\*\.x\.io holds a hash/,
    });
  });

  promise('a list far too long is a 502 and is not read', async (t) => {
    const { store, notices } = await start(t);
    const urls = Array.from({ length: 50_000 }, (_, i) => `http://10.0.0.1:${i + 1}`);
    await redis.cli('rpush', 'frontend:www.x.io', 'x', ...urls);
    await assert.rejects(find(store, 'www.x.io'), { code: 'route-broken', message: /longer than 10000 elements/ });
    assert.equal((await notices.next('route-fault')).key, 'frontend:www.x.io');
    await redis.cli('ltrim', 'frontend:www.x.io', 0, 9999);
    assert.equal((await find(store, 'www.x.io'))?.size, 9999);
  });

  promise('a dead set that is no set: nobody is taken for dead, and a notice', async (t) => {
    const { store, notices } = await start(t);
    await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
    await redis.cli('rpush', 'dead:www.x.io', 0);
    assert.deepEqual((await find(store, 'www.x.io'))?.dead, new Set());
    assert.match((await notices.next('route-fault')).fault, /holds a list, not a set/);
    await assert.rejects(die(store, 'www.x.io', 0, 30), { code: 'route-broken' });
  });

  promise('members of a dead set that are no ids are passed over', async (t) => {
    const { store } = await start(t);
    await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
    await redis.cli('sadd', 'dead:www.x.io', 1, 'x', '', '1.0', '-1', '01', '1e0', 2, '99999999999999999999');
    assert.deepEqual((await find(store, 'www.x.io'))?.dead, new Set([1]));
  });

  promise('an unusable URL is told with its full key, once', async (t) => {
    const { store, notices } = await start(t);
    await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http//10.0.0.1');
    for (let i = 0; i < 3; i++) await find(store, 'www.x.io');
    assert.deepEqual(await notices.next('route-fault'), {
      type: 'route-fault',
      key: 'frontend:www.x.io',
      fault: 'backend "http//10.0.0.1": not a URL',
    });
    assert.equal(notices.types.filter((type) => type === 'route-fault').length, 1);
  });

  promise('scripts flushed away come back by themselves', async (t) => {
    const { store } = await start(t);
    await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1');
    await find(store, 'www.x.io');
    await redis.cli('script', 'flush');
    assert.equal((await find(store, 'www.x.io'))?.name, 'x');
  });
}

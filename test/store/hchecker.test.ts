/** RedisStore beside hipache-hchecker, whose part is played here to the byte. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isFresh } from '../../lib/store/redis/codec.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { die, find } from './contract.ts';
import { openRedis } from './redis-subject.ts';

test('the checker verifies what the router announced, and its verdict hides the backend', async (t) => {
  const { redis, checker, open } = await scene(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1:8080', 'http://10.0.0.2');
  await checker.ping();
  const { store } = open();
  await store.ready();
  assert.equal(store.hasHealthChecker, true);

  await die(store, 'www.x.io', 1, 30);
  assert.equal(await checker.next(), 'www.x.io;http://10.0.0.2;1;2');
  assert.equal(await redis.cli('exists', 'dead:www.x.io'), 0, 'an active checker files deaths itself');

  assert.equal(await checker.verify('www.x.io;http://10.0.0.2;1;2'), true);
  await checker.bury('www.x.io', 1);
  assert.deepEqual((await find(store, 'www.x.io'))?.dead, new Set([1]));
  await checker.raise('www.x.io', 1);
  assert.deepEqual((await find(store, 'www.x.io'))?.dead, new Set());
});

test('every spelling of a URL without a path is one that the checker finds in the list', async (t) => {
  const { redis, checker, open } = await scene(t);
  const urls = ['http://10.0.0.1', 'http://10.0.0.1:80', 'https://Backend.x.io:443', 'http://[2001:db8::1]:80'];
  await redis.cli('rpush', 'frontend:www.x.io', 'x', ...urls, 'http://10.0.0.9');
  const { store } = open();
  for (const [id, url] of urls.entries()) {
    await die(store, 'www.x.io', id, 30);
    const line = await checker.next();
    assert.equal(line, `www.x.io;${url};${id};5`);
    assert.equal(await checker.verify(line), true);
  }
});

test('what an operator wrote cannot forge a field', async (t) => {
  const { redis, checker, open } = await scene(t);
  const urls = ['http://a;b@10.0.0.1/x;y?z;', 'http://10.0.0.2;evil', 'http://10.0.0.3/;0;1', 'http://10.0.0.4\\;x'];
  await redis.cli('rpush', 'frontend:www.x.io', 'x;y', ...urls, 'http://10.0.0.9');
  const { store } = open();
  for (const { id } of (await find(store, 'www.x.io'))?.backends.slice(0, -1) ?? []) {
    await die(store, 'www.x.io', id, 30);
    assert.equal(await checker.next(), `www.x.io;http://10.0.0.${id + 1};${id};5`);
  }
});

test('a checker alive is told of the last living backend too: it decides, and its marks are obeyed', async (t) => {
  const { redis, checker, open } = await scene(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  await checker.ping();
  const { store } = open();
  await store.ready();
  for (const id of [0, 1]) {
    assert.equal(await die(store, 'www.x.io', id, 30), 'announced');
    assert.equal(await checker.next(), `www.x.io;http://10.0.0.${id + 1};${id};2`);
    await checker.bury('www.x.io', id);
  }
  const route = await find(store, 'www.x.io');
  assert.deepEqual([route?.dead, route?.deadByRouters], [new Set([0, 1]), new Set()]);
});

test('without a checker the last living backend is neither marked nor announced', async (t) => {
  const { redis, checker, open } = await scene(t);
  await redis.cli('rpush', 'frontend:www.x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  await redis.cli('rpush', 'frontend:end.x.io', 'x', 'http://10.0.0.8', 'http://10.0.0.9');
  const { store } = open();
  await checker.bury('www.x.io', 1);
  assert.equal(await die(store, 'www.x.io', 0, 30), 'last');
  assert.equal(await die(store, 'end.x.io', 0, 30), 'marked');
  assert.equal(await checker.next(), 'end.x.io;http://10.0.0.8;0;2');
  assert.deepEqual(await redis.cli('smembers', 'dead:www.x.io'), ['1']);
});

test('without a checker the router files deaths for its time, and announces them still', async (t) => {
  const { redis, checker, open } = await scene(t);
  await redis.cli('rpush', 'frontend:*.x.io', 'x', 'http://10.0.0.1:8080', 'http://10.0.0.2:8080');
  const { store } = open();
  await store.ready();
  assert.equal(store.hasHealthChecker, false);
  await die(store, 'a.x.io', 0, 30);
  assert.equal(await checker.next(), 'a.x.io;http://10.0.0.1:8080;0;2');
  assert.deepEqual(await redis.cli('smembers', 'dead:a.x.io'), ['0']);
  const ttl = Number(await redis.cli('ttl', 'dead:a.x.io'));
  assert.ok(ttl > 25 && ttl <= 30);
});

test('a time of 0 hides nobody, and announces', async (t) => {
  const { redis, checker, open } = await scene(t);
  await redis.cli('rpush', 'frontend:x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  const { store } = open();
  await die(store, 'x.io', 0, 0);
  assert.equal(await checker.next(), 'x.io;http://10.0.0.1;0;2');
  assert.equal(await redis.cli('exists', 'dead:x.io'), 0);
});

test('the prefix is put before frontend: and dead:, not before the ping nor the channel', async (t) => {
  const { redis, checker, open } = await scene(t);
  await redis.cli('rpush', 'site:frontend:x.io', 'x', 'http://10.0.0.1', 'http://10.0.0.2');
  const { store } = open('/0#site:');
  await die(store, 'x.io', 1, 30);
  assert.equal(await checker.next(), 'x.io;http://10.0.0.2;1;2');
  assert.deepEqual(await redis.cli('smembers', 'site:dead:x.io'), ['1']);
  await checker.ping();
  const { store: later } = open('/0#site:');
  await later.ready();
  assert.equal(later.hasHealthChecker, true);
});

test('a ping counts for 30 seconds', () => {
  assert.equal(isFresh('1000', 1_029_999), true);
  assert.equal(isFresh('1000', 1_030_000), false);
});

for (const [what, age, expected] of [
  ['25 seconds old still counts', 25, true],
  ['31 seconds old does not', 31, false],
] as const) {
  test(`a ping ${what}`, async (t) => {
    const { checker, open } = await scene(t);
    await checker.ping(age);
    const { store } = open();
    await store.ready();
    assert.equal(store.hasHealthChecker, expected);
  });
}

for (const odd of ['', 'yes', '-1', '1e99', '99999999999999999999']) {
  test(`a ping of ${JSON.stringify(odd)} is none`, async (t) => {
    const { redis, open } = await scene(t);
    await redis.cli('set', 'hchecker_ping', odd);
    const { store } = open();
    await store.ready();
    assert.equal(store.hasHealthChecker, false);
  });
}

test('a ping that is no string is none, and lookups go on', async (t) => {
  const { redis, open } = await scene(t);
  await redis.cli('rpush', 'hchecker_ping', 'x');
  const { store } = open();
  await store.ready();
  assert.equal(store.hasHealthChecker, false);
  assert.equal(await find(store, 'x.io'), null);
});

test('a checker that comes later is noticed', { timeout: 20_000 }, async (t) => {
  const { checker, open } = await scene(t);
  const { store } = open();
  await store.ready();
  assert.equal(store.hasHealthChecker, false);
  await checker.ping();
  await eventually(() => assert.equal(store.hasHealthChecker, true), 10_000);
});

async function scene(t: TestContext) {
  const redis = await startRedis(t);
  const checker = new Checker(redis);
  await checker.subscribe(t);
  return { redis, checker, open: (rest = '') => openRedis(t, redis, '', rest) };
}

/** hipache-hchecker, as its Go source reads. */
class Checker {
  readonly #redis: TestRedis;
  readonly #lines: string[] = [];

  constructor(redis: TestRedis) {
    this.#redis = redis;
  }

  async subscribe(t: TestContext): Promise<void> {
    const subscriber = this.#redis.client().duplicate();
    t.after(() => subscriber.disconnect());
    subscriber.on('error', () => {});
    subscriber.on('message', (_channel, line) => this.#lines.push(line));
    await subscriber.subscribe('dead');
  }

  /** The next announcement. */
  next(): Promise<string> {
    return eventually(() => {
      const line = this.#lines.shift();
      assert.notEqual(line, undefined, 'no announcement came');
      return line ?? '';
    });
  }

  /** SET hchecker_ping, every ten seconds in the real one. */
  async ping(ageSeconds = 0): Promise<void> {
    await this.#redis.cli('set', 'hchecker_ping', Math.floor(Date.now() / 1000) - ageSeconds);
  }

  /** parseCheckLine and checkBackendMapping. */
  async verify(line: string): Promise<boolean> {
    const parts = line.trim().split(';');
    if (parts.length !== 4) return false;
    const [host = '', text = '', id = '', length = ''] = parts;
    // Go's url.Parse lower-cases the scheme and keeps the host as written.
    const [, scheme = '', authority = ''] = /^([a-z]+):\/\/([^/]*)/i.exec(text) ?? [];
    if (Number(length) <= 1) return false;
    const listed = await this.#redis.cli('lindex', `frontend:${host}`, Number(id) + 1);
    return listed === `${scheme.toLowerCase()}://${authority}`;
  }

  async bury(host: string, id: number): Promise<void> {
    await this.#redis.cli('sadd', `dead:${host}`, id);
    await this.#redis.cli('expire', `dead:${host}`, 60);
  }

  async raise(host: string, id: number): Promise<void> {
    await this.#redis.cli('srem', `dead:${host}`, id);
  }
}

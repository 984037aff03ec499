/** Marks of requests, of checks, and of other programs are members of one set, which has one time limit. */
import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import type { MarkAction } from '../../lib/core/health/check-rules.ts';
import { startRedis } from '../support/redis.ts';
import { die, find } from './contract.ts';
import { openRedis } from './redis-subject.ts';

const URLS = ['http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3'] as const;
const redis = await startRedis({ after }, { lines: ['user plain on >pw ~* &* +@all -@scripting'] });
/** Users who may run scripts, and who may not: plain commands replace those. */
const USERS = [
  ['with scripts', ''],
  ['without scripts', 'plain:pw@'],
] as const;

async function scene(t: TestContext, userinfo = '') {
  await redis.cli('flushall');
  await redis.cli('rpush', 'frontend:x.io', 'x', ...URLS);
  const { store } = openRedis(t, redis, userinfo);
  await store.ready();
  /** Files the result of a check. @param life how long its mark lives, and what it is renewed at, ms */
  const file = async (id: number, action: MarkAction, life = { ttlMs: 30_000, renewMs: 10_000 }) => {
    await redis.cli('hset', 'healthcheck:x.io', 'interval', '3');
    const url = URLS[id] ?? '';
    const { outcomes } = await store.checks.turn(
      [{ key: 'x.io', url, entry: url, result: '{}', isGood: false, action, life, keepMs: 60_000, unusable: [] }],
      0,
    );
    return outcomes[0];
  };
  return { store, file };
}

const left = async (key: string) => Number(await redis.cli('pttl', key));

/** Both keys end in so many ms, or up to 2 s sooner. */
async function assertLimits(ms: number): Promise<void> {
  for (const key of ['dead:x.io', 'marks:x.io']) {
    const found = await left(key);
    assert.ok(found > ms - 2_000 && found <= ms + 1_500, `${key}: ${found} ms`);
  }
}

for (const [name, userinfo] of USERS) {
  test(`a request that fails does not cut short the mark of a check, ${name}`, async (t) => {
    const { store, file } = await scene(t, userinfo);
    assert.equal(await file(0, 'mark', { ttlMs: 240_000, renewMs: 120_000 }), 'marked');
    assert.equal(await die(store, 'x.io', 1, 30), 'marked');
    assert.deepEqual(await redis.cli('smembers', 'dead:x.io'), ['0', '1']);
    await assertLimits(240_000);
  });

  test(`in a checked list, too, a mark lives as long as requests say when no mark of a check is there, ${name}`, async (t) => {
    const { store, file } = await scene(t, userinfo);
    assert.equal(await file(0, 'none'), 'noted');
    await die(store, 'x.io', 1, 30);
    await assertLimits(30_000);
    await redis.cli('pexpire', 'dead:x.io', 5_000);
    await die(store, 'x.io', 1, 30);
    await assertLimits(30_000);
  });
}

for (const [name, userinfo] of USERS) {
  test(`a mark of an operator stays theirs when a request fails that was sent before it, ${name}`, async (t) => {
    const { store } = await scene(t, userinfo);
    const before = await find(store, 'x.io');
    const backend = before?.backends[1];
    assert.ok(before && backend);
    await redis.cli('sadd', 'dead:x.io', '1');
    assert.equal(await store.markDead({ route: before, backend }, 30), 'marked');
    assert.equal(await redis.cli('exists', 'marks:x.io'), 0);
    // A router's own gets the URL that it is for now.
    await redis.cli('hset', 'marks:x.io', '1', URLS[0]);
    assert.equal(await store.markDead({ route: before, backend }, 30), 'marked');
    assert.deepEqual(await redis.cli('hgetall', 'marks:x.io'), { 1: URLS[1] });
  });
}

test('checks that pass do not remove the mark of an operator, also when a request has failed since', async (t) => {
  const { store, file } = await scene(t);
  await redis.cli('sadd', 'dead:x.io', '1');
  assert.equal(await die(store, 'x.io', 1, 30), 'marked');
  assert.equal(await file(1, 'clear'), 'noted');
  assert.deepEqual(await redis.cli('smembers', 'dead:x.io'), ['1']);
});

test('in a list without checks the last mark of a request sets the limit, as in Hipache', async (t) => {
  const { store } = await scene(t);
  await redis.cli('sadd', 'dead:x.io', '0');
  await redis.cli('expire', 'dead:x.io', '60');
  await die(store, 'x.io', 1, 30);
  await assertLimits(30_000);
});

for (const [program, seconds] of [
  ['PlanB', 30],
  ['hipache-hchecker', 60],
] as const) {
  for (const [name, userinfo] of USERS) {
    test(`the URL of a check's mark ends with the mark, also where ${program} has set the limit, ${name}`, async (t) => {
      const { file } = await scene(t, userinfo);
      await redis.cli('sadd', 'dead:x.io', '0');
      await redis.cli('expire', 'dead:x.io', seconds);
      assert.equal(await file(1, 'mark'), 'marked');
      await assertLimits(seconds * 1000);
    });
  }
}

test('a URL whose limit is shorter than that of its mark gets the same', async (t) => {
  const { file } = await scene(t);
  assert.equal(await file(1, 'mark'), 'marked');
  await redis.cli('expire', 'dead:x.io', 60);
  assert.equal(await file(1, 'mark'), 'kept');
  await assertLimits(60_000);
});

for (const [name, userinfo] of USERS) {
  test(`a check that passes renews a mark, and makes none where an operator has removed it, ${name}`, async (t) => {
    const { file } = await scene(t, userinfo);
    assert.equal(await file(1, 'mark'), 'marked');
    for (const key of ['dead:x.io', 'marks:x.io']) await redis.cli('pexpire', key, 5_000);
    assert.equal(await file(1, 'renew'), 'kept');
    await assertLimits(30_000);
    await redis.cli('srem', 'dead:x.io', '1');
    assert.equal(await file(1, 'renew'), 'noted');
    assert.deepEqual(await redis.cli('smembers', 'dead:x.io'), []);
    assert.equal(await file(1, 'mark'), 'marked');
  });
}

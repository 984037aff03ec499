import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import type { RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { all, bookContract, LIST, listOf } from './book-contract.ts';

const shared = await startRedis({ after });

/** @param rest what follows the port in the driver URL */
function open(t: TestContext, redis: TestRedis, rest = '', userinfo = '', timeoutMs = 2000): RouteEditor {
  const redisAddress = redis.address(userinfo, rest);
  const url = { scheme: 'redis', redis: redisAddress } as const;
  const editor = openEditor(url, url, { timeoutMs });
  t.after(() => editor.close());
  return editor;
}

for (const [name, rest] of [
  ['redis', ''],
  ['redis with a prefix of odd signs', '/0#a*[b]?:'],
] as const) {
  bookContract(name, async (t) => {
    await shared.cli('flushall');
    return { editor: open(t, shared, rest), other: open(t, shared, rest) };
  });
}

async function emptied(t: TestContext, rest = ''): Promise<RouteEditor> {
  await shared.cli('flushall');
  return open(t, shared, rest);
}

const marks = async (host: string): Promise<readonly string[]> =>
  ((await shared.cli('smembers', `dead:${host}`)) as string[]).toSorted();

test('it writes what redis-cli would, with the prefix', async (t) => {
  const editor = await emptied(t, '/0#site:');
  await editor.replace('www.x.io', LIST);
  assert.deepEqual(await shared.cli('keys', '*'), ['site:frontend:www.x.io']);
  assert.deepEqual(await shared.cli('lrange', 'site:frontend:www.x.io', 0, -1), LIST);
  await shared.cli('sadd', 'site:dead:www.x.io', 0);
  await editor.remove('www.x.io');
  assert.deepEqual(await shared.cli('keys', '*'), []);
});

test('a mark stays where the same URL keeps its place, and goes with all others', async (t) => {
  const editor = await emptied(t);
  await editor.replace('www.x.io', ['site', 'http://a', 'http://b', 'http://c', 'http://d']);
  await shared.cli('sadd', 'dead:www.x.io', 0, 1, 2, 3, 'text', 77);
  await shared.cli('expire', 'dead:www.x.io', 100);
  await editor.change('www.x.io', (list) => list.filter((url) => url !== 'http://b'));
  assert.deepEqual(await marks('www.x.io'), ['0', '77', 'text']);
  await editor.change('www.x.io', ([, ...urls]) => ['another name', ...urls]);
  assert.deepEqual(await marks('www.x.io'), ['0', '77', 'text']);
  assert.ok(Number(await shared.cli('ttl', 'dead:www.x.io')) > 90);
});

test('a new backend in a place that had a mark begins without', async (t) => {
  const editor = await emptied(t);
  await editor.replace('www.x.io', LIST);
  await shared.cli('sadd', 'dead:www.x.io', 0, 2);
  await editor.change('www.x.io', (list) => [...list, 'http://c']);
  assert.deepEqual(await marks('www.x.io'), ['0']);
});

test('marks that a wildcard’s backends got are not those of a new frontend', async (t) => {
  const editor = await emptied(t);
  await editor.replace('*.x.io', LIST);
  await shared.cli('sadd', 'dead:www.x.io', 0, 1, 5);
  await editor.replace('www.x.io', LIST);
  assert.equal(await shared.cli('exists', 'dead:www.x.io'), 0);
});

test('removing a frontend removes its marks, and marks alone too', async (t) => {
  const editor = await emptied(t);
  await editor.replace('www.x.io', LIST);
  await shared.cli('sadd', 'dead:www.x.io', 0);
  await editor.remove('www.x.io');
  await shared.cli('sadd', 'dead:old.x.io', 0);
  await editor.remove('old.x.io');
  assert.deepEqual(await shared.cli('keys', '*'), []);
});

test('a change keeps the end of a list’s life, a new list has none', async (t) => {
  const editor = await emptied(t);
  await editor.replace('www.x.io', LIST);
  await shared.cli('expire', 'frontend:www.x.io', 100);
  await editor.change('www.x.io', (list) => [...list, 'http://c']);
  const { lists } = await editor.look(['www.x.io'], 'www.x.io');
  assert.ok((lists[0]?.secondsLeft ?? 0) > 90);
  await editor.replace('www.x.io', LIST);
  assert.equal(await shared.cli('ttl', 'frontend:www.x.io'), -1);
});

test('a key of another type is shown as such, refused, and overwritten only when that is asked for', async (t) => {
  const editor = await emptied(t);
  await shared.cli('set', 'frontend:www.x.io', 'text');
  await shared.cli('rpush', 'dead:www.x.io', '0');
  const { lists, dead } = await editor.look(['www.x.io'], 'www.x.io');
  assert.equal(lists[0]?.type, 'string');
  assert.equal(dead.type, 'list');
  assert.deepEqual(
    (await all(editor, 10)).map(({ key, list }) => [key, list.type]),
    [['www.x.io', 'string']],
  );
  const fault = { code: 'wrong-type', message: 'frontend:www.x.io holds a string, not a list' };
  await assert.rejects(editor.replace('www.x.io', LIST), fault);
  await assert.rejects(
    editor.change('www.x.io', () => LIST),
    fault,
  );
  await assert.rejects(editor.remove('www.x.io'), fault);
  assert.equal(await shared.cli('get', 'frontend:www.x.io'), 'text');
  await shared.cli('del', 'frontend:www.x.io');
  const deadFault = { code: 'wrong-type', message: 'dead:www.x.io holds a list, not a set' };
  await assert.rejects(editor.replace('www.x.io', LIST), deadFault);
  await shared.cli('set', 'frontend:www.x.io', 'text');
  await editor.replace('www.x.io', LIST, { isForced: true });
  assert.deepEqual(await listOf(editor, 'www.x.io'), LIST);
  assert.equal(await shared.cli('exists', 'dead:www.x.io'), 0);
});

test('a list that is too long is read to its limit and measured', async (t) => {
  const editor = await emptied(t);
  const long = Array.from({ length: 10_500 }, (_, i) => `http://h${i}`);
  await shared.cli('rpush', 'frontend:www.x.io', ...long);
  const { lists } = await editor.look(['www.x.io'], 'www.x.io');
  assert.equal(lists[0]?.length, 10_500);
  assert.equal(lists[0]?.holds.length, 10_001);
  await editor.replace('www.x.io', LIST);
  assert.deepEqual(await listOf(editor, 'www.x.io'), LIST);
});

test('keys that are no frontends are told apart, a page at a time', async (t) => {
  const editor = await emptied(t);
  for (let i = 0; i < 30; i++) await shared.cli('sadd', `dead:h${i}.x.io`, 0);
  await shared.cli('set', 'frontends:www.x.io', 'text');
  await editor.replace('www.x.io', LIST);
  const hosts = new Set<string>();
  const suspects = new Set<string>();
  for (let cursor: string | null = null; ;) {
    const page = await editor.unknownKeys(cursor, 10);
    assert.ok(page.deadHosts.length + page.suspects.length <= 10);
    for (const host of page.deadHosts) hosts.add(host);
    for (const key of page.suspects) suspects.add(key);
    if (page.next === null) break;
    cursor = page.next;
  }
  assert.equal(hosts.size, 30);
  assert.deepEqual([...suspects], ['frontends:www.x.io']);
});

test('a checker’s sign of life is shown with its type', async (t) => {
  const editor = await emptied(t);
  assert.deepEqual(await editor.checker(), { type: 'none', ping: null });
  await shared.cli('set', 'hchecker_ping', 1);
  assert.deepEqual(await editor.checker(), { type: 'string', ping: '1' });
  await shared.cli('del', 'hchecker_ping');
  await shared.cli('rpush', 'hchecker_ping', 1);
  assert.deepEqual(await editor.checker(), { type: 'list', ping: null });
});

test('reads go to the first URL, edits and what they look at to the second', async (t) => {
  await shared.cli('flushall');
  const [read, write] = ['/1', '/2#w:'].map((rest) => ({ scheme: 'redis', redis: shared.address('', rest) }) as const);
  assert.ok(read && write);
  const editor = openEditor(read, write, { timeoutMs: 2000 });
  t.after(() => editor.close());
  await editor.replace('www.x.io', LIST);
  assert.equal(await listOf(editor, 'www.x.io'), null);
  assert.deepEqual((await editor.change('www.x.io', (list) => list)).before, LIST);
});

test('a page looks at no more of a large store than it says, and never asks for all keys', async (t) => {
  const redis = await startRedis(t);
  const editor = open(t, redis);
  const pipeline = redis.client().pipeline();
  for (let i = 0; i < 20_000; i++) pipeline.set(`other:${i}`, '');
  pipeline.rpush('frontend:www.x.io', ...LIST);
  await pipeline.exec();
  await redis.cli('config', 'resetstat');
  assert.deepEqual(
    (await all(editor, 100)).map(({ key }) => key),
    ['www.x.io'],
  );
  const statistics = String(await redis.cli('info', 'commandstats'));
  const calls = Number(/cmdstat_scan:calls=([0-9]+)/.exec(statistics)?.[1]);
  assert.ok(calls >= 20 && calls < 200, `${calls} SCANs`);
  assert.doesNotMatch(statistics, /cmdstat_keys/);
});

test('what Redis does not allow is said in its words', async (t) => {
  const lines = ['user default on nopass ~* &* +@all', 'user low on >pw ~frontend:a* ~dead:a* +@read +ping'];
  const redis = await startRedis(t, { lines });
  const editor = open(t, redis, '', 'low:pw@');
  await assert.rejects(editor.replace('a.io', LIST), { code: 'store-refused', message: /NOPERM.*Rights/ });
  await redis.cli('rpush', 'frontend:b.io', ...LIST);
  assert.equal((await editor.look(['b.io'], 'b.io')).lists[0]?.type, 'unknown');
});

test('the rights that docs/redis.md names are enough: the router’s to look, an editor’s to edit', async (t) => {
  const document = readFileSync(join(packageRoot, 'docs/redis.md'), 'utf8');
  const [, router = ''] = /^ACL SETUSER hipache on >password (~.*)$/m.exec(document) ?? [];
  const [, more = ''] = /^ACL SETUSER editor (.*)$/m.exec(document) ?? [];
  assert.ok(router !== '' && more !== '');
  const lines = [
    'user default on nopass ~* &* +@all',
    `user router on >pw ${router}`,
    `user editor on >pw ${router} ${more}`,
  ];
  const redis = await startRedis(t, { lines });
  await redis.cli('rpush', 'frontend:a.io', ...LIST);
  await redis.cli('sadd', 'dead:a.io', 1);
  await redis.cli('expire', 'frontend:a.io', 100);
  const reader = open(t, redis, '', 'router:pw@');
  assert.equal((await all(reader, 10)).length, 1);
  assert.deepEqual((await reader.unknownKeys(null, 10)).deadHosts, ['a.io']);
  assert.deepEqual((await reader.near('a.io')).toSorted(), ['dead:a.io', 'frontend:a.io']);
  assert.equal((await reader.checker()).type, 'none');
  const editor = open(t, redis, '', 'editor:pw@');
  await editor.change('a.io', (list) => list.slice(0, 2));
  assert.equal(await redis.cli('exists', 'dead:a.io'), 0);
  await editor.remove('a.io');
  assert.equal(await redis.cli('exists', 'frontend:a.io'), 0);
  await editor.replace('a.io/api', LIST);
  await editor.changeFields('options', 'a.io/api', new Map([['strip', '1']]));
  assert.equal((await reader.sides('options', ['a.io/api']))[0]?.length, 1);
  assert.deepEqual(await reader.prefixesAmong('a.io', ['/api']), ['/api']);
  await editor.changeFields('options', 'a.io/api', new Map([['strip', null]]));
  await editor.remove('a.io/api');
  assert.deepEqual(await redis.cli('keys', '*'), []);
});

test('sets and hashes of a wrong type are shown as such, refused, and overwritten only when that is asked for', async (t) => {
  const editor = await emptied(t);
  await shared.cli('set', 'prefixes:www.x.io', 'text');
  await shared.cli('rpush', 'options:www.x.io', 'strip', '1');
  const options = new Map([['strip', '1']]);
  assert.equal((await editor.sides('prefixes', ['www.x.io']))[0]?.type, 'string');
  assert.equal((await editor.sides('options', ['www.x.io']))[0]?.type, 'list');
  assert.deepEqual(await editor.prefixesAmong('www.x.io', ['/api']), []);
  const fault = { code: 'wrong-type', message: 'prefixes:www.x.io holds a string, not a set' };
  await assert.rejects(editor.replace('www.x.io/api', LIST), fault);
  assert.equal(await listOf(editor, 'www.x.io/api'), null);
  const other = { code: 'wrong-type', message: 'options:www.x.io holds a list, not a hash' };
  await assert.rejects(editor.changeFields('options', 'www.x.io', options), other);
  await editor.replace('www.x.io/api', LIST, { isForced: true });
  assert.deepEqual(await shared.cli('smembers', 'prefixes:www.x.io'), ['/api']);
  await editor.changeFields('options', 'www.x.io', options, { isForced: true });
  assert.deepEqual(await shared.cli('hgetall', 'options:www.x.io'), { strip: '1' });
});

test('a list whose prefix somebody forgot gets it with the next edit, even of nothing; one that is gone leaves none', async (t) => {
  const editor = await emptied(t);
  await shared.cli('rpush', 'frontend:www.x.io/api', ...LIST);
  assert.deepEqual(await editor.change('www.x.io/api', (list) => list), { before: LIST, after: LIST });
  assert.deepEqual(await shared.cli('smembers', 'prefixes:www.x.io'), ['/api']);
  await shared.cli('del', 'frontend:www.x.io/api');
  await editor.remove('www.x.io/api');
  assert.deepEqual(await shared.cli('keys', '*'), []);
});

test('a set or hash that is longer than the router takes is measured, not read', async (t) => {
  const editor = await emptied(t);
  const fields = Array.from({ length: 101 }, (_, i) => [`f${i}`, 'x']).flat();
  await shared.cli('hset', 'options:www.x.io', ...fields);
  await shared.cli('sadd', 'prefixes:www.x.io', ...Array.from({ length: 10_001 }, (_, i) => `/p${i}`));
  const [options] = await editor.sides('options', ['www.x.io']);
  assert.deepEqual([options?.length, options?.holds], [101, []]);
  const [prefixes] = await editor.sides('prefixes', ['www.x.io']);
  assert.deepEqual([prefixes?.length, prefixes?.holds], [10_001, []]);
  assert.deepEqual(await editor.prefixesAmong('www.x.io', ['/p7', '/q', '/p9']), ['/p7', '/p9']);
});

test('who may not see the names of keys finds near ones by guessing', async (t) => {
  const lines = ['user default on nopass ~* &* +@all', 'user low on >pw ~* +@read -scan +ping'];
  const redis = await startRedis(t, { lines });
  await redis.cli('rpush', 'frontend:WWW.X.IO', ...LIST);
  assert.deepEqual(await open(t, redis, '', 'low:pw@').near('www.x.io'), ['frontend:WWW.X.IO']);
});

test('a Redis that is away, or hangs, is told of within the limit', async (t) => {
  const redis = await startRedis(t);
  const editor = open(t, redis, '', '', 2_000);
  await editor.replace('www.x.io', LIST);
  redis.pause();
  t.after(() => redis.resume());
  const began = performance.now();
  const refusal = { code: 'store-unavailable' };
  await assert.rejects(editor.replace('www.x.io', LIST), refusal);
  await assert.rejects(editor.look(['www.x.io'], 'www.x.io'), refusal);
  assert.ok(performance.now() - began < 15_000);
  redis.resume();
  await redis.kill();
  await assert.rejects(editor.page({ cursor: null, limit: 10, match: '' }), refusal);
  await assert.rejects(editor.replace('www.x.io', LIST), refusal);
});

test('a connection that was lost while nobody used it costs no edit', async (t) => {
  const redis = await startRedis(t);
  const editor = open(t, redis);
  await editor.replace('www.x.io', LIST);
  for (let i = 0; i < 10; i++) {
    await redis.cli('client', 'kill', 'type', 'normal');
    await editor.change('www.x.io', (list) => [...list, `http://h${i}`]);
  }
  assert.equal((await listOf(editor, 'www.x.io'))?.length, LIST.length + 10);
});

test('one that is lost before the answer came leaves it open whether the edit was made, and says so', async (t) => {
  const redis = await startRedis(t);
  const editor = open(t, redis, '', '', 2_000);
  await editor.replace('www.x.io', LIST);
  await assert.rejects(
    editor.change('www.x.io', (list) => {
      redis.pause();
      return [...list, 'http://c'];
    }),
    { code: 'store-unavailable', message: /did not reply within 2000 ms; check whether the change was made/ },
  );
  redis.resume();
});

test('edits that meet somebody who writes all the time give up, and say so', async (t) => {
  const editor = await emptied(t);
  await editor.replace('www.x.io', LIST);
  let calls = 0;
  await assert.rejects(
    editor.change('www.x.io', (list) => {
      calls++;
      spawnSync('redis-cli', ['-p', String(shared.port), 'rpush', 'frontend:www.x.io', 'http://more']);
      return [...list, 'http://mine'];
    }),
    { code: /busy|store-unavailable/ },
  );
  assert.ok(calls > 1);
  assert.ok(!(await listOf(editor, 'www.x.io'))?.includes('http://mine'));
});

/** Whole frontends, as every editor reads and writes them. */
// @one-lane: stores, without a router
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { type DriverUrl, parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { editSet } from '../../lib/store/editor/edit-set.ts';
import { type FrontendSet, isSameSet, NO_SET, withHashOf } from '../../lib/store/editor/frontend-set.ts';
import type { RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { startRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';

const redis = await startRedis({ after });
const cluster = await startCluster({ after }, 3);
const folder = mkdtempSync(join(tmpdir(), 'hipache-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'routes.json');

const KINDS: readonly (readonly [name: string, url: DriverUrl, empty: () => Promise<unknown>])[] = [
  ['redis', parseDriverUrl(`redis://127.0.0.1:${redis.port}/0#a:`), () => redis.cli('flushall')],
  ['cluster', parseDriverUrl(`redis+cluster://127.0.0.1:${cluster.masters[0]?.port}/`), () => cluster.flush()],
  ['file', { scheme: 'file', path }, async () => writeFileSync(path, '{}')],
];

const SITE: FrontendSet = {
  list: ['site', 'http://a', 'http://b'],
  hashes: {
    ...NO_SET.hashes,
    options: new Map([
      ['strip', '1'],
      ['maintenance', 'früh'],
    ]),
    weights: new Map([['http://a', '10']]),
    errors: new Map([['503', '<p>"sorry"</p>']]),
  },
  odd: [],
};

const read = async (editor: RouteEditor, key: string): Promise<FrontendSet> =>
  (await editor.sets([key], { isFresh: true }))[0] ?? NO_SET;
const add = (by: RouteEditor, i: number): Promise<unknown> =>
  editSet(by, 'a.io', (set) => ({ ...set, list: [...(set.list ?? []), `http://h${i}`] }));

for (const [name, url, empty] of KINDS) {
  const promise = (what: string, check: (editor: RouteEditor, t: TestContext) => Promise<void>): void =>
    void test(`${name}: ${what}`, async (t) => {
      await empty();
      const editor = openEditor(url, url, { timeoutMs: 5000 });
      t.after(() => editor.close());
      await check(editor, t);
    });
  promise('a frontend is written and read whole, also one with a path', async (editor) => {
    const keys = ['www.x.io', 'www.x.io/api'];
    const changes = keys.map((key) => ({ key, before: NO_SET, after: SITE }));
    assert.deepEqual(await editor.writeSets(changes), [true, true]);
    for (const set of await editor.sets([...keys])) assert.ok(isSameSet(set, SITE), JSON.stringify(set));
    assert.deepEqual((await editor.sides('prefixes', ['www.x.io']))[0]?.holds, ['/api']);
    assert.deepEqual(await editor.writeSets(keys.map((key) => ({ key, before: SITE, after: NO_SET }))), [true, true]);
    assert.ok(isSameSet(await read(editor, 'www.x.io/api'), NO_SET));
    assert.equal((await editor.sides('prefixes', ['www.x.io']))[0]?.type, 'none');
  });

  promise('a frontend that has changed is not written, the others are', async (editor) => {
    await editor.replace('b.io', ['other', 'http://z']);
    const changes = ['a.io', 'b.io', 'c.io'].map((key) => ({ key, before: NO_SET, after: SITE }));
    assert.deepEqual(await editor.writeSets(changes), [true, false, true]);
    assert.deepEqual((await read(editor, 'b.io')).list, ['other', 'http://z']);
    const stale = withHashOf(SITE, 'options', new Map());
    assert.deepEqual(await editor.writeSets([{ key: 'a.io', before: stale, after: NO_SET }]), [false]);
    assert.ok(isSameSet(await read(editor, 'a.io'), SITE));
  });

  promise('fields that go are removed, and the others stay', async (editor) => {
    await editor.writeSets([{ key: 'a.io', before: NO_SET, after: SITE }]);
    const wanted = withHashOf(SITE, 'options', new Map([['maintenance', 'on']]));
    assert.deepEqual(await editor.writeSets([{ key: 'a.io', before: SITE, after: wanted }]), [true]);
    assert.ok(isSameSet(await read(editor, 'a.io'), wanted));
  });

  promise('concurrent edits all count', async (editor, t) => {
    const other = openEditor(url, url, { timeoutMs: 5000 });
    t.after(() => other.close());
    await editor.replace('a.io', ['site']);
    await Promise.all([0, 1, 2, 3, 4, 5].map((i) => add(i % 2 === 0 ? editor : other, i)));
    assert.equal((await read(editor, 'a.io')).list?.length, 7);
  });
}

test('redis: a mark stays where its URL stays, a TTL as asked, and another type is refused', async (t) => {
  await redis.cli('flushall');
  const url = parseDriverUrl(`redis://127.0.0.1:${redis.port}`);
  const editor = openEditor(url, url, { timeoutMs: 5000 });
  t.after(() => editor.close());
  await editor.writeSets([{ key: 'a.io', before: NO_SET, after: SITE }]);
  await redis.cli('sadd', 'dead:a.io', 0, 1);
  await redis.cli('expire', 'frontend:a.io', 100);
  const shorter = { ...SITE, list: ['site', 'http://a'] };
  await editor.writeSets([{ key: 'a.io', before: SITE, after: shorter }], { keepsEnd: true });
  assert.deepEqual(await redis.cli('smembers', 'dead:a.io'), ['0']);
  assert.ok(Number(await redis.cli('ttl', 'frontend:a.io')) > 90);
  await editor.writeSets([{ key: 'a.io', before: shorter, after: SITE }]);
  assert.equal(await redis.cli('ttl', 'frontend:a.io'), -1);
  await redis.cli('set', 'options:b.io', 'text');
  const [odd = NO_SET] = await editor.sets(['b.io']);
  assert.deepEqual(odd.odd, ['options:b.io']);
  await assert.rejects(editor.writeSets([{ key: 'b.io', before: odd, after: SITE }]), { code: 'wrong-type' });
  assert.equal(await redis.cli('exists', 'frontend:b.io'), 0);
  assert.deepEqual(await editor.writeSets([{ key: 'b.io', before: odd, after: SITE }], { isForced: true }), [true]);
});

test('file: a line per frontend, in its former place', async (t) => {
  writeFileSync(path, '{"b.io": ["b"], "options:b.io": {"strip": "1"}, "a.io": ["a"]}');
  const editor = openEditor({ scheme: 'file', path }, { scheme: 'file', path }, { timeoutMs: 5000 });
  t.after(() => editor.close());
  const [before = NO_SET] = await editor.sets(['b.io']);
  await editor.writeSets([{ key: 'b.io', before, after: { ...before, list: ['b', 'http://b'] } }]);
  assert.equal(
    readFileSync(path, 'utf8'),
    '{\n  "b.io": ["b", "http://b"],\n  "a.io": ["a"],\n  "options:b.io": { "strip": "1" }\n}\n',
  );
});

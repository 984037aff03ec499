import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import type { RouteEditor } from '../../lib/store/editor/route-editor.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { bookContract, LIST, listOf } from './book-contract.ts';

const cluster = await startCluster({ after }, 3);

function open(t: TestContext, prefix: string): RouteEditor {
  const url = parseDriverUrl(`redis+cluster://127.0.0.1:${cluster.masters[0]?.port}/#${prefix}`);
  const editor = openEditor(url, url, { timeoutMs: 3000 });
  t.after(() => editor.close());
  return editor;
}

for (const prefix of ['', '{one}']) {
  bookContract(`redis cluster with prefix "${prefix}"`, async (t) => {
    await cluster.flush();
    return { editor: open(t, prefix), other: open(t, prefix) };
  });
}

test('in a cluster marks follow their list', async (t) => {
  await cluster.flush();
  const editor = open(t, '');
  for (const place of [0, 1, 2]) {
    const host = cluster.hostOn(place, 'dead:');
    await editor.replace(host, LIST);
    await cluster.cli('sadd', `dead:${host}`, 0, 1);
    await editor.change(host, (list) => [...list.slice(0, 2), 'http://other']);
    assert.deepEqual(await cluster.cli('smembers', `dead:${host}`), ['0']);
    await editor.remove(host);
    assert.equal(await cluster.cli('exists', `dead:${host}`), 0);
  }
});

test('in a cluster a key of another type is refused, and overwritten only when that is asked for', async (t) => {
  await cluster.flush();
  const editor = open(t, '');
  await cluster.cli('set', 'frontend:www.x.io', 'text');
  await assert.rejects(editor.replace('www.x.io', LIST), { code: 'wrong-type' });
  await cluster.cli('expire', 'frontend:www.x.io', 100);
  await editor.replace('www.x.io', LIST, { isForced: true });
  assert.deepEqual(await listOf(editor, 'www.x.io'), LIST);
  await cluster.cli('expire', 'frontend:www.x.io', 100);
  await editor.change('www.x.io', (list) => [...list, 'http://c']);
  assert.ok(Number(await cluster.cli('ttl', 'frontend:www.x.io')) > 90);
});

test('in a cluster a list that is too long can be replaced, and removed', async (t) => {
  await cluster.flush();
  const editor = open(t, '');
  const long = Array.from({ length: 10_500 }, (_, i) => `http://h${i}`);
  await cluster.cli('rpush', 'frontend:www.x.io', ...long);
  await editor.replace('www.x.io', LIST);
  assert.deepEqual(await listOf(editor, 'www.x.io'), LIST);
  await cluster.cli('rpush', 'frontend:www.x.io', ...long);
  await editor.remove('www.x.io');
  assert.equal(await listOf(editor, 'www.x.io'), null);
});

test('in a cluster options of a wrong type are refused, and overwritten only when that is asked for', async (t) => {
  await cluster.flush();
  const editor = open(t, '');
  const options = new Map([['strip', '1']]);
  await cluster.cli('set', 'options:www.x.io', 'text');
  await assert.rejects(editor.changeFields('options', 'www.x.io', options), { code: 'wrong-type' });
  assert.equal(await cluster.cli('get', 'options:www.x.io'), 'text');
  const change = await editor.changeFields('options', 'www.x.io', options, { isForced: true });
  assert.deepEqual([[...change.before], [...change.after]], [[], [['strip', '1']]]);
});

test('in a cluster, what is asked right after the first reply does not wait for the next inspection', async () => {
  const url = parseDriverUrl(`redis+cluster://127.0.0.1:${cluster.masters[0]?.port}/`);
  for (let i = 0; i < 8; i++) {
    const editor = openEditor(url, url, { timeoutMs: 20_000 });
    try {
      await editor.sets(['www.x.io']);
      const startedAt = performance.now();
      await editor.unknownKeys(null, 10);
      // The next inspection is after 5 s.
      assert.ok(performance.now() - startedAt < 4_000);
    } finally {
      await editor.close();
    }
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';
import { eventually } from '../support/eventually.ts';
import { startSentinels } from '../support/redis-sentinel.ts';
import { LIST, listOf } from './book-contract.ts';

test('edits go to the master that Sentinels name, and after a failover to the new one', async (t) => {
  const redis = await startSentinels(t);
  const url = parseDriverUrl(redis.url());
  const editor = openEditor(url, url, { timeoutMs: 3000 });
  t.after(() => editor.close());
  const old = await redis.master();
  await editor.replace('www.x.io', LIST);
  assert.deepEqual(await old.cli('lrange', 'frontend:www.x.io', 0, -1), LIST);
  await eventually(() => redis.sentinels[0]?.cli('sentinel', 'failover', 'mymaster'), 20_000);
  await redis.haveElected(old);
  const master = await redis.master();
  // One that still met the old master is refused, and is to be repeated.
  await eventually(() => editor.replace('new.x.io', LIST), 20_000);
  assert.deepEqual(await master.cli('lrange', 'frontend:new.x.io', 0, -1), LIST);
  await eventually(async () => assert.deepEqual(await listOf(editor, 'new.x.io'), LIST), 20_000);
});

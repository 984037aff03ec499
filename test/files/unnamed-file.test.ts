import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openUnnamed } from '../../lib/files/unnamed-file.ts';

test('a file without a name is private, can be written and read, and leaves nothing behind', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = await openUnnamed(folder);
  assert.deepEqual(readdirSync(folder), []);
  const { mode, nlink } = await file.stat();
  assert.deepEqual([mode & 0o777, nlink], [0o600, 0]);
  await file.write('text', 0);
  assert.equal((await file.read(Buffer.alloc(4), 0, 4, 0)).buffer.toString(), 'text');
  await file.close();
});

test('a folder that is not there is an error', async () => {
  await assert.rejects(openUnnamed('/nowhere/at/all'), { code: 'ENOENT' });
});

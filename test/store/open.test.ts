import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDriverUrl } from '../../lib/core/driver-url.ts';
import { CachedStore } from '../../lib/store/cached.ts';
import { FileStore } from '../../lib/store/file.ts';
import { openStore, type StoreSettings } from '../../lib/store/open.ts';
import { RedisStore } from '../../lib/store/redis.ts';
import { freePort } from '../support/redis.ts';
import { feed } from '../support/routes.ts';
import { find } from './contract.ts';

const FILE = { wantPiece: () => {}, share: () => {} };

test('a file: URL opens a store that the master feeds', async () => {
  const { store, file } = openStore(settings('file:/a.json', { cache: { size: 10, ttl: 60 } }));
  assert.ok(file instanceof FileStore);
  feed(file, [['x.io', ['x', 'http://10.0.0.1']]]);
  assert.equal((await find(store, 'x.io'))?.name, 'x');
  feed(file, []);
  assert.equal(await find(store, 'x.io'), null, 'no cache in between');
});

test('a redis: URL opens a RedisStore, with a cache when asked for', async (t) => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const plain = openStore(settings(url));
  const cached = openStore(settings(url, { cache: { size: 10, ttl: 60 } }));
  t.after(() => plain.store.close());
  t.after(() => cached.store.close());
  assert.ok(plain.store instanceof RedisStore);
  assert.ok(cached.store instanceof CachedStore);
  assert.equal(plain.file, null);
});

test('URLs that do not go together are refused', () => {
  assert.throws(() => openStore({ ...settings('redis:'), write: parseDriverUrl('file:/a.json') }), /both URLs/);
  assert.throws(() => openStore({ ...settings('file:/a.json'), write: parseDriverUrl('file:/b.json') }), /both URLs/);
});

function settings(url: string, more: Partial<StoreSettings> = {}): StoreSettings {
  const driver = parseDriverUrl(url);
  return { read: driver, write: driver, timeoutMs: 1000, notify: () => {}, cache: null, file: FILE, ...more };
}

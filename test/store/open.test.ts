import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { FileStore } from '../../lib/store/file/store.ts';
import { openStore, type StoreSettings } from '../../lib/store/drivers/open-store.ts';
import { RedisStore } from '../../lib/store/redis/store.ts';
import { RememberingStore } from '../../lib/store/cache/remembering.ts';
import { StoreCounts } from '../../lib/store/store-counts.ts';
import { freePort } from '../support/ports.ts';
import { feed, NO_MASTER } from '../support/routes.ts';
import { find } from './contract.ts';

const CACHE = { mode: 'request', max: 10, maxAgeMs: 60_000, maxStaleMs: 60_000, lruMs: 0 } as const;
const REST = {
  timeoutMs: 1000,
  notify: () => {},
  counts: new StoreCounts(),
  cache: CACHE,
  deadMs: 30_000,
  hasTrials: true,
  hasChecks: true,
  known: null,
  file: NO_MASTER,
} as const;

test('a file: URL opens a store that the master feeds', async () => {
  const { store, file } = openStore(settings('file:/a.json', { cache: { ...CACHE, lruMs: 60_000 } }));
  assert.ok(file instanceof FileStore);
  feed(file, [['x.io', ['x', 'http://10.0.0.1']]]);
  assert.equal((await find(store, 'x.io'))?.name, 'x');
  feed(file, []);
  assert.equal(await find(store, 'x.io'), null, 'no cache in between');
});

test('a redis: URL opens a store that remembers, unless nothing is to be remembered', async (t) => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const open = (cache: Partial<StoreSettings['cache']>) => {
    const { store, file } = openStore(settings(url, { cache: { ...CACHE, ...cache } }));
    t.after(() => store.close());
    assert.equal(file, null);
    return store;
  };
  assert.ok(open({}) instanceof RememberingStore);
  assert.ok(open({ maxStaleMs: 0 }) instanceof RedisStore);
  assert.ok(open({ maxStaleMs: 0, lruMs: 1000 }) instanceof RememberingStore);
  assert.ok(open({ maxStaleMs: 0, mode: 'push' }) instanceof RememberingStore);
});

test('URLs that do not go together are refused', () => {
  assert.throws(() => openStore({ ...settings('redis:'), write: parseDriverUrl('file:/a.json') }), /both URLs/);
  assert.throws(() => openStore({ ...settings('file:/a.json'), write: parseDriverUrl('file:/b.json') }), /both URLs/);
});

function settings(url: string, more: Partial<StoreSettings> = {}): StoreSettings {
  const driver = parseDriverUrl(url);
  return { read: driver, write: driver, ...REST, ...more };
}

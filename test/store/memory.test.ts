import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from '../support/memory-store.ts';
import type { StoreEvent } from '../../lib/store/store.ts';
import { die, find, storeContract } from './contract.ts';

storeContract('memory', async (t) => {
  const store = new MemoryStore();
  t.after(() => store.close());
  return {
    store,
    set: async (key, list) => store.set(key, list),
    remove: async (key) => store.remove(key),
    setPrefixes: async (key, names) => store.setPrefixes(key, names),
    setHash: async (kind, key, fields) => {
      const hash = new Map(Object.entries(fields));
      if (kind !== 'errors') store.setSite(kind, key, hash);
      else store.setPages(key, hash);
    },
  };
});

test('a mark ends to the millisecond', async () => {
  let now = 1000;
  const store = new MemoryStore({ now: () => now });
  store.set('x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
  await die(store, 'x.io', 0, 30);
  now += 29_999;
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([0]));
  now += 1;
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set());
});

test('a mark does not pass to another backend that takes the place in the list', async () => {
  const store = new MemoryStore();
  store.set('*.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
  await die(store, 'a.x.io', 1, 30);
  store.set('*.x.io', ['x', 'http://10.0.0.2', 'http://10.0.0.3']);
  assert.deepEqual((await find(store, 'a.x.io'))?.dead, new Set());
  store.set('*.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3']);
  assert.deepEqual((await find(store, 'a.x.io'))?.dead, new Set([1]), 'the same URL in the same place is still dead');
});

test('marks of endless hosts under a wildcard do not fill the memory: the oldest are forgotten', async () => {
  const store = new MemoryStore();
  store.set('*', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
  for (let i = 0; i <= 10_000; i++) await die(store, `h${i}.io`, 0, 30);
  assert.deepEqual((await find(store, 'h0.io'))?.dead, new Set());
  assert.deepEqual((await find(store, 'h1.io'))?.dead, new Set([0]));
  assert.deepEqual((await find(store, 'h10000.io'))?.dead, new Set([0]));
});

test('an unusable URL is reported with its key, without its password', () => {
  const notices: StoreEvent[] = [];
  const store = new MemoryStore({ notify: (notice) => notices.push(notice) });
  store.set('x.io', ['x', 'gopher://user:secret@10.0.0.1']);
  assert.deepEqual(notices, [
    { type: 'route-fault', key: 'x.io', fault: 'backend "gopher://***@10.0.0.1": unknown scheme "gopher:"' },
  ]);
});

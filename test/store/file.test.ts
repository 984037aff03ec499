import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadMark } from '../../lib/store/dead-marks.ts';
import { FileStore } from '../../lib/store/file/store.ts';
import type { RouteEntry } from '../../lib/store/route-table.ts';
import { pieceAt } from '../../lib/store/file/pieces.ts';
import { encodeRoutes } from '../../lib/store/file/routes-image.ts';
import { startFileWorkers } from '../support/file-workers.ts';
import { feed, manyRoutes, NO_MASTER } from '../support/routes.ts';
import { die, find, storeContract } from './contract.ts';

storeContract('file', async (t) => {
  const routes = new Map<string, readonly string[]>();
  const store = storeOf([]);
  t.after(() => store.close());
  return {
    store,
    set: async (key, list) => feed(store, routes.set(key, list)),
    // A frontend with a path is one.
    setPrefixes: async () => {},
    setHash: async (kind, key, fields) => feed(store, routes.set(`${kind}:${key}`, Object.entries(fields).flat())),
    remove: async (key) => {
      routes.delete(key);
      feed(store, routes);
    },
  };
});

const ROUTES: readonly RouteEntry[] = [['x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']]];

test('a death in one worker is known to the others, through plain JSON', async () => {
  const wire: string[] = [];
  const one = storeOf(ROUTES, (mark) => wire.push(JSON.stringify(mark)));
  const other = storeOf(ROUTES, () => assert.fail('a death that was told is not told again'));
  assert.equal(await die(one, 'x.io', 1, 30), 'marked');
  assert.equal(wire.length, 1);
  const mark: DeadMark = JSON.parse(wire[0] ?? '');
  other.bury(mark);
  other.bury(mark);
  assert.deepEqual((await find(other, 'x.io'))?.dead, new Set([1]));
});

test('a death told late does not hide the backend that has the place now', async () => {
  const marks: DeadMark[] = [];
  const one = storeOf(ROUTES, (mark) => marks.push(mark));
  await die(one, 'x.io', 1, 30);
  const other = storeOf([['x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.9']]]);
  for (const mark of marks) other.bury(mark);
  assert.deepEqual((await find(other, 'x.io'))?.dead, new Set());
});

test('new routes take the place of all old ones', async () => {
  const store = storeOf(ROUTES);
  feed(store, [['y.io', ['y', 'http://10.0.0.1']]]);
  assert.equal(await find(store, 'x.io'), null);
  assert.equal((await find(store, 'y.io'))?.name, 'y');
});

test('a dead mark stays where the same URL keeps its place, whatever else changes', async () => {
  const store = storeOf(ROUTES);
  await die(store, 'x.io', 1, 30);
  feed(store, [
    ['y.io', ['y', 'http://10.0.0.1']],
    ['x.io', ['other', 'http://10.0.0.7', 'http://10.0.0.2', 'http://10.0.0.1']],
  ]);
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([1]));
});

test('until the last piece has come lookups see the old routes, all of them, and then the new ones', async () => {
  let wanted = 0;
  const store = new FileStore({ ...NO_MASTER, wantPiece: () => wanted++, hasTrials: true });
  assert.equal(wanted, 1);
  feed(store, manyRoutes(3, 'http://10.0.0.1'));
  const before = wanted;
  const image = encodeRoutes(manyRoutes(10_000, 'http://10.0.0.2'));
  let at = 0;
  while (at < image.length) {
    assert.match((await find(store, 'site-2.test'))?.backends[0]?.href ?? '', /10\.0\.0\.1/);
    assert.equal(await find(store, 'site-9999.test'), null);
    const piece = pieceAt(image, at);
    store.take(piece);
    at += piece.bytes.length;
  }
  assert.match((await find(store, 'site-2.test'))?.backends[0]?.href ?? '', /10\.0\.0\.2/);
  assert.equal((await find(store, 'site-9999.test'))?.name, 'name 9999');
  assert.ok(wanted - before > 2, 'in several pieces');
});

test('before the first routes have come nobody is told that a site does not exist', async () => {
  const store = new FileStore({ ...NO_MASTER, hasTrials: true });
  await assert.rejects(store.find(['x.io'], '/'), { code: 'store-unavailable' });
  assert.equal(store.peek('x.io', '/'), undefined);
  feed(store, ROUTES);
  await store.ready();
  assert.equal(store.peek('x.io', '/')?.name, 'x');
  assert.equal(store.peek('y.io', '/'), null);
});

test('a store that is closed asks for nothing more, and nobody waits for it', async () => {
  let wanted = 0;
  const store = new FileStore({ ...NO_MASTER, wantPiece: () => wanted++, hasTrials: true });
  await store.close();
  await store.ready();
  feed(store, ROUTES);
  assert.equal(wanted, 1);
  await assert.rejects(store.find(['x.io'], '/'), { code: 'store-unavailable' });
});

/** A store with a master of its own. @param onMark called with each mark that it sends to its workers */
function storeOf(entries: readonly RouteEntry[], onMark: (mark: DeadMark) => void = () => {}): FileStore {
  const { stores, onSent } = startFileWorkers(1);
  const [store] = stores;
  assert.ok(store);
  onSent((message) => {
    if (message.type === 'dead') onMark(message.mark);
  });
  feed(store, entries);
  return store;
}

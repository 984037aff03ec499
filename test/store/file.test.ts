import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadMark } from '../../lib/store/dead-marks.ts';
import { FileStore } from '../../lib/store/file.ts';
import type { RouteEntry } from '../../lib/store/route-table.ts';
import { die, find, storeContract } from './contract.ts';

storeContract('file', async (t) => {
  const routes = new Map<string, readonly string[]>();
  const store = new FileStore([], () => {});
  t.after(() => store.close());
  return {
    store,
    set: async (key, list) => store.replace([...routes.set(key, list)]),
    remove: async (key) => {
      routes.delete(key);
      store.replace([...routes]);
    },
  };
});

const ROUTES: readonly RouteEntry[] = [['x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']]];

test('a death in one worker is known to the others, through plain JSON', async () => {
  const wire: string[] = [];
  const one = new FileStore(ROUTES, (mark) => wire.push(JSON.stringify(mark)));
  const other = new FileStore(ROUTES, () => assert.fail('a death that was told is not told again'));
  await die(one, 'x.io', 1, 30);
  assert.equal(wire.length, 1);
  const mark: DeadMark = JSON.parse(wire[0] ?? '');
  other.bury(mark);
  other.bury(mark);
  assert.deepEqual((await find(other, 'x.io'))?.dead, new Set([1]));
});

test('a death told late does not hide the backend that has the place now', async () => {
  const marks: DeadMark[] = [];
  const one = new FileStore(ROUTES, (mark) => marks.push(mark));
  await die(one, 'x.io', 1, 30);
  const other = new FileStore([['x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.9']]], () => {});
  for (const mark of marks) other.bury(mark);
  assert.deepEqual((await find(other, 'x.io'))?.dead, new Set());
});

test('new routes take the place of all old ones', async () => {
  const store = new FileStore(ROUTES, () => {});
  store.replace([['y.io', ['y', 'http://10.0.0.1']]]);
  assert.equal(await find(store, 'x.io'), null);
  assert.equal((await find(store, 'y.io'))?.name, 'y');
});

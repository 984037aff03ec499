import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { buildRoute, readList, routeOf } from '../../lib/core/backend.ts';
import { mergeOptions } from '../../lib/core/options.ts';
import { rewritePath } from '../../lib/core/path-rewrite.ts';
import { readSnapshot, SnapshotFile } from '../../lib/store/snapshot-file.ts';
import { decodeSnapshot, encodeSnapshot, restoreRoute, saveRoute, type SavedRoute } from '../../lib/store/snapshot.ts';
import { Notices } from '../support/notices.ts';

const ROUTE: SavedRoute = ['x.io', '*.io', ['x', 'http://10.0.0.1'], 5];

test('a route comes back as it was, unusable elements and all, but for its dead marks', () => {
  const list = ['my site', 'garbage', 'http://10.0.0.1', '', 'https://[::1]:8443', 'ftp://x'];
  const route = buildRoute('a.x.io', '*.x.io', list, new Set([1]), () => {});
  assert.deepEqual(restoreRoute(saveRoute(route, 0)), { ...route, dead: new Set() });
});

test('a prefix and its options come back, too', () => {
  const list = readList(['api', 'http://10.0.0.1'], () => {});
  const options = mergeOptions({ host: new Map([['hsts', '9']]), prefix: new Map([['rewrite', '^/api/(.*)$ /$1']]) });
  const route = routeOf('a.x.io/api', '*.x.io/api', list, new Set(), options);
  const [saved] = decodeSnapshot(encodeSnapshot({ runId: null, routes: [saveRoute(route, 0)] })).routes;
  assert.ok(saved);
  const restored = restoreRoute(saved);
  assert.deepEqual([restored.prefix, restored.key, restored.options.hsts], ['/api', '*.x.io/api', 'max-age=9']);
  assert.ok(restored.options.rewrite);
  assert.equal(rewritePath(restored.options.rewrite, '/api', '/api/b'), '/b');
  const odd = ['x.io', 'x.io', ['x'], 1, [1]] as unknown as SavedRoute;
  assert.throws(() => decodeSnapshot(encodeSnapshot({ runId: null, routes: [odd] })), /no route/);
});

test('a snapshot comes back as it was, whatever it holds', () => {
  const routes = fc.array(
    fc.tuple(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }),
      fc.nat(),
    ),
  );
  fc.assert(
    fc.property(fc.option(fc.string()), routes, (runId, saved) => {
      assert.deepEqual(decodeSnapshot(encodeSnapshot({ runId, routes: saved })), { runId, routes: saved });
    }),
  );
});

test('a text that was cut, changed, or is something else is refused, with the reason', () => {
  const text = encodeSnapshot({ runId: 'r', routes: [ROUTE, ROUTE] });
  for (let end = text.indexOf('\n') + 1; end < text.length; end++) {
    assert.throws(() => decodeSnapshot(text.slice(0, end)), /not whole/);
  }
  assert.throws(() => decodeSnapshot(text.replace('10.0.0.1', '10.0.0.2')), /not whole/);
  for (const other of ['', '{}\n', 'null\n', text.slice(5), text.replace('snapshot-1', 'snapshot-2'), '[1]\n[2]\n']) {
    assert.throws(() => decodeSnapshot(other), /no snapshot of this version/);
  }
  const odd = encodeSnapshot({ runId: null, routes: [['x.io', 'x.io', [], 1]] });
  assert.throws(() => decodeSnapshot(odd), /no route/);
});

function fileIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-snapshot-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'known');
}

test('what workers learn is written, for nobody else to read, and read again', async (t) => {
  const path = fileIn(t);
  const notices = new Notices();
  const limits = { max: 2, maxAgeMs: 60_000 };
  const at = Date.now();
  const route = (host: string, readAt = at): SavedRoute => [host, host, ['x', 'http://10.0.0.1'], readAt];
  const first = new SnapshotFile(path, limits, notices.notify);
  first.learn({ runId: 'one', routes: [route('gone.io'), route('old.io', at - 61_000)] });
  first.learn({ runId: 'two', routes: ['gone.io', route('a.io'), route('b.io')] });
  await first.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readSnapshot(path), { runId: 'two', routes: [route('a.io'), route('b.io')] });

  const second = new SnapshotFile(path, limits, notices.notify);
  second.learn({ runId: 'two', routes: [route('c.io')] });
  await second.close();
  assert.deepEqual(readSnapshot(path)?.routes, [route('b.io'), route('c.io')], 'the oldest made room');
  assert.deepEqual(notices.all, [{ type: 'snapshot-loaded', file: path, routes: 2 }]);
});

test('a file that cannot be used is told and replaced; one that is not there is no fault', async (t) => {
  const path = fileIn(t);
  assert.equal(readSnapshot(path), null);
  writeFileSync(path, 'garbage');
  const notices = new Notices();
  const file = new SnapshotFile(path, { max: 10, maxAgeMs: 60_000 }, notices.notify);
  assert.match((await notices.next('snapshot-refused')).cause.message, /no snapshot/);
  file.learn({ runId: null, routes: [['x.io', 'x.io', ['x'], Date.now()]] });
  await file.close();
  assert.match(readFileSync(path, 'utf8'), /^\{"format":"hipache-snapshot-1"/);
});

const routeNow = (host: string): SavedRoute => [host, host, ['x', 'http://10.0.0.1'], Date.now()];

test('who leaves the file to a successor writes it no more', async (t) => {
  const path = fileIn(t);
  const notices = new Notices();
  const limits = { max: 10, maxAgeMs: 60_000 };
  const old = new SnapshotFile(path, limits, notices.notify);
  old.learn({ runId: 'one', routes: [routeNow('a.io')] });
  await old.save();
  const successor = new SnapshotFile(path, limits, notices.notify);
  await old.leave();
  successor.learn({ runId: 'one', routes: [routeNow('b.io')] });
  await successor.close();
  old.learn({ runId: 'one', routes: [routeNow('c.io')] });
  await old.close();
  const saved = readSnapshot(path)?.routes.map(([host]) => host);
  assert.deepEqual(saved, ['a.io', 'b.io']);
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { buildRoute, NO_MARKS, readList, routeOf } from '../../lib/core/routing/backend.ts';
import { makeSite } from '../../lib/sites/site.ts';
import { KnownRoutes } from '../../lib/store/cache/known-routes.ts';
import type { UpdatedRoute } from '../../lib/store/cache/snapshot-updates.ts';
import { readSnapshot, SnapshotFile } from '../../lib/store/cache/snapshot-file.ts';
import {
  decodeSnapshot,
  encodeSnapshot,
  restoreRoute,
  saveRoute,
  type SavedRoute,
} from '../../lib/store/cache/snapshot.ts';
import { Notices } from '../support/notices.ts';

const ROUTE: SavedRoute = ['x.io', '*.io', ['x', 'http://10.0.0.1'], 5];

function encoded(runId: string | null, ...routes: readonly SavedRoute[]): string {
  return encodeSnapshot({ runId, lines: routes.map((route) => JSON.stringify(route)) });
}

/** What workers have read, with room for so many. */
class Workers {
  readonly known: KnownRoutes;

  constructor(max = 10) {
    this.known = new KnownRoutes({ max, maxCharacters: 1_000_000, maxAgeMs: 60_000 });
  }

  learn(runId: string | null, ...routes: readonly (SavedRoute | string)[]): void {
    const learnt = routes.map((route): UpdatedRoute => {
      return typeof route === 'string' ? [route, Date.now(), null] : [route[0], route[3], JSON.stringify(route)];
    });
    this.known.learn({ runId, lostAt: null, routes: learnt });
  }
}

test('a route comes back as it was, unusable elements and all, but for its dead marks', () => {
  const list = ['my site', 'garbage', 'http://10.0.0.1', '', 'https://[::1]:8443', 'ftp://x'];
  const route = buildRoute('a.x.io', '*.x.io', list, { dead: new Set([1]), deadByRouters: new Set() }, () => {});
  assert.deepEqual(restoreRoute(saveRoute(route, 0)), { ...route, dead: new Set() });
});

test('a prefix, its options and its header fields come back, too', () => {
  const list = readList(['api', 'http://10.0.0.1'], () => {});
  const fields = [['hsts', '9'] as const, ['response:Server', ''] as const, ['request:X-A', 'b'] as const];
  const site = makeSite({ host: new Map(fields), prefix: new Map([['rewrite', '^/api/(.*)$ /$1']]) });
  const route = routeOf('a.x.io/api', '*.x.io/api', list, NO_MARKS, site);
  const [saved] = decodeSnapshot(encoded(null, saveRoute(route, 0))).routes;
  assert.ok(saved);
  const restored = restoreRoute(saved);
  assert.deepEqual([restored.prefix, restored.key, restored.site.fields.get('hsts')], ['/api', '*.x.io/api', '9']);
  assert.equal(restored.site.targetFor('/api/b', '/api'), '/b');
  assert.deepEqual(restored.site.adaptRequest(['x-a', '1']), ['X-A', 'b']);
  assert.deepEqual(restored.site.adaptSwitching(['Server', 'x']), []);
  const odd = ['x.io', 'x.io', ['x'], 1, [1]] as unknown as SavedRoute;
  assert.throws(() => decodeSnapshot(encoded(null, odd)), /has an invalid route/);
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
      assert.deepEqual(decodeSnapshot(encoded(runId, ...saved)), { runId, routes: saved });
    }),
  );
});

test('a text that was cut, changed, or is something else is refused, with the reason', () => {
  const text = encoded('r', ROUTE, ROUTE);
  for (let end = text.indexOf('\n') + 1; end < text.length; end++) {
    assert.throws(() => decodeSnapshot(text.slice(0, end)), /incomplete/);
  }
  assert.throws(() => decodeSnapshot(text.replace('10.0.0.1', '10.0.0.2')), /checksum does not match/);
  for (const other of ['', '{}\n', 'null\n', text.slice(5), text.replace('snapshot-1', 'snapshot-2'), '[1]\n[2]\n']) {
    assert.throws(() => decodeSnapshot(other), /not a snapshot of this version/);
  }
  const odd = encoded(null, ['x.io', 'x.io', [], 1]);
  assert.throws(() => decodeSnapshot(odd), /has an invalid route/);
});

function fileIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hipache-snapshot-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'known');
}

test('what workers learn is written, for nobody else to read, and read again', async (t) => {
  const path = fileIn(t);
  const notices = new Notices();
  const workers = new Workers(2);
  const at = Date.now();
  const route = (host: string, readAt = at): SavedRoute => [host, host, ['x', 'http://10.0.0.1'], readAt];
  const first = new SnapshotFile(path, workers.known, notices.notify);
  workers.learn('one', route('gone.io'), route('old.io', at - 61_000));
  workers.learn('two', 'gone.io', route('a.io'), route('b.io'));
  await first.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readSnapshot(path), { runId: 'two', routes: [route('a.io'), route('b.io')] });

  const others = new Workers(2);
  const second = new SnapshotFile(path, others.known, notices.notify);
  others.learn('two', route('c.io'));
  await second.close();
  assert.deepEqual(readSnapshot(path)?.routes, [route('b.io'), route('c.io')], 'the oldest made room');
  assert.deepEqual(notices.all, [{ type: 'snapshot-loaded', file: path, routes: 2 }]);
});

test('a file that cannot be used is told and replaced; one that is not there is no fault', async (t) => {
  const path = fileIn(t);
  assert.equal(readSnapshot(path), null);
  writeFileSync(path, 'garbage');
  const notices = new Notices();
  const workers = new Workers();
  const file = new SnapshotFile(path, workers.known, notices.notify);
  assert.match((await notices.next('snapshot-refused')).cause.message, /not a snapshot/);
  workers.learn(null, ['x.io', 'x.io', ['x'], Date.now()]);
  await file.close();
  assert.match(readFileSync(path, 'utf8'), /^\{"format":"hipache-snapshot-1"/);
});

const routeNow = (host: string): SavedRoute => [host, host, ['x', 'http://10.0.0.1'], Date.now()];

test('who leaves the file to a successor writes it no more', async (t) => {
  const path = fileIn(t);
  const notices = new Notices();
  const [before, after] = [new Workers(), new Workers()];
  const old = new SnapshotFile(path, before.known, notices.notify);
  before.learn('one', routeNow('a.io'));
  await old.save();
  const successor = new SnapshotFile(path, after.known, notices.notify);
  await old.leave();
  after.learn('one', routeNow('b.io'));
  await successor.close();
  before.learn('one', routeNow('c.io'));
  await old.close();
  const saved = readSnapshot(path)?.routes.map(([host]) => host);
  assert.deepEqual(saved, ['a.io', 'b.io']);
});

function savedAs(frontend: string, key = frontend): SavedRoute {
  return [frontend, key, ['x', 'http://10.0.0.1'], Date.now()];
}

test('hosts that clients make up under a wildcard push no other site out of what is known', () => {
  const workers = new Workers(10);
  workers.learn('run', savedAs('own.io'), savedAs('a.other.io', '*.other.io'));
  for (let i = 0; i < 100; i++) workers.learn('run', savedAs(`made-up-${i}.wild.io`, '*.wild.io'));
  assert.equal(workers.known.size, 10);
  assert.equal(workers.known.find('own.io', Date.now()).length, 1);
  assert.equal(workers.known.find('a.other.io', Date.now()).length, 1);
  assert.equal(workers.known.find('made-up-99.wild.io', Date.now()).length, 1);
});

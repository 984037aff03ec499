import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { RouteEntry } from '../../lib/store/route-table.ts';
import { RoutesFile } from '../../lib/store/file/routes-file.ts';
import { RoutesImage } from '../../lib/store/file/routes-image.ts';
import { Notices } from '../support/notices.ts';

const ONE: readonly RouteEntry[] = [['x.io', ['x', 'http://10.0.0.1']]];
const TWO: readonly RouteEntry[] = [
  ['x.io', ['x', 'http://10.0.0.1']],
  ['*.y.io', ['y', 'http://10.0.0.2', 'http://10.0.0.3']],
];

test('a file is read at once and says how many frontends it holds', async (t) => {
  const { path, open } = folder(t);
  writeFileSync(path, text(TWO));
  const { routes, notices } = await open();
  assert.deepEqual(routes(), TWO);
  assert.deepEqual(notices.all, [{ type: 'routes-loaded', file: path, frontends: 2 }]);
});

test('a file changed in place is followed', async (t) => {
  const { path, open } = folder(t);
  writeFileSync(path, text(ONE));
  const { routes, changes, notices } = await open();
  writeFileSync(path, text(TWO));
  await notices.next('routes-loaded');
  assert.deepEqual(routes(), TWO);
  assert.deepEqual(changes, [TWO]);
});

test('a file replaced by another, as editors do, is followed, and again', async (t) => {
  const { path, open } = folder(t);
  writeFileSync(path, text(ONE));
  const { routes, notices } = await open();
  for (const next of [TWO, ONE, TWO]) {
    writeFileSync(`${path}.new`, text(next));
    renameSync(`${path}.new`, path);
    await notices.next('routes-loaded');
    assert.deepEqual(routes(), next);
  }
});

test('a link swapped beside the file, as Kubernetes does, is followed', async (t) => {
  const { dir, path, open } = folder(t);
  const version = (name: string, entries: readonly RouteEntry[]) => {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'routes.json'), text(entries));
    symlinkSync(name, join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  version('..1', ONE);
  symlinkSync('..data/routes.json', path);
  const { routes, notices } = await open();
  version('..2', TWO);
  await notices.next('routes-loaded');
  assert.deepEqual(routes(), TWO);
});

test('a change that makes no event in the folder is found by looking', async (t) => {
  const { dir, path, open } = folder(t);
  const elsewhere = join(dir, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'routes.json'), text(ONE));
  symlinkSync(join(elsewhere, 'routes.json'), path);
  const { routes, notices } = await open(50);
  writeFileSync(join(elsewhere, 'routes.json'), text(TWO));
  await notices.next('routes-loaded');
  assert.deepEqual(routes(), TWO);
});

test('a broken file is reported once and the last good routes stay, until it is mended', async (t) => {
  const { path, open } = folder(t);
  writeFileSync(path, text(ONE));
  const { routes, notices, changes } = await open(50);
  writeFileSync(path, '{"x.io": ["x",\n  "http://10.0.0.2"');
  const refused = await notices.next('routes-refused');
  assert.match(refused.fault, /is not JSON: expected "," or "\]" in line 2, column 20/);
  assert.deepEqual(routes(), ONE);
  // Touched, not mended: nothing new to say.
  writeFileSync(path, '{"x.io": ["x",\n  "http://10.0.0.2"');
  writeFileSync(`${path}.other`, '');
  writeFileSync(path, '{"x.io": "http://10.0.0.2"}');
  assert.match((await notices.next('routes-refused')).fault, /"x\.io" must be a list/);
  assert.equal(notices.types.filter((type) => type === 'routes-refused').length, 2);
  assert.equal(changes.length, 0);
  writeFileSync(path, text(TWO));
  await notices.next('routes-loaded');
  assert.deepEqual(routes(), TWO);
});

test('a file mended to what it was is said to be well again, and changes nothing', async (t) => {
  const { path, open } = folder(t);
  writeFileSync(path, text(ONE));
  const { notices, changes } = await open(50);
  writeFileSync(path, '{');
  await notices.next('routes-refused');
  writeFileSync(path, text(ONE));
  await notices.next('routes-loaded');
  assert.equal(changes.length, 0);
});

test('a file that is still being written is waited for', async (t) => {
  const { path, open } = folder(t);
  writeFileSync(path, text(ONE));
  const { routes, notices } = await open();
  const whole = text(TWO);
  writeFileSync(path, whole.slice(0, 30));
  await new Promise((resolve) => setTimeout(resolve, 60));
  writeFileSync(path, whole);
  await notices.next('routes-loaded');
  assert.deepEqual(routes(), TWO);
  assert.deepEqual(notices.types, ['routes-loaded', 'routes-loaded']);
});

test('a file that goes leaves its routes; one that comes back is followed', async (t) => {
  const { path, open } = folder(t);
  writeFileSync(path, text(ONE));
  const { routes, notices } = await open(50);
  unlinkSync(path);
  assert.match((await notices.next('routes-refused')).fault, /does not exist/);
  assert.deepEqual(routes(), ONE);
  writeFileSync(path, text(TWO));
  await notices.next('routes-loaded');
  assert.deepEqual(routes(), TWO);
});

test('a missing file is a fault at the start, as are a folder and broken text', async (t) => {
  const { dir, path, open } = folder(t);
  await assert.rejects(open(), { message: `routes file ${path}: does not exist` });
  await assert.rejects(new RoutesFile(dir, { notify: () => {}, onChange: () => {} }).open(), /is not a file/);
  writeFileSync(path, '{"a.io": [], "b.io": ["b", 7], "c.io": "x", "a.io": ["a"]}');
  await assert.rejects(open(), (error: Error) => {
    assert.match(error.message, /"b\.io" must have only strings; element 1 is 7/);
    assert.match(error.message, /"c\.io" must be a list/);
    assert.match(error.message, /"a\.io" appears twice, again in line 1, column 45/);
    return true;
  });
});

test('a closed file tells nothing any more', async (t) => {
  const { path, open } = folder(t);
  writeFileSync(path, text(ONE));
  const { file, changes, notices } = await open(20);
  writeFileSync(path, text(TWO));
  await file.close();
  writeFileSync(path, '{');
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(changes.length, 0);
  assert.equal(notices.all.length, 1);
});

function text(routes: readonly RouteEntry[]): string {
  return JSON.stringify(Object.fromEntries(routes), null, 2);
}

/** A folder for one test, and a way to open its routes file and to wait for what comes of it. */
function folder(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'hipache-routes-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'routes.json');
  const open = async (pollMs?: number) => {
    const changes: (readonly RouteEntry[])[] = [];
    const notices = new Notices();
    const file = new RoutesFile(path, {
      ...(pollMs === undefined ? {} : { pollMs }),
      notify: notices.notify,
      onChange: (image) => changes.push(read(image)),
    });
    t.after(() => file.close());
    const first = read(await file.open());
    await notices.next('routes-loaded');
    return { file, notices, changes, routes: () => changes.at(-1) ?? first };
  };
  return { dir, path, open };
}

/** What an image says of the frontends of these tests. */
function read(image: Uint8Array): readonly RouteEntry[] {
  const lists = new RoutesImage(image);
  return TWO.flatMap(([key]) => {
    const list = lists.get(key);
    return list === undefined ? [] : [[key, list]];
  });
}

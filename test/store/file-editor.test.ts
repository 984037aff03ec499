import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileEditor } from '../../lib/store/editor/file-editor.ts';
import { makeFolder } from '../support/configurations.ts';
import { all, bookContract, LIST } from './book-contract.ts';

/** A routes file in a folder of its own. */
function routesFile(text = '{}\n'): string {
  const path = join(makeFolder(), 'routes.json');
  writeFileSync(path, text);
  return path;
}

function open(path: string, timeoutMs = 5000): FileEditor {
  return new FileEditor(path, timeoutMs);
}

bookContract('file', async () => {
  const path = routesFile();
  return { editor: open(path), other: open(path) };
});

const ROUTES = `{
  "z.io": ["z", "http://10.0.0.1"],
  "a.io": ["a", "http://10.0.0.2", "http://10.0.0.3"],
  "*": ["rest", "http://10.0.0.4"]
}
`;

test('the order and the layout stay: an edit is a line', async () => {
  const path = routesFile(ROUTES);
  const editor = open(path);
  await editor.change('a.io', (list) => list.slice(0, 2));
  assert.equal(readFileSync(path, 'utf8'), ROUTES.replace(', "http://10.0.0.3"', ''));
  await editor.replace('new.io', ['n', 'http://10.0.0.5']);
  assert.match(readFileSync(path, 'utf8'), /"http:\/\/10.0.0.4"\],\n  "new.io": \["n", "http:\/\/10.0.0.5"\]\n\}\n$/);
  await editor.remove('new.io');
  await editor.remove('z.io');
  assert.equal(readFileSync(path, 'utf8'), ROUTES.replace(', "http://10.0.0.3"', '').replace(/ {2}"z.*\n/, ''));
});

test('pages are in the order of keys', async () => {
  const entries = await all(open(routesFile(ROUTES)), 2);
  assert.deepEqual(
    entries.map(({ key }) => key),
    ['*', 'a.io', 'z.io'],
  );
});

test('mode and owner stay, a link stays a link, and nothing is left behind', async () => {
  const path = routesFile(ROUTES);
  const folder = join(path, '..', 'links');
  mkdirSync(folder);
  const link = join(folder, 'routes.json');
  symlinkSync('../routes.json', link);
  chmodSync(path, 0o640);
  const before = statSync(path);
  await open(link).replace('new.io', LIST);
  assert.ok(lstatSync(link).isSymbolicLink());
  const now = statSync(path);
  assert.deepEqual([now.mode, now.uid, now.gid], [before.mode, before.uid, before.gid]);
  assert.match(readFileSync(path, 'utf8'), /new\.io/);
  assert.deepEqual(readdirSync(join(path, '..')).toSorted(), ['links', 'routes.json']);
  assert.deepEqual(readdirSync(folder), ['routes.json']);
});

test('a file that is broken is neither read nor overwritten', async () => {
  for (const text of ['{"a.io": ', '[]', '{"a.io": "b"}', '{"a.io": ["b"], "a.io": ["c"]}']) {
    const path = routesFile(text);
    const editor = open(path);
    await assert.rejects(editor.page({ cursor: null, limit: 10, match: '' }), { code: 'broken-file' });
    await assert.rejects(editor.replace('b.io', LIST), { code: 'broken-file' });
    await assert.rejects(editor.remove('a.io'), { code: 'broken-file' });
    assert.equal(readFileSync(path, 'utf8'), text);
    assert.deepEqual(readdirSync(join(path, '..')), ['routes.json']);
  }
});

test('a file that is not there is not made', async () => {
  const path = join(makeFolder(), 'none.json');
  const refusal = { code: 'store-refused', message: `routes file ${path}: does not exist` };
  await assert.rejects(open(path).replace('b.io', LIST), refusal);
  await assert.rejects(open(path).look(['b.io'], 'b.io'), refusal);
});

test('a lock of a process that lives is waited for, within the limit, and named', async () => {
  const path = routesFile(ROUTES);
  const lock = { pid: process.pid, host: hostname(), since: '2026-11-21T00:00:00.000Z', token: 'abc' };
  writeFileSync(`${path}.lock`, JSON.stringify(lock));
  await assert.rejects(open(path, 100).replace('b.io', LIST), {
    code: 'busy',
    message: new RegExp(`process ${process.pid} on .* remove ${path}.lock`),
  });
  assert.deepEqual(readdirSync(join(path, '..')).toSorted(), ['routes.json', 'routes.json.lock']);
});

test('a lock of a process that died is broken, by one of many at a time', async () => {
  const path = routesFile(ROUTES);
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const lock = { pid: child.pid, host: hostname(), since: '2026-11-21T00:00:00.000Z', token: 'abc' };
  writeFileSync(`${path}.lock`, JSON.stringify(lock));
  const hosts = Array.from({ length: 8 }, (_, i) => `h${i}.io`);
  await Promise.all(hosts.map((host) => open(path).replace(host, LIST)));
  const keys = new Set((await all(open(path), 100)).map(({ key }) => key));
  for (const host of hosts) assert.ok(keys.has(host));
  assert.deepEqual(readdirSync(join(path, '..')), ['routes.json']);
});

test('a lock of another machine, or of nobody, is left alone', async () => {
  for (const text of [JSON.stringify({ pid: 1, host: 'elsewhere', since: 'x', token: 'abc' }), '', 'text']) {
    const path = routesFile(ROUTES);
    writeFileSync(`${path}.lock`, text);
    await assert.rejects(open(path, 60).replace('b.io', LIST), { code: 'busy' });
    assert.equal(readFileSync(path, 'utf8'), ROUTES);
  }
});

test('what a router reads while the file is edited is the one or the other, whole', async () => {
  const path = routesFile(ROUTES);
  const editor = open(path);
  const done = new AbortController();
  const reading = (async () => {
    while (!done.signal.aborted) {
      JSON.parse(readFileSync(path, 'utf8'));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let i = 0; i < 200; i++) await editor.replace('b.io', ['b', `http://10.0.1.${i}`]);
  done.abort();
  await reading;
});

test('a folder that may not be written to is told of as such', { skip: process.getuid?.() === 0 }, async () => {
  const path = routesFile(ROUTES);
  chmodSync(join(path, '..'), 0o500);
  await assert.rejects(open(path).replace('b.io', LIST), {
    code: 'store-refused',
    message: /cannot be written: EACCES/,
  });
  chmodSync(join(path, '..'), 0o700);
});

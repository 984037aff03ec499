import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filePath } from '../../lib/core/http/file-path.ts';

/** A path as clients send it, and the file below the folder; with a slash at its end where a folder is meant. */
const PATHS: readonly (readonly [string, string | null])[] = [
  ['', ''],
  ['/', '/'],
  ['/a.css', 'a.css'],
  ['/a/b.css', 'a/b.css'],
  ['/a/', 'a/'],
  ['/%61.css', 'a.css'],
  ['/a%20b', 'a b'],
  ['/%C3%A4', 'ä'],
  ['/a..b', 'a..b'],
  ['/a.', 'a.'],
  ['/%252e%252e/x', '%2e%2e/x'],
  ['/a%3Fb', 'a?b'],
  // Out of the folder, in every spelling.
  ['/..', null],
  ['/../a', null],
  ['/a/../b', null],
  ['/a/..', null],
  ['/a/../', null],
  ['/%2e%2e/a', null],
  ['/.%2E/a', null],
  ['/..%2fa', null],
  ['/a%2f..%2f..%2fb', null],
  ['/a%2Fb', null],
  ['/..%5ca', null],
  ['/..\\a', null],
  ['/a%5cb', null],
  ['/a\\b', null],
  ['a', null],
  ['*', null],
  // Hidden.
  ['/.git/config', null],
  ['/.htaccess', null],
  ['/a/.env', null],
  ['/%2eenv', null],
  ['/.', null],
  ['/./a', null],
  ['/...', null],
  // More than one path for one file.
  ['//', null],
  ['//a', null],
  ['/a//b', null],
  ['/a//', null],
  // What cannot be read.
  ['/a%00', null],
  ['/%00/a', null],
  ['/%', null],
  ['/%2', null],
  ['/%zz', null],
  ['/%ff', null],
  ['/%c0%ae%c0%ae/a', null],
  ['/%c0%af', null],
  ['/%u002e', null],
];

for (const [path, name] of PATHS) {
  test(`${JSON.stringify(path)} is ${name === null ? 'no file' : JSON.stringify(name)}`, () => {
    const found = filePath(path);
    if (name === null) assert.equal(found, null);
    else assert.deepEqual(found, { name: name.replace(/\/$/, ''), isFolder: name.endsWith('/') });
  });
}

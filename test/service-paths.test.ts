/** Paths in the documents are ones that the shipped unit shows to the router. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const unit = new Map(
  readFileSync(join(root, 'hipache.service'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, key, value] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, value] as const];
    }),
);
const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
const documents = ['README.md', ...inDocs.map((name) => join('docs', name))].filter((name) => name.endsWith('.md'));

/** Every path below these folders, with the document that it is in. */
function pathsBelow(folders: string): readonly string[] {
  return documents.flatMap((name) => {
    const text = readFileSync(join(root, name), 'utf8');
    return [...text.matchAll(new RegExp(`(?<![\\w.-])(?:${folders})/[\\w.-]+`, 'g'))].map(
      ([path]) => `${name}: ${path}`,
    );
  });
}

test('no example has a path that PrivateTmp hides', () => {
  assert.equal(unit.get('PrivateTmp'), 'yes');
  assert.deepEqual(pathsBelow('/tmp|/var/tmp'), []);
});

test('of /dev, examples name what PrivateDevices leaves', () => {
  assert.equal(unit.get('PrivateDevices'), 'yes');
  const left = /: \/dev\/(?:null|log|stdout|stderr|fd)$/;
  assert.deepEqual(
    pathsBelow('/dev').filter((path) => !left.test(path)),
    [],
  );
});

test('no example writes where ProtectHome and ProtectSystem let only read', () => {
  assert.deepEqual([unit.get('ProtectHome'), unit.get('ProtectSystem')], ['read-only', 'full']);
  assert.deepEqual(pathsBelow('/home|/root|/run/user'), []);
  assert.deepEqual(
    pathsBelow('/usr|/boot').filter((path) => !/\/usr\/(?:bin|lib)$/.test(path)),
    [],
  );
});

test('each folder of its own that an example names is made by the unit', () => {
  for (const [folder, key] of [
    ['/run', 'RuntimeDirectory'],
    ['/var/log', 'LogsDirectory'],
    ['/var/lib', 'StateDirectory'],
  ] as const) {
    assert.ok(
      pathsBelow(folder).some((path) => path.endsWith(`${folder}/hipache`)),
      folder,
    );
    assert.equal(unit.get(key), 'hipache');
  }
});

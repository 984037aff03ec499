import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { version } from '../../lib/core/version.ts';

test('the program says the version that its package has', () => {
  const path = new URL('../../../package.json', import.meta.url);
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string };
  assert.equal(version, manifest.version);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateKeys, mayBeServerName } from '../../lib/core/routing/server-name.ts';

test('a name is looked up as it is, then by the wildcard for its first label', () => {
  assert.deepEqual(certificateKeys('a.b.io'), ['a.b.io', '*.b.io']);
  assert.deepEqual(certificateKeys('A.B.io.'), ['a.b.io', '*.b.io']);
  assert.deepEqual(certificateKeys('localhost'), ['localhost']);
});

test('what cannot be a host is not looked up', () => {
  for (const name of [
    '',
    '*',
    '*.io',
    '../x',
    'a/b',
    'a b',
    'a:443',
    '[::1]',
    'ä',
    'a\0b',
    'x'.repeat(256),
    'a\r\nb',
  ]) {
    assert.deepEqual(certificateKeys(name), [], JSON.stringify(name));
  }
});

test('a key that no name asks for is known as one', () => {
  for (const key of ['a.io', '*.a.io', '*.io']) assert.ok(mayBeServerName(key), key);
  for (const key of ['*', 'A.io', '*a.io', '*.*.io', 'a.io:443', '']) assert.ok(!mayBeServerName(key), key);
});

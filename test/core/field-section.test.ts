import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinField } from '../../lib/core/http/field-section.ts';

test('one line for each name: equal singletons once, cookies with a semicolon, the rest with a comma', () => {
  const section = Object.create(null) as Record<string, string>;
  for (const [name, value] of [
    ['range', 'a'],
    ['range', 'a'],
    ['referer', 'a'],
    ['referer', 'b'],
    ['cookie', 'a'],
    ['cookie', 'a'],
    ['x-a', '1'],
    ['x-a', '1'],
  ] as const)
    joinField(section, name, value);
  assert.deepEqual({ ...section }, { range: 'a', referer: 'a, b', cookie: 'a; a', 'x-a': '1, 1' });
});

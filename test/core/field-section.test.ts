import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addField, emptySection, joinField } from '../../lib/core/http/field-section.ts';

function sectionOf(takesTwo: boolean, ...lines: readonly (readonly [string, string])[]): object {
  const section = emptySection();
  for (const [name, value] of lines) addField(section, name, value, takesTwo);
  return { ...section };
}

test('of a singleton, equal values are one, and others stay apart or only the first is kept', () => {
  const lines = [
    ['etag', 'a'],
    ['etag', 'a'],
    ['etag', 'b'],
    ['etag', 'b'],
    ['etag', 'a'],
  ] as const;
  assert.deepEqual(sectionOf(true, ...lines), { etag: ['a', 'b'] });
  assert.deepEqual(sectionOf(false, ...lines), { etag: 'a' });
});

test('lines of other fields stay as many as they are, also where they are equal', () => {
  const lines = [
    ['set-cookie', 'a'],
    ['set-cookie', 'a'],
    ['set-cookie', 'b'],
  ] as const;
  for (const takesTwo of [true, false]) {
    assert.deepEqual(sectionOf(takesTwo, ...lines), { 'set-cookie': ['a', 'a', 'b'] });
    assert.deepEqual(sectionOf(takesTwo, ['content-language', 'a'], ['content-language', 'b']), {
      'content-language': 'a, b',
    });
    assert.deepEqual(sectionOf(takesTwo, ['constructor', 'a']), { constructor: 'a' });
  }
});

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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonError, parseJson } from '../../lib/config/json.ts';

test('JSON is read as JSON.parse reads it', () => {
  for (const text of ['{}', '[1, -2.5e3, true, null]', '"\\u00e9\\n"', ' {"a": [{"b": {}}]} \r\n']) {
    assert.deepEqual(parseJson(text), JSON.parse(text));
  }
});

test('comments and a comma before an end are ignored, and text keeps what looks like them', () => {
  for (const [text, value] of [
    ['// first\n{} // last', {}],
    ['/* a */ [1, /* b\n */ 2 /**/ , // c\r\n ]', [1, 2]],
    ['{"a": [], /* b */ "c": {"d": 1,},}', { a: [], c: { d: 1 } }],
    ['{"a": "// no, }", "b": "/* no */ ,]",}', { a: '// no, }', b: '/* no */ ,]' }],
    ['{"__proto__": 1,}', JSON.parse('{"__proto__": 1}')],
    ['1/**//**/', 1],
  ] as const) {
    assert.deepEqual(parseJson(text), value, text);
  }
});

test('commas and comments without end take no time', () => {
  assert.deepEqual(parseJson(`[${'/**/ '.repeat(100_000)}]`), []);
  assert.throws(() => parseJson(`[${'/* '.repeat(100_000)}`), {
    message: 'line 1, column 2: this comment does not end',
  });
});

test('a byte order mark is forgiven, and does not shift columns', () => {
  assert.deepEqual(parseJson('\uFEFF{}'), {});
  assert.throws(() => parseJson('\uFEFF{x}'), { message: 'line 1, column 2: expected a key in double quotes' });
});

const COMMA = '(is there a comma too many?)';
const UNENDED = 'this text does not end, or holds a line break or a stray "\\"';

const BROKEN: readonly (readonly [string, string])[] = [
  ['', 'line 1, column 1: expected a value, but the file ends (text goes in double quotes)'],
  ['\n\n  ', 'line 3, column 3: expected a value, but the file ends (text goes in double quotes)'],
  ['{', 'line 1, column 2: expected a key in double quotes, but the file ends'],
  ['{"a"', 'line 1, column 5: expected ":" after the key, but the file ends'],
  ['{"a" 1}', 'line 1, column 6: expected ":" after the key'],
  ['{"a": }', `line 1, column 7: expected a value before "}" ${COMMA}`],
  ['{"a": 1', 'line 1, column 8: expected "," or "}", but the file ends'],
  ['{"a": 1\n "b": 2}', 'line 2, column 2: expected "," or "}"'],
  ['{"a": 1,,\n}', `line 1, column 9: expected a key before "," ${COMMA}`],
  ['{,}', `line 1, column 2: expected a key before "," ${COMMA}`],
  ['{"a": [1,\n,2]}', `line 2, column 1: expected a value before "," ${COMMA}`],
  ['{"a": [1,\n2,}', `line 2, column 3: expected a value before "}" ${COMMA}`],
  ['[1 2]', 'line 1, column 4: expected "," or "]"'],
  ['[1}', 'line 1, column 3: expected "," or "]"'],
  ['{"a": 1]', 'line 1, column 8: expected "," or "}"'],
  ['{a: 1}', 'line 1, column 2: expected a key in double quotes'],
  ["{'a': 1}", 'line 1, column 2: expected a key in double quotes'],
  ['{"a": yes}', 'line 1, column 7: expected a value (text goes in double quotes)'],
  ['{"a": undefined}', 'line 1, column 7: expected a value (text goes in double quotes)'],
  ['{"a": 01}', 'line 1, column 7: expected a value (text goes in double quotes)'],
  ['{"a": 127.0.0.1}', 'line 1, column 7: expected a value (text goes in double quotes)'],
  ['{"a": "b\n"}', `line 1, column 7: ${UNENDED}`],
  ['{"a": "C:\\x"}', `line 1, column 7: ${UNENDED}`],
  ['{"a', `line 1, column 2: ${UNENDED}`],
  ['{"a": 1} {', 'line 1, column 10: expected nothing after the end of the document'],
  ['{\r\n# workers\r\n}', 'line 2, column 1: expected a key in double quotes'],
  ['{\r"a": 1,\r]', 'line 3, column 1: expected a key in double quotes'],
  ['{ /* workers\n"a": 1 }', 'line 1, column 3: this comment does not end'],
  ['{"a": 1 / 2}', 'line 1, column 9: expected "," or "}"'],
  ['{} // end\n{', 'line 2, column 1: expected nothing after the end of the document'],
];

for (const [text, message] of BROKEN) {
  test(`${JSON.stringify(text)} is refused where it goes wrong`, () => {
    assert.throws(() => parseJson(text), { name: 'JsonError', message });
  });
}

test('the text itself is not repeated, since it may hold a password', () => {
  assert.throws(
    () => parseJson('{"driver": s3cret}'),
    (error) => error instanceof JsonError && !error.message.includes('s3cret'),
  );
});

test('whatever is cut off JSON, the place found is where the rest begins', () => {
  const whole = '{"a": [1.5e3, {"b": null}], "c": "d"}';
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => parseJson(whole.slice(0, length)), JsonError);
  }
});

test('deep nesting is a fault like any other, not an overflow', () => {
  assert.throws(() => parseJson('['.repeat(200_000)), { message: /^line 1, column 200001: expected a value/ });
});

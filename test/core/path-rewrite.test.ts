import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeOptions } from '../../lib/core/options.ts';
import { readPattern } from '../../lib/core/path-pattern.ts';
import { rewritePath } from '../../lib/core/path-rewrite.ts';

const rewriteOf = (fields: Readonly<Record<string, string>>) => {
  const { rewrite } = mergeOptions({ prefix: new Map(Object.entries(fields)) });
  assert.ok(rewrite);
  return rewrite;
};

for (const [fields, target, wanted] of [
  [{ strip: '1' }, '/api/x?y=/z', '/x?y=/z'],
  [{ strip: '1' }, '/api', '/'],
  [{ strip: '1' }, '/api?a', '/?a'],
  [{ strip: '1' }, '/api/', '/'],
  [{ strip: '1' }, '/api//x', '//x'],
  [{ strip: '1' }, '/api/../x', '/../x'],
  [{ strip: '1' }, '*', '*'],
  [{ prepend: '/v2' }, '/api/x', '/v2/api/x'],
  [{ prepend: '/v2/' }, '/api', '/v2/api'],
  [{ strip: '1', prepend: '/v2' }, '/api/x?a', '/v2/x?a'],
  [{ strip: '1', prepend: '/v2' }, '/api', '/v2/'],
  [{ strip: '1', prepend: '/' }, '/api/x', '/x'],
  [{ rewrite: '^/api/users/([0-9]{4})$ /users/$1' }, '/api/users/1234?a=b', '/users/1234?a=b'],
  [{ rewrite: '^/api/users/([0-9]{4})$ /users/$1' }, '/api/users/12345', '/api/users/12345'],
  [{ rewrite: '^/api/(.*)$ /q?path=$1', strip: '1' }, '/api/x?a=b', '/q?path=x&a=b'],
  [{ rewrite: '^/api/(.*)$ /q?path=$1' }, '/api/x', '/q?path=x'],
  [{ rewrite: '(?i)^/API/(a|(b)) /$1$2/$$1/$0' }, '/api/a', '/a/$1//api/a'],
  [{ rewrite: '^/api/(?P<name>[^/]+) /$1' }, '/api/$1$$', '/$1$$'],
] as const) {
  test(`${JSON.stringify(fields)} makes ${target} ${wanted}`, () => {
    assert.equal(rewritePath(rewriteOf(fields), '/api', target), wanted);
  });
}

for (const [source, replacement, fault] of [
  ['(', '/', /missing/],
  ['(?=x)', '/', /./],
  ['(a)\\1', '/', /./],
  ['a', 'b', /begins with "\/"/],
  ['a', 'http://x/', /begins with "\/"/],
  ['a', '/\u0001', /begins with "\/"/],
  ['a', '/$1', /no group/],
  ['(a{1000}){1000}', '/', /./],
  ['(a{30}){30}(b{30}){30}', '/', /too large/],
  ['x'.repeat(501), '/', /500 characters/],
] as const) {
  test(`the pattern ${source.slice(0, 30)} for ${JSON.stringify(replacement)} is refused`, () => {
    const read = readPattern(source, replacement);
    assert.ok(typeof read === 'string');
    assert.match(read, fault);
  });
}

test('no pattern takes long, whatever the path', () => {
  const path = `/${'a'.repeat(16_000)}`;
  for (const source of [
    '(a*)*b',
    '(a+a+)+b',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(a?){99}a{99}b',
    '(.*)(.*)(.*)(.*)(.*)b',
  ]) {
    const pattern = readPattern(source, '/');
    assert.ok(typeof pattern === 'object', source);
    const startedAt = performance.now();
    pattern.apply(path);
    const tookMs = performance.now() - startedAt;
    // A backtracking engine needs years for some of these.
    assert.ok(tookMs < 1000, `${source}: ${tookMs} ms`);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_SITE } from '../../lib/core/routing/site.ts';
import { makeSite } from '../../lib/sites/site.ts';
import { readPattern } from '../../lib/sites/path-pattern.ts';
import { patternSize } from '../../lib/sites/pattern-size.ts';

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
    assert.equal(makeSite({ prefix: new Map(Object.entries(fields)) }).targetFor(target, '/api'), wanted);
  });
}

for (const [source, replacement, fault] of [
  ['(', '/', /missing/],
  ['(?=x)', '/', /./],
  ['(a)\\1', '/', /./],
  ['a', 'b', /begins with "\/"/],
  ['a', 'http://x/', /begins with "\/"/],
  ['a', '/\u0001', /begins with "\/"/],
  ['a', '/$1', /is not a group/],
  ['(a{1000}){1000}', '/', /./],
  ['(a{30}){30}(b{30}){30}', '/', /too large/],
  ['x'.repeat(501), '/', /500 characters/],
  ['x', `/${'x'.repeat(500)}`, /500 characters/],
  ['(x)', `/${'$1'.repeat(17)}`, /16 references/],
] as const) {
  test(`the pattern ${source.slice(0, 30)} for ${JSON.stringify(replacement)} is refused`, () => {
    const read = readPattern(source, replacement);
    assert.ok(typeof read === 'string');
    assert.match(read, fault);
  });
}

test('no match takes more than a millisecond or so, whatever the pattern and the path', () => {
  for (const source of [
    '(a*)*b',
    '(a+a+)+b',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(a?){40}a{40}b',
    '(.*)(.*)(.*)(.*)(.*)b',
    '(\\w{1,20}){1,5}[!?]',
    '(a|b|c|d|e)*f',
    '[a-q][^u-z]{13}x',
  ]) {
    const pattern = readPattern(source, '/');
    assert.ok(typeof pattern === 'object', source);
    const long = [16_000, 8_000, 4_000, 2_000, 1_000, 500, 250, 120]
      .map((length) => `/${'a'.repeat(length - 4)}!bf`)
      .find((path) => !pattern.isTooLong(path));
    assert.ok(long !== undefined, `${source}: paths of 120 bytes are matched`);
    // Time on the processor, and the least of many: other programs have it, too.
    const times = Array.from({ length: 30 }, () => {
      const before = process.cpuUsage();
      pattern.apply(long);
      return process.cpuUsage(before).user / 1000;
    });
    assert.ok(Math.min(...times) < 2, `${source} and ${long.length} bytes: ${times.join(', ')} ms`);
  }
});

test('a pattern that is far too large is refused before it is compiled', () => {
  for (const source of [
    '(\\w{1,31}){1,15}[!?]',
    'x{1000}'.repeat(71),
    '(?i)[^a-z]{1000}'.repeat(31),
    '\\pL{1000}'.repeat(55),
    '((((a{10}){10}){10}))'.repeat(20),
  ]) {
    assert.ok(patternSize(source) > 512, source);
    const before = process.cpuUsage();
    assert.equal(readPattern(source, '/'), 'the pattern is too large: repeat less');
    const tookMs = process.cpuUsage(before).user / 1000;
    assert.ok(tookMs < 10, `${source}: ${tookMs} ms`);
  }
});

test('the size of a pattern is taken from what it repeats, and from nothing that looks like it', () => {
  for (const [source, size] of [
    ['abc', 3],
    ['a{3}b', 4],
    ['(ab){3}', 9],
    ['(a{2}b){1,4}?c{2,}', 21],
    ['\\p{Greek}{2}', 2],
    ['\\x{10FFFF}', 1],
    ['[a{900}]', 1],
    ['[]{900}]', 1],
    ['[[:alpha:]{900}]{2}', 2],
    ['\\{900}', 5],
    ['\\Q{900}\\E', 1],
    ['{900}', 0],
  ] as const) {
    assert.equal(patternSize(source), size, source);
  }
});

test('a path that the pattern cannot match by its first letters is none too long for it', () => {
  for (const [source, path, isTooLong] of [
    ['^/old/(.*)$', '/old/', true],
    ['^/old/(.*)$', '/img/', false],
    ['^/old(.*)$', '/olx', false],
    ['^/old?(.*)$', '/olx', true],
    ['^/a/(.*)|(.*)$', '/b', true],
    ['(?i)^/old/(.*)$', '/OLD/', true],
    ['/old/(.*)$', '/img/', true],
  ] as const) {
    const pattern = readPattern(source, '/$1');
    assert.ok(typeof pattern === 'object', source);
    assert.equal(pattern.isTooLong(path + 'x'.repeat(4_000)), isTooLong, source);
    assert.equal(pattern.isTooLong(`${path}x`), false, source);
  }
});

test('a prefix stands for the folder of a file: entry, whether or not it is stripped for servers', () => {
  for (const site of [
    NO_SITE,
    makeSite({ prefix: new Map([['strip', '0']]) }),
    makeSite({ prefix: new Map([['strip', '1']]) }),
  ]) {
    assert.equal(site.pathInFolder('/assets/a.css?v=1', '/assets'), '/a.css');
    assert.equal(site.pathInFolder('/assets/', '/assets'), '/');
    assert.equal(site.pathInFolder('/assets?v=1', '/assets'), '');
    assert.equal(site.pathInFolder('/assets/a.css', ''), '/assets/a.css');
  }
});

test('what is prepended is looked for below the folder', () => {
  const site = makeSite({ prefix: new Map([['prepend', '/v2']]) });
  assert.equal(site.pathInFolder('/assets/a.css', '/assets'), '/v2/a.css');
  assert.equal(site.pathInFolder('/assets', '/assets'), '/v2');
});

test('the replacement of a pattern is the path in the folder, and where it does not match the prefix is left out', () => {
  const fields = { rewrite: '^/docs/v([0-9]+)/(.*)$ /$1/$2', prepend: '/no' };
  const site = makeSite({ prefix: new Map(Object.entries(fields)) });
  assert.equal(site.pathInFolder('/docs/v2/a.html?x', '/docs'), '/2/a.html');
  assert.equal(site.pathInFolder('/docs/a.html', '/docs'), '/a.html');
});

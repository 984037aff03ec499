import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { type MapBack, mapCookie, mapLocation } from '../../lib/sites/map-back.ts';
import { readPattern } from '../../lib/sites/path-pattern.ts';
import type { PathRewrite } from '../../lib/sites/path-rewrite.ts';

function by(rewrite: Partial<PathRewrite>, more: Partial<MapBack> = {}): MapBack {
  const parsed = parseBackend('http://10.0.0.1:8080', 0);
  assert.ok('backend' in parsed);
  const { backend } = parsed;
  const whole = { strip: false, prepend: '', pattern: null, ...rewrite };
  return {
    rewrite: whole,
    prefix: '/api',
    backend,
    backendPath: '',
    scheme: 'https',
    authority: 'Www.x.io:8443',
    ...more,
  };
}

const MOVED = { strip: true, prepend: '/v2' };

for (const [value, wanted] of [
  ['/v2/login?a=/v2/b#c', '/api/login?a=/v2/b#c'],
  ['/v2', '/api'],
  ['/v2?a', '/api?a'],
  ['/v2x', '/v2x'],
  ['/other', '/other'],
  ['login', 'login'],
  ['', ''],
  ['http://10.0.0.1:8080/v2/a', 'https://Www.x.io:8443/api/a'],
  ['http://10.0.0.1:8080', 'https://Www.x.io:8443/'],
  ['HTTP://WWW.X.IO:8443/v2/a', 'https://Www.x.io:8443/api/a'],
  ['//10.0.0.1:8080/v2/a', 'https://Www.x.io:8443/api/a'],
  ['http://10.0.0.1:8081/v2/a', 'http://10.0.0.1:8081/v2/a'],
  ['https://elsewhere.io/v2/a', 'https://elsewhere.io/v2/a'],
] as const) {
  test(`Location ${value} is ${wanted} for clients`, () => {
    assert.equal(mapLocation(value, by(MOVED)), wanted);
  });
}

test('what was stripped is put back, and what was not is left', () => {
  assert.equal(mapLocation('/a', by({ strip: true })), '/api/a');
  assert.equal(mapLocation('/', by({ strip: true })), '/api/');
  assert.equal(mapLocation('/v2/api/a', by({ prepend: '/v2' })), '/api/a');
  assert.equal(mapLocation('/api/a', by({})), '/api/a');
  assert.equal(mapLocation('/app/v2/a', by(MOVED, { backendPath: '/app' })), '/api/a');
});

test('a pattern is not undone, an address is', () => {
  const pattern = readPattern('^/api/(.*)', '/$1');
  assert.ok(typeof pattern === 'object');
  const rewritten = by({ pattern });
  assert.equal(mapLocation('/a', rewritten), '/a');
  assert.equal(mapLocation('http://10.0.0.1:8080/a', rewritten), 'https://Www.x.io:8443/a');
});

for (const [value, wanted] of [
  ['a=b; Path=/v2; Secure', 'a=b; Path=/api; Secure'],
  ['a=b;path=/v2/x', 'a=b;path=/api/x'],
  ['a=/v2; HttpOnly', 'a=/v2; HttpOnly'],
  ['a=b; Path=/', 'a=b; Path=/'],
] as const) {
  test(`the cookie ${value} is ${wanted} for clients`, () => {
    assert.equal(mapCookie(value, by(MOVED)), wanted);
  });
}

test('a cookie for all of a backend is for all of its prefix', () => {
  assert.equal(mapCookie('a=b; Path=/', by({ strip: true })), 'a=b; Path=/api');
});

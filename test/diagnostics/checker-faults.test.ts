import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedisAdvice } from '../../lib/store/editor/redis-advice.ts';
import { faultsBesideChecker, faultsOfChecker } from '../../lib/diagnostics/checker-faults.ts';

const NOW = 1_800_000_000_000;
const URLS = { backendPath: false, legacyScheme: false };

/** Codes and advice for a list. */
function told(key: string, entries: readonly string[], backendPath = false): readonly string[] {
  const holds = ['site', ...entries];
  const held = { key, type: 'list', holds, length: holds.length, secondsLeft: null };
  const advice = new RedisAdvice('', { ...URLS, backendPath });
  return faultsBesideChecker(key, held, advice).map((fault) => `${fault.code} | ${fault.advice}`);
}

for (const entry of [
  'http://10.0.0.1:80',
  'http://10.0.0.1',
  'https://backend.x.io:443',
  'http://[2001:db8::1]:80',
  'http://Backend.x.io:80',
]) {
  test(`hipache-hchecker can check ${entry}`, () => {
    assert.deepEqual(told('www.x.io', [entry, 'http://10.0.0.9:80']), []);
  });
}

for (const [entry, mended] of [
  ['http://10.0.0.1:80/', 'http://10.0.0.1:80'],
  ['http://10.0.0.1:80/app', 'http://10.0.0.1:80'],
  ['http://10.0.0.1:80?a', 'http://10.0.0.1:80'],
  ['http://u:pw@10.0.0.1:80', 'http://10.0.0.1:80'],
  ['HTTP://10.0.0.1:80', 'http://10.0.0.1:80'],
  [' http://10.0.0.1:80', 'http://10.0.0.1:80'],
  ['http://[2001:db8::1]:80/', 'http://[2001:db8::1]:80'],
] as const) {
  test(`hipache-hchecker does not find ${JSON.stringify(entry)}, and would find ${mended}`, () => {
    const expected = [`checker-blind | LSET frontend:www.x.io 1 ${mended}`];
    assert.deepEqual(told('www.x.io', [entry, 'http://10.0.0.9:80']), expected);
    assert.deepEqual(told('www.x.io', [mended, 'http://10.0.0.9:80']), []);
  });
}

test('a path that counts, and a socket, are not to be written otherwise', () => {
  assert.deepEqual(told('www.x.io', ['http://10.0.0.1:80/app', 'http://10.0.0.9:80'], true), ['checker-blind | ']);
  assert.deepEqual(told('www.x.io', ['http://[unix:/run/a.sock]', 'h2c://[unix:/run/b.sock]']), ['checker-blind | ']);
});

test('what speaks HTTP/2 only is kept dead by it', () => {
  assert.deepEqual(told('www.x.io', ['h2c://10.0.0.1:80', 'h2://x.io', 'h2c://10.0.0.2:80/']), [
    'checker-deadly | ',
    'checker-blind | LSET frontend:www.x.io 3 h2c://10.0.0.2:80',
  ]);
});

test('a list under a wildcard is none that it finds', () => {
  for (const key of ['*', '*.x.io', '*.x.io/api']) {
    assert.deepEqual(told(key, ['http://10.0.0.1:80', 'http://10.0.0.2:80']), ['checker-blind | ']);
  }
});

test('a sole backend, and what the router answers itself, are not for it to check', () => {
  assert.deepEqual(told('www.x.io', ['h2c://10.0.0.1:80/']), []);
  assert.deepEqual(told('www.x.io', ['file:///srv/www/', 'redirect://y.io/ 301', 'no URL']), []);
});

test('keys with a prefix are not read by it, which is said while it is alive', () => {
  assert.deepEqual(codesOfPing(0, 'site:'), ['checker-blind']);
  assert.deepEqual(codesOfPing(31, 'site:'), []);
  assert.deepEqual(codesOfPing(0, ''), []);
});

function codesOfPing(ageSeconds: number, prefix: string): readonly string[] {
  const sign = { type: 'string', ping: String(NOW / 1000 - ageSeconds) };
  return faultsOfChecker(sign, prefix, NOW).map(({ code }) => code);
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildRoute, originOf, pathAt, serverOf } from '../../lib/core/routing/backend.ts';
import { LegacyScheme } from '../../lib/core/routing/legacy-scheme.ts';

const routeTo = (...urls: readonly string[]) =>
  buildRoute('x.io', 'x.io', ['x', ...urls], { dead: new Set([1]), deadByRouters: new Set() }, () => {});

test('https is http at port 80, or at the port that is written, and keeps its name', () => {
  const scheme = new LegacyScheme();
  const urls = ['https://a.io', 'HTTPS://a.io:443/', 'https://[::1]:8443', 'http://a.io'];
  const given = routeTo(...urls);
  const route = scheme.apply(given);
  assert.deepEqual(route.backends.map(serverOf), ['http:a.io:80', 'http:a.io:443', 'http:::1:8443', 'http:a.io:80']);
  assert.deepEqual(route.backends.map(originOf), given.backends.map(originOf));
  assert.deepEqual({ ...route, backends: 0 }, { ...given, backends: 0 });
  assert.equal(scheme.apply(given), route);
});

test('a route without https is itself', () => {
  const route = routeTo('http://a.io', 'http://[unix:/a.sock]');
  assert.equal(new LegacyScheme().apply(route), route);
});

test('a path is put before the client’s, with one slash between', () => {
  for (const [url, requested, path] of [
    ['http://a.io', '/x?y', '/x?y'],
    ['http://a.io/', '/x?y', '/x?y'],
    ['http://a.io/app', '/x?y', '/app/x?y'],
    ['http://a.io/app/', '/', '/app/'],
    ['http://a.io//app//', '//x', '/app//x'],
    ['http://a.io/a b/?q#f', '/../x', '/a%20b/../x'],
    ['http://[unix:/a.sock]/app/', '/x', '/app/x'],
    ['http://a.io/app', '*', '*'],
  ] as const) {
    const [backend] = routeTo(url).backends;
    assert.ok(backend);
    assert.equal(pathAt(backend, requested), path);
  }
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { packageConfigFolder, packagePagesFolder, packageRoot } from '../../lib/config/package.ts';
import { version } from '../../lib/core/version.ts';
import { asRoot, machine } from '../support/configurations.ts';

const shipped = (name: string, on = machine) => loadConfig(join(packageConfigFolder, name), { machine: on });

test('the package is found from compiled code', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  assert.ok(typeof manifest === 'object' && manifest !== null && 'name' in manifest && 'version' in manifest);
  assert.equal(manifest.name, '@hipache/router');
  assert.equal(version, manifest.version);
});

test('the default configuration needs no Redis, no root and no log folder', () => {
  const { listeners, driver, server } = shipped('config.json');
  assert.deepEqual(listeners, [{ address: '127.0.0.1', port: 8080, proxyProtocol: 'off', http2: false, tls: null }]);
  assert.equal(driver.read, `file:${join(packageConfigFolder, 'routes.json')}`);
  assert.equal(server.accessLog, '-');
});

test('the configuration for Redis is one for production', () => {
  const { listeners, driver, server, runAs } = shipped('config_redis.json', asRoot);
  assert.deepEqual(listeners, [{ address: '0.0.0.0', port: 80, proxyProtocol: 'off', http2: false, tls: null }]);
  assert.equal(driver.read, 'redis://127.0.0.1:6379');
  assert.equal(server.accessLog, '/var/log/hipache/access.log');
  assert.deepEqual(runAs, { user: 'www-data', group: 'www-data', uid: 33, gid: 33 });
});

test('the configuration for tests takes any free port and logs nothing', () => {
  const { listeners, driver, server } = shipped('config_test.json');
  assert.deepEqual(listeners, [{ address: '127.0.0.1', port: 0, proxyProtocol: 'off', http2: false, tls: null }]);
  assert.match(driver.read, /^file:/);
  assert.equal(server.accessLog, null);
});

test('the routes that come along hold an identifier and usable backends', () => {
  const routes: unknown = JSON.parse(readFileSync(join(packageConfigFolder, 'routes.json'), 'utf8'));
  assert.ok(typeof routes === 'object' && routes !== null);
  for (const [, ...backends] of Object.values(routes)) {
    for (const backend of backends) assert.ok('backend' in parseBackend(String(backend), 0));
  }
});

const PAGES = ['400', '502', '503', '504', 'default'].map((status) => `error_${status}.html`);

test('there is a page for each status the router answers with, and one for the rest', () => {
  assert.deepEqual(readdirSync(packagePagesFolder).toSorted(), PAGES);
});

for (const name of PAGES) {
  const page = () => readFileSync(join(packagePagesFolder, name), 'utf8');

  test(`${name} is small and needs nothing else`, () => {
    assert.ok(Buffer.byteLength(page()) < 2048);
    assert.doesNotMatch(page(), /<(?:script|link|img|iframe)|url\(|https?:|@import/i);
  });

  test(`${name} can be read on a phone, by day and by night, and by a screen reader`, () => {
    assert.match(page(), /<html lang="en">/);
    assert.match(page(), /<meta name="viewport" content="width=device-width, initial-scale=1"/);
    assert.match(page(), /prefers-color-scheme: dark/);
    assert.match(page(), /<title>[^<]+<\/title>/);
    assert.match(page(), /<main>/);
  });

  test(`${name} speaks to visitors and owners, and of nothing inside`, () => {
    assert.match(page(), /What you can do/);
    assert.match(page(), /If this is your site/);
    assert.doesNotMatch(page(), /hipache|redis|node|backend|frontend|worker|upstream|proxy/i);
  });
}

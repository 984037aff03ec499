import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { asRoot, load, makeFolder, read } from '../support/configurations.ts';

test('what is shown has the shape of a configuration file, every default written out', () => {
  const { document } = read({});
  const sections = [
    'server',
    'http',
    'https',
    'driver',
    'driverTls',
    'cache',
    'options',
    'admin',
    'metrics',
    'otel',
    'user',
    'group',
  ];
  assert.deepEqual(Object.keys(document), sections);
  assert.deepEqual(document['http'], {
    port: 80,
    proxyProtocol: 'off',
    http2: false,
    bind: [{ address: '127.0.0.1', port: 80, proxyProtocol: 'off', http2: false }],
  });
  assert.equal(document['driver'], 'redis:');
});

test('the secret of sticky cookies is not shown, and must be long', () => {
  const stickySecret = 'this-is-a-secret-of-40-visible-characters';
  const { document, config } = read({ server: { stickySecret } });
  assert.equal(config.server.stickySecret, stickySecret);
  assert.equal((document['server'] as Record<string, unknown>)['stickySecret'], '***');
  assert.throws(() => read({ server: { stickySecret: 'short' } }), /server\.stickySecret.*at least 32/s);
});

/** Configurations without secrets, of every shape. */
const OPEN: readonly unknown[] = [
  {},
  { server: { workers: 2, accessLog: null, staticDir: 'pages', lruCache: { size: 9, ttl: 9 }, tcpTimeout: 3 } },
  { server: { accessLog: '-', timeouts: { body: 0 }, memory: { limitMB: 0 }, trustedProxies: [] } },
  { http: { port: 0, bind: ['::1', { address: '127.0.0.1', port: 81, proxyProtocol: 'required' }] } },
  { http: { http2: true, bind: ['::1', { address: '127.0.0.1', http2: false }] } },
  { driver: ['redis://a', 'rediss://b/3#p'] },
  { driver: ['redis+unix:///run/r.sock', 'rediss+sentinel://a,b:1/m'], driverTls: { ca: '' } },
  { driver: 'redis+cluster://a,b:7001' },
  { driver: 'file:routes.json' },
  { cache: { mode: 'push', max: 5, maxStale: 0 } },
  { cache: { snapshot: 'last-known' } },
  { admin: {}, metrics: { topN: 7 } },
  { admin: '/run/a.sock' },
  { admin: { bind: ['::1', '/run/a.sock'], port: 99 } },
  { otel: { endpoint: 'http://collector', sample: 1, service: 'edge' } },
  { user: 'ann' },
  { user: 1001, group: 'staff' },
  { user: 'root' },
  { server: { port: 81, address: '::1' }, redisHost: 'h' },
  { server: { checks: false, trial: false } },
];

for (const content of OPEN) {
  test(`what is shown of ${JSON.stringify(content)} is a configuration with the same meaning`, () => {
    for (const on of [undefined, asRoot]) {
      const { config, document } = read(content, on);
      assert.deepEqual(load(JSON.parse(JSON.stringify(document)), on), config);
    }
  });
}

test('passwords in driver URLs are blotted out, of both', () => {
  const { document } = read({ driver: ['redis://:s3cret@a/1', 'redis://ann:s3:c@ret@b#p'] });
  assert.deepEqual(document['driver'], ['redis://:***@a/1', 'redis://ann:***@b#p']);
});

test('so are the fields for a collector', () => {
  const { document } = read({ otel: { headers: { 'api-key': 's3cret' } } });
  assert.match(JSON.stringify(document['otel']), /"headers":\{"api-key":"\*\*\*"\}/);
});

test('so are those that came from old keys', () => {
  assert.doesNotMatch(JSON.stringify(read({ redisHost: 'h', redisPassword: 's3cret' }).document), /s3cret/);
});

describe('with certificates', { skip: noOpenssl }, () => {
  let open: Pair;
  let locked: Pair;
  before(() => {
    const folder = makeFolder();
    open = makePair(folder, 'open.example');
    locked = makePair(folder, 'locked.example', 'open sesame');
  });

  test('files are named, and what is shown is a configuration with the same meaning', () => {
    const https = { bind: ['::1', { address: '127.0.0.1', port: 8443 }], ca: open.certFile };
    const { config, document } = read({ https: { ...https, key: open.keyFile, cert: open.certFile } });
    assert.ok(JSON.stringify(document).includes(open.keyFile));
    assert.deepEqual(load(JSON.parse(JSON.stringify(document))), config);
  });

  test('keys, certificates and passphrases are never shown', () => {
    const own = { address: '127.0.0.1', key: locked.keyFile, cert: locked.certFile, passphrase: 'open sesame' };
    const https = { bind: ['::1', own], key: open.keyFile, cert: open.certFile, passphrase: 'n0t used' };
    const shown = JSON.stringify(read({ https }).document);
    assert.doesNotMatch(shown, /BEGIN|sesame|n0t used/);
    assert.equal(shown.match(/"passphrase":"\*\*\*"/g)?.length, 3);
    // A line from the middle of each: the PEM armour alone would prove little.
    for (const secret of [open.key, open.cert, locked.key]) assert.ok(!shown.includes(String(secret.split('\n')[1])));
  });
});

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { readConfig } from '../../lib/config/load.ts';
import { parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { makePair, noOpenssl, type Pair } from '../support/certificates.ts';
import { faultsOf, load, machine, makeFolder, read, write } from '../support/configurations.ts';

/** Where the program listens: `127.0.0.1:80`, `tls ::1:443`. */
function placesOf(content: unknown): readonly string[] {
  return load(content).listeners.map(({ address, port, tls }) => `${tls ? 'tls ' : ''}${address}:${port}`);
}

const driverOf = (keys: Record<string, unknown>) => load(keys).driver.read;

/** The configuration that Hipache 0.2 and 0.3 came with. */
const SHIPPED = {
  server: {
    accessLog: '/var/log/hipache.log',
    port: 80,
    workers: 10,
    maxSockets: 100,
    deadBackendTTL: 30,
    tcpTimeout: 30,
    retryOnError: 3,
    deadBackendOn500: true,
    httpKeepAlive: false,
  },
  redisHost: '127.0.0.1',
  redisPort: 6379,
};

/** The one its tests ran with. */
const TESTED = {
  server: {
    debug: true,
    accessLog: '/tmp/proxy2_test_access.log',
    port: 1080,
    workers: 2,
    maxSockets: 100,
    deadBackendTTL: 30,
    tcpTimeout: 5,
    retryOnError: 0,
    deadBackendOn500: true,
    httpKeepAlive: false,
    lruCache: { size: 5, ttl: 5 },
    staticDir: null,
  },
  redis: { port: 6379, host: '10.0.0.9' },
};

test('the configuration that Hipache 0.2 came with works as it stands, with a line for each old key', () => {
  const { config, deprecations } = read(SHIPPED);
  assert.equal(config.server.workers, 10);
  assert.equal(config.server.httpKeepAlive, false);
  assert.deepEqual(config.listeners, [
    { address: '127.0.0.1', port: 80, proxyProtocol: 'off', http2: false, tls: null },
  ]);
  assert.deepEqual(config.driver, { read: 'redis://127.0.0.1:6379', write: 'redis://127.0.0.1:6379' });
  assert.deepEqual(deprecations, [
    'server.port: deprecated; use http.port; without http.bind it is local only',
    'redisHost: deprecated; use driver',
    'redisPort: deprecated; use driver',
  ]);
});

test('so does the one its tests ran with', () => {
  const { config, deprecations } = read(TESTED);
  assert.deepEqual(config.server.lruCache, { size: 5, ttl: 5 });
  assert.equal(config.server.debug, true);
  assert.equal(config.server.timeouts.firstByte, 5);
  assert.equal(config.driver.read, 'redis://10.0.0.9:6379');
  assert.deepEqual(deprecations.slice(1), ['redis: deprecated; use driver']);
});

test('the example in the README of Hipache 0.4 brings no deprecation', () => {
  const server = { accessLog: '/var/log/hipache_access.log', workers: 5, maxSockets: 100, deadBackendTTL: 30 };
  const http = { port: 80, bind: ['127.0.0.1', '::1'] };
  const { config, deprecations } = read({ server, http, driver: 'redis://:password@127.0.0.1:6379/0' });
  assert.deepEqual(deprecations, []);
  assert.equal(config.listeners.length, 2);
});

test('server.port and server.address become http', () => {
  assert.deepEqual(placesOf({ server: { port: '81' } }), ['127.0.0.1:81']);
  assert.deepEqual(placesOf({ server: { address: '0.0.0.0' } }), ['0.0.0.0:80']);
  assert.deepEqual(placesOf({ server: { port: 81, address: ['10.0.0.1'], address6: ['::1'] } }), [
    '10.0.0.1:81',
    '::1:81',
  ]);
  assert.deepEqual(placesOf({ server: { address6: '::1' } }), ['::1:80']);
});

test('a new key holds against the old one', () => {
  assert.deepEqual(placesOf({ server: { port: 81, address: '10.0.0.1' }, http: { port: 82, bind: '::1' } }), [
    '::1:82',
  ]);
  assert.deepEqual(placesOf({ server: { port: 81 }, http: { bind: ['::1'] } }), ['::1:81']);
  assert.equal(load({ server: { errorMaxRetries: 7, retryOnError: 5 } }).server.retryOnError, 5);
});

test('old keys that were left empty are as good as left out', () => {
  const server = { port: null, address: '', address6: [], https: null };
  assert.deepEqual(placesOf({ server, redisPassword: '', redisHost: null }), ['127.0.0.1:80']);
});

test('the very old server.errorMaxRetries becomes retryOnError', () => {
  const { config, deprecations } = read({ server: { errorMaxRetries: 7 } });
  assert.equal(config.server.retryOnError, 7);
  assert.deepEqual(deprecations, ['server.errorMaxRetries: deprecated; use server.retryOnError']);
});

test('a bad value at an old key is a fault at the new one', () => {
  assert.deepEqual(faultsOf({ server: { port: 'x' } }), ['http.port: must be a port, 0 to 65535 (0 is any free port)']);
  assert.deepEqual(faultsOf({ redisHost: 'h', redisPort: 0 }), ['driver: has port 0; ports go from 1 to 65535']);
});

test('redisHost and its like become one driver URL', () => {
  assert.equal(driverOf({ redisHost: 'h' }), 'redis://h');
  assert.equal(driverOf({ redisPort: '6380' }), 'redis://:6380');
  assert.equal(driverOf({ redisHost: '::1', redisPort: 6380, redisDatabase: 2 }), 'redis://[::1]:6380/2');
  assert.equal(driverOf({ redisDatabase: 0 }), 'redis:///0');
});

test('any password survives the way into the driver URL', () => {
  for (const password of ['simple', 'a:b@c/d#e?f', '100%', '%23', 'ü €']) {
    const parsed = parseDriverUrl(load({ redisHost: 'h', redisPassword: password }).driver.read);
    assert.equal(parsed.scheme === 'redis' && parsed.redis.password, password);
  }
});

test('redisMasterHost and its like become the URL that is written', () => {
  const { config, deprecations } = read({
    redisHost: 'slave',
    redisMasterHost: 'master',
    redisMasterPort: 6380,
    redisMasterPassword: 'pw',
    redisMasterDatabase: 3,
  });
  assert.deepEqual(config.driver, { read: 'redis://slave', write: 'redis://:pw@master:6380/3' });
  assert.deepEqual(
    deprecations,
    ['Host', 'MasterHost', 'MasterPort', 'MasterPassword', 'MasterDatabase'].map(
      (part) => `redis${part}: deprecated; use driver`,
    ),
  );
});

test('old Redis keys beside a driver are ignored, and that is said', () => {
  const { config, deprecations } = read({ redisHost: 'old', driver: 'redis://new' });
  assert.equal(config.driver.read, 'redis://new');
  assert.deepEqual(deprecations, ['redisHost: deprecated; ignored, because driver is given']);
});

test('no deprecation repeats a value, since it may be a password', () => {
  const { deprecations } = read({ redisPassword: 's3cret', redisMasterHost: 'm', redisMasterPassword: 's3cret' });
  assert.equal(deprecations.length, 3);
  assert.doesNotMatch(deprecations.join(), /s3cret/);
});

test('keys that mean nothing any more are ignored, each with a line', () => {
  const https = { secureProtocol: 'SSLv23_method', secureOptions: 50_331_648, honorCipherOrder: true };
  const { deprecations } = read({ server: { uniqueIdHeader: null }, https });
  assert.deepEqual(deprecations, [
    'server.uniqueIdHeader: deprecated; ignored; see server.requestId',
    'https.secureProtocol: deprecated; ignored, see https.minVersion',
    'https.secureOptions: deprecated; ignored, see https.minVersion',
    'https.honorCipherOrder: deprecated; ignored, because it is always on',
  ]);
});

test('deprecations are told even when the configuration is refused, since its faults name the new keys', () => {
  const told: string[] = [];
  const path = write({ server: { port: 'x', address: '::1' } });
  assert.throws(() => readConfig(path, { machine, onDeprecation: (line) => told.push(line) }));
  assert.deepEqual(told, [
    'server.address: deprecated; use http.bind and https.bind',
    'server.port: deprecated; use http.port',
  ]);
});

describe('with a certificate', { skip: noOpenssl }, () => {
  let pair: Pair;
  before(() => {
    pair = makePair(makeFolder(), 'legacy.example');
  });

  test('server.https becomes https, at the addresses of plain HTTP', () => {
    const https = { port: 8443, key: pair.keyFile, cert: pair.certFile };
    assert.deepEqual(placesOf({ server: { https } }), ['127.0.0.1:80', 'tls 127.0.0.1:8443']);
    assert.deepEqual(placesOf({ server: { https, address: ['10.0.0.1'], address6: ['::1'] } }), [
      '10.0.0.1:80',
      '::1:80',
      'tls 10.0.0.1:8443',
      'tls ::1:8443',
    ]);
    assert.deepEqual(placesOf({ server: { https }, http: { bind: [{ address: '::1', port: 81 }] } }), [
      '::1:81',
      'tls ::1:8443',
    ]);
    assert.deepEqual(read({ server: { https } }).deprecations, ['server.https: deprecated; use https']);
  });

  test('server.address stands for https too, unless that has its own', () => {
    const https = { key: pair.keyFile, cert: pair.certFile };
    const server = { address: '10.0.0.1' };
    assert.deepEqual(placesOf({ server, https }), ['10.0.0.1:80', 'tls 10.0.0.1:443']);
    assert.deepEqual(placesOf({ server, https: { ...https, bind: '::1' } }), ['10.0.0.1:80', 'tls ::1:443']);
    assert.deepEqual(placesOf({ server, https: { ...https, bind: [] } }), ['10.0.0.1:80']);
  });

  test('old switches of one listener are ignored as well', () => {
    const bind = [{ address: '::1', secureProtocol: 'SSLv23_method' }];
    const { deprecations } = read({ https: { bind, key: pair.keyFile, cert: pair.certFile } });
    assert.deepEqual(deprecations, ['https.bind.secureProtocol: deprecated; ignored, see https.minVersion']);
  });
});

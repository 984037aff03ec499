import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../lib/config/config.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { load, machine, makeFolder, write } from '../support/configurations.ts';

const EMPTY: Config = {
  server: {
    workers: 3,
    accessLog: '/var/log/hipache/access.log',
    accessLogFormat: 'hipache',
    maxSockets: 100,
    deadBackendTTL: 30,
    retryOnError: 3,
    retryBudget: 0.2,
    deadBackendOn500: true,
    httpKeepAlive: true,
    fastLane: true,
    sharedReads: true,
    staticDir: null,
    staticRoots: [],
    bufferFolder: null,
    log: 'auto',
    debug: false,
    lruCache: null,
    storeTimeout: 1,
    memory: { limitMB: 409, ceilingMB: 819, interval: 60 },
    drain: { delay: 0, requests: 30, tunnels: 3600 },
    workerTimeout: 10,
    pidFile: null,
    timeouts: { header: 10, body: 30, connect: 5, firstByte: 30, response: 60, idle: 60, tunnel: 3600 },
    limits: {
      headerBytes: 16_384,
      bodyBytes: 0,
      connections: 0,
      connectionsPerClient: null,
      paused: 1000,
      queued: 1000,
      bodyMinRate: 240,
      readMinRate: 240,
      bufferMemoryBytes: 16_777_216,
      bufferFileBytes: 1_073_741_824,
    },
    trustedProxies: ['private'],
    forwarded: 'standard',
    requestId: 'backend',
    backendPath: false,
    legacyScheme: false,
    stickySecret: null,
    trial: true,
    checks: true,
    overloadLag: 0.1,
    zone: null,
  },
  listeners: [{ address: '127.0.0.1', port: 80, proxyProtocol: 'off', http2: false, tls: null }],
  driver: { read: 'redis:', write: 'redis:' },
  options: {},
  driverTls: { ca: [], cert: null, key: null, passphrase: null },
  backendTls: { verify: true, ca: [] },
  cache: { mode: 'request', max: 100_000, maxAge: 300, maxStale: 3600, snapshot: null, preload: true },
  admin: null,
  metrics: { topN: 500, backends: 0 },
  otel: null,
  runAs: null,
};

test('an empty object is a whole configuration: local port 80, local Redis, a worker for each processor', () => {
  assert.deepEqual(load({}), EMPTY);
});

test('null at any key is as good as leaving it out, save for accessLog', () => {
  const nothing = { server: null, http: null, https: null, driver: null, otel: null, user: null, group: null };
  assert.deepEqual(load(nothing), EMPTY);
  const server = Object.fromEntries(Object.keys(EMPTY.server).map((key) => [key, null]));
  assert.deepEqual(load({ server }).server, { ...EMPTY.server, accessLog: null });
});

/** What an operator writes under `server`, and what the program then sees. */
const GIVEN: readonly (readonly [Record<string, unknown>, Partial<Config['server']>])[] = [
  [{ workers: 7 }, { workers: 7, memory: { limitMB: 200, ceilingMB: 351, interval: 60 } }],
  [{ workers: '7' }, { workers: 7, memory: { limitMB: 200, ceilingMB: 351, interval: 60 } }],
  [{ accessLog: '-' }, { accessLog: '-' }],
  [{ accessLog: '/tmp/a.log' }, { accessLog: '/tmp/a.log' }],
  [{ accessLog: 'logs/a.log' }, { accessLog: resolve('logs/a.log') }],
  [{ accessLog: 'syslog' }, { accessLog: 'syslog:/dev/log' }],
  [{ accessLog: 'syslog:/run/log' }, { accessLog: 'syslog:/run/log' }],
  [{ accessLog: 'syslog:run/log' }, { accessLog: `syslog:${resolve('run/log')}` }],
  [{ accessLog: null }, { accessLog: null }],
  [{ accessLog: '' }, { accessLog: null }],
  [{ accessLog: 'none' }, { accessLog: null }],
  [{ maxSockets: 1 }, { maxSockets: 1 }],
  [{ deadBackendTTL: 60 }, { deadBackendTTL: 60 }],
  [{ retryOnError: 0 }, { retryOnError: 0 }],
  [{ retryBudget: 1 }, { retryBudget: 1 }],
  [{ deadBackendOn500: false }, { deadBackendOn500: false }],
  [{ httpKeepAlive: false }, { httpKeepAlive: false }],
  [{ fastLane: false }, { fastLane: false }],
  [{ staticDir: 'pages' }, { staticDir: resolve('pages') }],
  [{ staticDir: '' }, { staticDir: null }],
  [{ staticRoots: '/srv/app' }, { staticRoots: ['/srv/app'] }],
  [{ staticRoots: ['/srv/', '/var//www'] }, { staticRoots: ['/srv', '/var/www'] }],
  [{ staticRoots: '' }, { staticRoots: [] }],
  [{ debug: true }, { debug: true }],
  [{ lruCache: { size: 5, ttl: 0.5 } }, { lruCache: { size: 5, ttl: 0.5 } }],
  [{ lruCache: { size: 0, ttl: 5 } }, { lruCache: null }],
  [{ lruCache: { size: 5, ttl: 0 } }, { lruCache: null }],
  [{ lruCache: false }, { lruCache: null }],
  [{ storeTimeout: 0.25 }, { storeTimeout: 0.25 }],
  [{ memory: { limitMB: 0 } }, { memory: { limitMB: 0, ceilingMB: 0, interval: 60 } }],
  [{ memory: { interval: 5, ceilingMB: 0 } }, { memory: { limitMB: 409, ceilingMB: 0, interval: 5 } }],
  [{ drain: { requests: 0, tunnels: 10 } }, { drain: { delay: 0, requests: 0, tunnels: 10 } }],
  [{ drain: { delay: 2 } }, { drain: { delay: 2, requests: 30, tunnels: 3600 } }],
  [
    { workerTimeout: 0, pidFile: '/run/x.pid' },
    { workerTimeout: 0, pidFile: '/run/x.pid' },
  ],
  [
    { limits: { headerBytes: 8192, bodyBytes: 1, bodyMinRate: 0, readMinRate: 0 } },
    {
      limits: {
        headerBytes: 8192,
        bodyBytes: 1,
        connections: 0,
        connectionsPerClient: null,
        paused: 1000,
        queued: 1000,
        bodyMinRate: 0,
        readMinRate: 0,
        bufferMemoryBytes: 16_777_216,
        bufferFileBytes: 1_073_741_824,
      },
    },
  ],
  [{ trustedProxies: [] }, { trustedProxies: [] }],
  [{ trustedProxies: '10.1.2.3' }, { trustedProxies: ['10.1.2.3'] }],
  [
    { trustedProxies: ['private', '192.0.2.1', '192.0.2.0/24', '2001:db8::/32', '::1'] },
    { trustedProxies: ['private', '192.0.2.1', '192.0.2.0/24', '2001:db8::/32', '::1'] },
  ],
  [{ forwarded: 'hipache' }, { forwarded: 'hipache' }],
  [{ requestId: 'both' }, { requestId: 'both' }],
  [{ requestId: 'off' }, { requestId: 'off' }],
  [{ backendPath: true }, { backendPath: true }],
  [{ legacyScheme: true }, { legacyScheme: true }],
];

for (const [given, seen] of GIVEN) {
  test(`server ${JSON.stringify(given)} changes that and nothing else`, () => {
    assert.deepEqual(load({ server: given }).server, { ...EMPTY.server, ...seen });
  });
}

const PHASES = EMPTY.server.timeouts;

/** `server.tcpTimeout`, the limits given beside it, and what becomes of the phases. */
const LIMITS: readonly (readonly [number, Partial<typeof PHASES>, Partial<typeof PHASES>])[] = [
  [10, {}, { body: 10, firstByte: 10, response: 10 }],
  [2, {}, { body: 2, firstByte: 2, response: 2, connect: 2 }],
  [0, {}, { body: 0, firstByte: 0, response: 0 }],
  [2, { connect: 9, body: 8 }, { body: 8, firstByte: 2, response: 2, connect: 9 }],
  [90, { response: 0 }, { body: 90, firstByte: 90, response: 0 }],
];

for (const [tcpTimeout, timeouts, seen] of LIMITS) {
  test(`tcpTimeout ${tcpTimeout} stands for the phases that ${JSON.stringify(timeouts)} leaves open`, () => {
    assert.deepEqual(load({ server: { tcpTimeout, timeouts } }).server.timeouts, { ...PHASES, ...seen });
  });
}

test('each phase has its own limit, 0 for none', () => {
  const timeouts = { header: 1, body: 2, connect: 3, firstByte: 4, response: 5, idle: 6, tunnel: 0 };
  assert.deepEqual(load({ server: { timeouts } }).server.timeouts, timeouts);
});

test('without an endpoint no part is taken in traces, whatever else is said of them', () => {
  for (const endpoint of [undefined, null, '']) assert.equal(load({ otel: { endpoint, sample: 1 } }).otel, null);
  const endpoint = 'http://127.0.0.1:4318/v1/traces';
  const byDefault = { endpoint, sample: 0.01, trustIncoming: true, service: null, headers: {}, timeoutMs: 10_000 };
  assert.deepEqual(load({ otel: { endpoint } }).otel, byDefault);
  const headers = { 'api-key': 's3cret' };
  assert.deepEqual(
    load({ otel: { endpoint, sample: 0, trustIncoming: false, service: 'edge', headers, timeout: 0.5 } }).otel,
    { endpoint, sample: 0, trustIncoming: false, service: 'edge', headers, timeoutMs: 500 },
  );
});

const endpointOf = (endpoint: string): string | undefined => load({ otel: { endpoint } }).otel?.endpoint;

test('a collector without a path is asked where collectors take spans', () => {
  assert.equal(endpointOf('http://collector:4318'), 'http://collector:4318/v1/traces');
  assert.equal(endpointOf('https://collector/'), 'https://collector/v1/traces');
  assert.equal(endpointOf('https://collector/own?a=b'), 'https://collector/own?a=b');
});

test('one driver URL is read and written', () => {
  assert.deepEqual(load({ driver: 'redis://:p@h/1' }).driver, { read: 'redis://:p@h/1', write: 'redis://:p@h/1' });
  assert.deepEqual(load({ driver: ['redis://h'] }).driver, { read: 'redis://h', write: 'redis://h' });
});

test('of two driver URLs the first is read and the last written', () => {
  assert.deepEqual(load({ driver: ['redis://slave:1', 'rediss://master'] }).driver, {
    read: 'redis://slave:1',
    write: 'rediss://master',
  });
});

test('a routes file starts from the folder of the configuration, not from the working directory', () => {
  const folder = makeFolder();
  const url = `file:${join(folder, 'sub/routes.json')}`;
  for (const driver of ['file:sub/routes.json', `file://${folder}/sub/routes.json`, ['file:./sub/routes.json']]) {
    assert.deepEqual(loadConfig(write({ driver }, folder), { machine }).driver, { read: url, write: url });
  }
});

test('a byte order mark before the configuration is forgiven', () => {
  assert.equal(load('\uFEFF{"server": {"workers": 9}}').server.workers, 9);
});

test('a configuration cannot be changed once loaded, however deep', () => {
  const config = load({ server: { lruCache: { size: 1, ttl: 1 } } });
  const isDeeplyFrozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen));
  assert.ok(isDeeplyFrozen(config));
});

test('under systemd known routes are kept in its StateDirectory, unless another file is named', () => {
  const unit = readFileSync(join(packageRoot, 'hipache.service'), 'utf8');
  assert.match(unit, /^StateDirectory=hipache$/m);
  const underSystemd = { ...machine, stateFolder: '/var/lib/hipache' };
  assert.equal(load({}, underSystemd).cache.snapshot, '/var/lib/hipache/known-routes');
  assert.equal(load({ cache: { snapshot: '/srv/known' } }, underSystemd).cache.snapshot, '/srv/known');
  assert.equal(load({ cache: { maxStale: 0 } }, underSystemd).cache.snapshot, null);
});

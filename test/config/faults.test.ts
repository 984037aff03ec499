import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../../lib/config/faults.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { faultsOf, makeFolder, write } from '../support/configurations.ts';

const WHOLE = 'must be a whole number of at least';
const SECONDS = (least: number): string => `must be a number of seconds from ${least} to 2147483`;
const PORT = 'must be a port, 0 to 65535 (0 is any free port)';
const ADDRESS = 'must be an IP address, such as "127.0.0.1" or "::1"';
const PLACE = 'must be an IP address or an object, { "address": …, "port": … }';
const OBJECT = 'must be an object, { … }';
const TRUSTED = 'must be "private", an IP address or a range such as "10.0.0.0/8"';
const COLLECTOR = 'must be the URL of a collector, such as "http://127.0.0.1:4318/v1/traces"';
const FIELDS = 'must be an object of header fields, { "name": "value" }';
const FLAG = 'must be true or false';

/** A configuration with one fault, and the line about it. */
const FAULTS: readonly (readonly [unknown, string])[] = [
  [{ server: 5 }, `server: ${OBJECT}`],
  [{ server: [] }, `server: ${OBJECT}`],
  [{ server: { workers: 0 } }, `server.workers: ${WHOLE} 1`],
  [{ server: { workers: 1.5 } }, `server.workers: ${WHOLE} 1`],
  [{ server: { workers: 'many' } }, `server.workers: ${WHOLE} 1`],
  [{ server: { workers: -1 } }, `server.workers: ${WHOLE} 1`],
  [{ server: { accessLog: 5 } }, 'server.accessLog: must be text'],
  [{ server: { accessLog: 'syslog:' } }, 'server.accessLog: must name a socket after "syslog:", or be "syslog"'],
  [
    { server: { accessLogFormat: 'common' } },
    'server.accessLogFormat: must be "hipache", "combined", "json" or a text with {fields}',
  ],
  [{ server: { maxSockets: 0 } }, `server.maxSockets: ${WHOLE} 1`],
  [{ server: { maxSockets: '5' } }, `server.maxSockets: ${WHOLE} 1`],
  [{ server: { deadBackendTTL: 0 } }, `server.deadBackendTTL: ${WHOLE} 1`],
  [{ server: { deadBackendTTL: 1.5 } }, `server.deadBackendTTL: ${WHOLE} 1`],
  [{ server: { tcpTimeout: -1 } }, `server.tcpTimeout: ${SECONDS(0)}`],
  [{ server: { retryOnError: -1 } }, `server.retryOnError: ${WHOLE} 0`],
  [{ server: { retryBudget: 1.1 } }, 'server.retryBudget: must be a number from 0 to 1'],
  [{ server: { deadBackendOn500: 'yes' } }, `server.deadBackendOn500: ${FLAG}`],
  [{ server: { httpKeepAlive: 1 } }, `server.httpKeepAlive: ${FLAG}`],
  [{ server: { fastLane: 'yes' } }, `server.fastLane: ${FLAG}`],
  [{ server: { log: 'pretty' } }, 'server.log: must be "auto" or "json" or "text"'],
  [{ server: { debug: 'true' } }, `server.debug: ${FLAG}`],
  [{ server: { staticDir: 1 } }, 'server.staticDir: must be text'],
  [{ server: { staticRoots: ['/srv', 'public'] } }, 'server.staticRoots[1]: must be the absolute path of a folder'],
  [{ cache: { mode: 'pull' } }, 'cache.mode: must be "request" or "push"'],
  [{ cache: { max: 0 } }, `cache.max: ${WHOLE} 1`],
  [{ cache: { maxStale: 0, snapshot: 'x' } }, 'cache.snapshot: has no effect when cache.maxStale is 0'],
  [
    { cache: { mode: 'push' }, server: { lruCache: { size: 1, ttl: 1 } } },
    'server.lruCache: has no use with cache.mode "push", which is never late; leave it out',
  ],
  [{ otel: { endpoint: 5 } }, `otel.endpoint: ${COLLECTOR}`],
  [{ otel: { endpoint: 'collector:4318' } }, `otel.endpoint: ${COLLECTOR}`],
  [{ otel: { endpoint: 'grpc://collector:4317' } }, `otel.endpoint: ${COLLECTOR}`],
  [
    { otel: { endpoint: 'http://ann:s3cret@collector/' } },
    'otel.endpoint: must not contain a password; use otel.headers instead',
  ],
  [{ otel: { sample: 1.1 } }, 'otel.sample: must be a number from 0 to 1'],
  [{ otel: { timeout: 0 } }, `otel.timeout: ${SECONDS(0.1)}`],
  [{ otel: { headers: ['a'] } }, `otel.headers: ${FIELDS}`],
  [{ otel: { headers: { a: 1 } } }, `otel.headers: ${FIELDS}`],
  [{ otel: { headers: { 'a b': 'c' } } }, `otel.headers: ${FIELDS}`],
  [{ otel: { headers: { a: 'b\r\nc: d' } } }, `otel.headers: ${FIELDS}`],
  [{ otel: { headers: { a: 'Ω' } } }, `otel.headers: ${FIELDS}`],
  [{ otel: { endpont: 'x' } }, 'otel.endpont: unknown key; did you mean "endpoint"?'],
  [{ server: { lruCache: true } }, `server.lruCache: ${OBJECT}`],
  [{ server: { lruCache: { size: 5 } } }, 'server.lruCache.ttl: is missing'],
  [{ server: { lruCache: { size: 1.5, ttl: 1 } } }, `server.lruCache.size: ${WHOLE} 0`],
  [{ server: { storeTimeout: 0 } }, `server.storeTimeout: ${SECONDS(0.001)}`],
  [{ server: { memory: { limitMB: -1 } } }, `server.memory.limitMB: ${WHOLE} 0`],
  [{ server: { memory: { interval: 0 } } }, `server.memory.interval: ${SECONDS(1)}`],
  [{ server: { drain: { requests: '30' } } }, `server.drain.requests: ${SECONDS(0)}`],
  [{ server: { drain: { tunnels: -1 } } }, `server.drain.tunnels: ${SECONDS(0)}`],
  [{ server: { timeouts: { idle: 2_147_484 } } }, `server.timeouts.idle: ${SECONDS(0)}`],
  [{ server: { timeouts: { connect: 'soon' } } }, `server.timeouts.connect: ${SECONDS(0)}`],
  [{ server: { limits: { headerBytes: 1023 } } }, `server.limits.headerBytes: ${WHOLE} 1024`],
  [{ server: { limits: { bodyBytes: '1MB' } } }, `server.limits.bodyBytes: ${WHOLE} 0`],
  [{ server: { limits: { bodyMinRate: -1 } } }, `server.limits.bodyMinRate: ${WHOLE} 0`],
  [{ server: { limits: { readMinRate: -1 } } }, `server.limits.readMinRate: ${WHOLE} 0`],
  [{ server: { trustedProxies: ['public'] } }, `server.trustedProxies[0]: ${TRUSTED}`],
  [{ server: { trustedProxies: ['::1', '10.0.0.0/33'] } }, `server.trustedProxies[1]: ${TRUSTED}`],
  [{ server: { trustedProxies: ['10.0.0.0/'] } }, `server.trustedProxies[0]: ${TRUSTED}`],
  [{ server: { trustedProxies: ['::/129'] } }, `server.trustedProxies[0]: ${TRUSTED}`],
  [{ server: { trustedProxies: ['10.0.0.0/8/8'] } }, `server.trustedProxies[0]: ${TRUSTED}`],
  [{ server: { forwarded: 'nginx' } }, 'server.forwarded: must be "standard" or "hipache"'],
  [{ server: { requestId: true } }, 'server.requestId: must be "backend" or "both" or "off"'],
  [{ server: { backendTls: { ca: '/none.pem' } } }, 'server.backendTls.ca: /none.pem does not exist'],
  [
    { server: { backendTls: { verify: false, ca: 'x.pem' } } },
    'server.backendTls.ca: has no effect while server.backendTls.verify is false',
  ],
  [{ http: 'here' }, `http: ${OBJECT}`],
  [{ http: { port: 65_536 } }, `http.port: ${PORT}`],
  [{ http: { port: '80a' } }, `http.port: ${PORT}`],
  [{ http: { port: -1 } }, `http.port: ${PORT}`],
  [{ http: { port: 80.5 } }, `http.port: ${PORT}`],
  [{ http: { bind: 'no such place' } }, `http.bind[0].address: ${ADDRESS}`],
  [{ http: { bind: ['::1', '10.0.0.256'] } }, `http.bind[1].address: ${ADDRESS}`],
  [{ http: { bind: [['::1']] } }, `http.bind[0]: ${PLACE}`],
  [{ http: { bind: 80 } }, `http.bind[0]: ${PLACE}`],
  [{ http: { bind: [{ port: 80 }] } }, 'http.bind[0].address: is missing'],
  [{ http: { bind: [{ address: '::1', port: 'x' }] } }, `http.bind[0].port: ${PORT}`],
  [{ http: { proxyProtocol: 'on' } }, 'http.proxyProtocol: must be "off" or "optional" or "required"'],
  [
    { http: { bind: [{ address: '::1', proxyProtocol: true }] } },
    'http.bind[0].proxyProtocol: must be "off" or "optional" or "required"',
  ],
  [{ http: { bind: [] } }, 'http.bind: has no address, and neither has https.bind: the router would not listen'],
  [{ http: { bind: ['::1', '[::1]'] } }, 'http.bind[1]: uses ::1 port 80, which http.bind[0] uses already'],
  [{ https: { port: 'tls' } }, `https.port: ${PORT}`],
  [{ https: { minVersion: 'SSLv3' } }, 'https.minVersion: must be "TLSv1.2" or "TLSv1.3"'],
  [{ https: { ca: [7] } }, 'https.ca[0]: must be the name of a file'],
  [
    { driver: 'mysql:' },
    'driver: is no driver URL; write redis://:password@host:port/database#prefix or file:PATH ("#" in a password is %23)',
  ],
  [{ driver: 7 }, 'driver: must be text, such as "redis://127.0.0.1:6379"'],
  [{ driver: ['redis:', 'redis://h:0'] }, 'driver[1]: has port 0; ports go from 1 to 65535'],
  [{ driverTls: { ca: 'x.pem' } }, 'driverTls: is only for a driver URL with rediss, and there is none'],
  [
    { driver: 'rediss://h', driverTls: { cert: 'x.pem' } },
    'driverTls.key: is missing; a certificate and its key go together',
  ],
  [
    { driver: 'rediss+cluster://h', driverTls: { key: 'x.pem' } },
    'driverTls.cert: is missing; a certificate and its key go together',
  ],
  [{ driver: 'rediss:', driverTls: { ca: ['/none.pem'] } }, 'driverTls.ca: /none.pem does not exist'],
  [{ driver: [] }, 'driver: must be one URL, or two: [read, write]'],
  [{ driver: ['redis:', 'redis:', 'redis:'] }, 'driver: must be one URL, or two: [read, write]'],
  [{ driver: ['redis:', 'file:r.json'] }, 'driver: must be one URL when it is a file'],
  [{ user: true }, 'user: must be a name or a number'],
  [{ group: -1 }, 'group: must be a name or a number'],
];

for (const [content, fault] of FAULTS) {
  test(`${JSON.stringify(content)} is refused: ${fault.slice(0, fault.indexOf(':'))}`, () => {
    assert.deepEqual(faultsOf(content), [fault]);
  });
}

/** An unknown key and what was meant, or what there is. */
const STRANGERS: readonly (readonly [unknown, string])[] = [
  [{ server: { worker: 5 } }, 'server.worker: unknown key; did you mean "workers"?'],
  [{ server: { WORKERS: 5 } }, 'server.WORKERS: unknown key; did you mean "workers"?'],
  [{ server: { acessLog: '-' } }, 'server.acessLog: unknown key; did you mean "accessLog"?'],
  [{ server: { deadBackendTtl: 5 } }, 'server.deadBackendTtl: unknown key; did you mean "deadBackendTTL"?'],
  [{ server: { memory: { limit: 5 } } }, 'server.memory.limit: unknown key; did you mean "limitMB"?'],
  [{ server: { timeouts: { fristByte: 5 } } }, 'server.timeouts.fristByte: unknown key; did you mean "firstByte"?'],
  [{ server: { drain: { request: 5 } } }, 'server.drain.request: unknown key; did you mean "requests"?'],
  [{ server: { limits: { bodyByte: 5 } } }, 'server.limits.bodyByte: unknown key; did you mean "bodyBytes"?'],
  [{ server: { lruCache: { size: 1, tll: 1, ttl: 1 } } }, 'server.lruCache.tll: unknown key; did you mean "ttl"?'],
  [{ http: { prot: 8080 } }, 'http.prot: unknown key; did you mean "port"?'],
  [
    { http: { bind: [{ adress: '::1', address: '::1' }] } },
    'http.bind[0].adress: unknown key; did you mean "address"?',
  ],
  [{ http: { key: '/k' } }, 'http.key: unknown key; did you mean "https.key"?'],
  [{ https: { certs: '/c' } }, 'https.certs: unknown key; did you mean "cert"?'],
  [{ workers: 5 }, 'workers: unknown key; did you mean "server.workers"?'],
  [{ drivers: 'redis:' }, 'drivers: unknown key; did you mean "driver"?'],
  [
    { x: 1 },
    'x: unknown key; known here are server, http, https, driver, driverTls, cache, options, admin, metrics, otel, user, group',
  ],
  [{ server: { drain: { zebra: 1 } } }, 'server.drain.zebra: unknown key; known here are delay, requests, tunnels'],
];

for (const [content, fault] of STRANGERS) {
  test(`${JSON.stringify(content)} is refused, and the key that was meant is named`, () => {
    assert.deepEqual(faultsOf(content), [fault]);
  });
}

test('every fault is reported at once, wherever it stands', () => {
  const faults = faultsOf({
    server: { workers: 0, maxSockets: -1, worker: 3, memory: { limit: 1 } },
    http: { port: 99_999, bind: ['a b'] },
    https: { bind: '::1', key: '/nowhere/tls.key', cert: '/nowhere/tls.crt' },
    driver: 'nonsense',
    user: {},
    colour: 'red',
  });
  assert.deepEqual(faults.map((fault) => fault.slice(0, fault.indexOf(':'))).toSorted(), [
    'colour',
    'driver',
    'http.bind[0].address',
    'http.port',
    'https.cert',
    'https.key',
    'server.maxSockets',
    'server.memory.limit',
    'server.worker',
    'server.workers',
    'user',
  ]);
});

test('a ConfigError says in its message what it holds in its faults', () => {
  const error = new ConfigError(['a: is wrong', 'b: is wrong too']);
  assert.equal(error.message, 'a: is wrong\nb: is wrong too');
  assert.equal(error.name, 'ConfigError');
});

test('two keys that mean the same place twice are one fault, https against http too', () => {
  const bind = [{ address: '0.0.0.0', port: 8443 }, '127.0.0.1'];
  assert.ok(
    faultsOf({ http: { bind }, https: { port: 8443, bind: '0.0.0.0', key: '/k', cert: '/c' } }).includes(
      'https.bind[0]: uses 0.0.0.0 port 8443, which http.bind[0] uses already',
    ),
  );
});

test('any free port may be wanted twice', () => {
  assert.deepEqual(faultsOf({ http: { port: 0, bind: ['127.0.0.1', '127.0.0.1'] } }), []);
});

test('a file that is not there is named', () => {
  const path = join(makeFolder(), 'none.json');
  assert.throws(() => loadConfig(path), { faults: [`${path}: does not exist`] });
});

test('a folder in place of a file is named', () => {
  const path = makeFolder();
  assert.throws(() => loadConfig(path), { faults: [`${path}: is a folder, not a file`] });
});

test('a file that may not be read is named', { skip: process.getuid?.() === 0 && 'root may read everything' }, () => {
  const path = write({});
  chmodSync(path, 0);
  assert.throws(() => loadConfig(path), { faults: [`${path}: may not be read by this user`] });
});

test('a file that holds no object is refused', () => {
  for (const content of ['[]', '5', 'null', '"redis:"']) {
    const path = write(content);
    assert.throws(() => loadConfig(path), { faults: [`${path}: must be an object, { … }`] });
  }
});

test('a file that is not JSON is refused with line and column', () => {
  const path = write('{\n  "server": {\n    "workers": 5\n    "debug": true\n  }\n}\n');
  assert.throws(() => loadConfig(path), {
    faults: [`${path}: line 4, column 5: expected "," or "}"`],
  });
});

test('a password next to a fault is not printed', () => {
  const faults = faultsOf({
    driver: 'redis://:s3cret@host:x',
    redisPassword: 's3cret',
    https: { passphrase: ['s3cret'] },
  });
  assert.ok(faults.length > 1);
  assert.doesNotMatch(faults.join('\n'), /s3cret/);
});

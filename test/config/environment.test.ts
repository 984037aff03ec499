import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../lib/config/config.ts';
import { variables } from '../../lib/config/environment.ts';
import { ConfigError } from '../../lib/config/faults.ts';
import { objectOf } from '../../lib/config/key-type.ts';
import { readConfig } from '../../lib/config/load.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { KNOWN_KEYS } from '../../lib/config/schema.ts';
import { readStoreSettings } from '../../lib/config/store-settings.ts';
import { machine, write } from '../support/configurations.ts';

type Env = Readonly<Record<string, string>>;

function read(env: Env, file: unknown = {}): { readonly config: Config; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const { config } = readConfig(write(file), { machine, env, onDeprecation: (line) => lines.push(line) });
  return { config, lines };
}

function faultsOf(env: Env, file?: unknown): readonly string[] {
  try {
    read(env, file);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

/** Whether a key is a section without a variable of its own. */
const isSection = (key: string): boolean => KNOWN_KEYS.has(key) && !key.endsWith('.bind') && key !== 'admin';

test('every key but those of objects in lists has a variable of its own', () => {
  const keys = [...KNOWN_KEYS].flatMap(([section, names]) =>
    section.endsWith('.bind') ? [] : names.map((name) => (section === '' ? name : `${section}.${name}`)),
  );
  const named = [...variables().values()].map(({ path }) => path.join('.'));
  assert.deepEqual(named.toSorted(), keys.filter((key) => !isSection(key)).toSorted());
  assert.equal(variables().size, named.length);
  for (const [name, { type }] of variables()) {
    assert.match(name, /^HIPACHE(?:_[A-Z0-9]+)+$/);
    assert.ok(type.anyOf !== undefined || objectOf(type) === null);
  }
});

test('variables come before the file, each as its key wants it', () => {
  const file = {
    server: { workers: 1, debug: true, timeouts: { idle: 9 } },
    http: { port: 80, bind: '::1' },
    driver: 'redis://file',
    admin: '/run/x.sock',
  };
  const { config, lines } = read(
    {
      HIPACHE_SERVER_WORKERS: '4',
      HIPACHE_SERVER_ACCESS_LOG: '-',
      HIPACHE_SERVER_DEBUG: 'false',
      HIPACHE_SERVER_RETRY_BUDGET: '0.5',
      HIPACHE_SERVER_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      HIPACHE_SERVER_TIMEOUTS_FIRST_BYTE: '2.5',
      HIPACHE_SERVER_LRU_CACHE_SIZE: '5',
      HIPACHE_SERVER_LRU_CACHE_TTL: '6',
      HIPACHE_HTTP_PORT: '8080',
      HIPACHE_HTTP_BIND: '127.0.0.1',
      HIPACHE_DRIVER: 'redis+sentinel://h1,h2/main/0',
      HIPACHE_ADMIN_TOKEN: '1234',
      HIPACHE_OPTIONS_HSTS: '31536000',
      HIPACHE_OPTIONS_TIMEOUTS_CONNECT: '2',
      HIPACHE_OTEL_ENDPOINT: 'http://collector:4318',
      HIPACHE_OTEL_HEADERS: '{"api-key": "s3cret"}',
    },
    file,
  );
  assert.deepEqual(lines, []);
  const { server, listeners, driver, admin, options, otel } = config;
  assert.deepEqual([server.workers, server.accessLog, server.debug, server.retryBudget], [4, '-', false, 0.5]);
  assert.deepEqual(server.trustedProxies, ['10.0.0.0/8', '::1']);
  assert.deepEqual([server.timeouts.firstByte, server.timeouts.idle], [2.5, 9]);
  assert.deepEqual(server.lruCache, { size: 5, ttl: 6 });
  assert.deepEqual(
    listeners.map(({ address, port }) => [address, port]),
    [['127.0.0.1', 8080]],
  );
  assert.equal(driver.read, 'redis+sentinel://h1,h2/main/0');
  assert.deepEqual(admin, { places: [{ socket: '/run/x.sock' }], token: '1234' });
  assert.deepEqual(options, { hsts: '31536000', 'timeouts.connect': '2' });
  assert.deepEqual(otel?.headers, { 'api-key': 's3cret' });
});

test('lists and objects may be JSON', () => {
  const { config } = read({
    HIPACHE_HTTP_BIND: '["::1", {"address": "127.0.0.1", "port": 81}]',
    HIPACHE_DRIVER: '["redis://a", "redis://b"]',
    HIPACHE_ADMIN: '{"port": 1}',
  });
  assert.deepEqual(
    config.listeners.map(({ address, port }) => [address, port]),
    [
      ['::1', 80],
      ['127.0.0.1', 81],
    ],
  );
  assert.deepEqual(config.driver, { read: 'redis://a', write: 'redis://b' });
  assert.deepEqual(config.admin?.places, [{ address: '127.0.0.1', port: 1 }]);
});

test('faults have the name of the variable', () => {
  assert.deepEqual(
    faultsOf(
      {
        HIPACHE_SERVER_WORKERS: 'many',
        HIPACHE_SERVER_DEBUG: 'yes',
        HIPACHE_SERVER_TRUSTED_PROXIES: 'private,public',
        HIPACHE_HTTP_BIND: '[{"address": "::1", "prt": 1}]',
        HIPACHE_OTEL_HEADERS: '{"a": s3cret}',
        HIPACHE_OPTIONS_STATE: 'dead',
      },
      { cache: { max: 0 } },
    ).toSorted(),
    [
      'HIPACHE_HTTP_BIND[0].prt: unknown key; did you mean "port"?',
      'HIPACHE_OPTIONS_STATE: must be "live", "maintenance" or "paused"',
      'HIPACHE_OTEL_HEADERS: line 1, column 7: expected a value (text goes in double quotes)',
      'HIPACHE_SERVER_DEBUG: must be true or false',
      'HIPACHE_SERVER_TRUSTED_PROXIES[1]: must be "private", an IP address or a range such as "10.0.0.0/8"',
      'HIPACHE_SERVER_WORKERS: must be a whole number of at least 1',
      'cache.max: must be a whole number of at least 1',
    ],
  );
  const error = new ConfigError(['HIPACHE_SERVER_WORKERS: must be', 'cache.max: must be']);
  assert.deepEqual(error.lines('/x.json').slice(2), ['/x.json has 1 fault']);
  assert.equal(new ConfigError(['HIPACHE_SERVER_WORKERS: must be']).lines('/x.json').length, 1);
});

test('an unknown variable is ignored, and the one that was meant is named', () => {
  const { config, lines } = read({
    HIPACHE_SERVER_WORKER: '4',
    HIPACHE_WORKERS: '4',
    HIPACHE_VERSION_OF_IMAGE: '1',
    HIPACHE_SERVER: '{"workers": 4}',
    hipache_server_workers: '4',
  });
  assert.equal(config.server.workers, 3);
  assert.deepEqual(lines.slice(0, 3), [
    'HIPACHE_SERVER_WORKER: unknown variable, ignored; did you mean HIPACHE_SERVER_WORKERS?',
    'HIPACHE_WORKERS: unknown variable, ignored; did you mean HIPACHE_SERVER_WORKERS?',
    'HIPACHE_VERSION_OF_IMAGE: unknown variable, ignored',
  ]);
  assert.equal(lines.length, 4);
});

test('what Kubernetes sets for a service named hipache is no configuration, and neither is what is empty', () => {
  const { config, lines } = read({
    HIPACHE_SERVICE_HOST: '10.0.0.1',
    HIPACHE_SERVICE_PORT: '80',
    HIPACHE_SERVICE_PORT_HTTP: '80',
    HIPACHE_PORT: 'tcp://10.0.0.1:80',
    HIPACHE_PORT_80_TCP: 'tcp://10.0.0.1:80',
    HIPACHE_PORT_80_TCP_ADDR: '10.0.0.1',
    // Of services named hipache-http and hipache-admin.
    HIPACHE_HTTP_PORT: 'tcp://10.0.0.1:80',
    HIPACHE_ADMIN_SERVICE_PORT: '8081',
    HIPACHE_ADMIN_PORT_8081_TCP: 'tcp://10.0.0.1:8081',
    HIPACHE_SERVER_WORKERS: '',
  });
  assert.deepEqual(lines, []);
  assert.equal(config.listeners[0]?.port, 80);
  assert.equal(config.admin, null);
});

test("the token of commands does not turn the admin interface on, and is the interface's where there is one", () => {
  const env = { HIPACHE_ADMIN_TOKEN: 'x' };
  for (const admin of [undefined, null, false]) assert.equal(read(env, { admin }).config.admin, null);
  assert.equal(read(env, { admin: { token: 'y' } }).config.admin?.token, 'x');
  assert.equal(read({ ...env, HIPACHE_ADMIN_PORT: '1' }).config.admin?.token, 'x');
  assert.equal(read({ HIPACHE_ADMIN: 'false' }, { admin: '/x.sock' }).config.admin, null);
});

test("commands take the router's variables", () => {
  const settings = readStoreSettings(write({ driver: 'redis://file' }), {
    HIPACHE_DRIVER: 'redis://env',
    HIPACHE_X: '',
  });
  assert.equal(settings.driver.read, 'redis://env');
});

test('no other variable of the program, or of its tests, is taken for an unknown one', () => {
  const names = ['lib', 'bin', 'test/support', 'scripts'].flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|mjs)$/.test(name))
      .flatMap((name) => readFileSync(join(packageRoot, folder, name), 'utf8').match(/\bHIPACHE_[A-Z_]+\b/g) ?? []),
  );
  const env = Object.fromEntries([...new Set(names)].map((name) => [name, '1']));
  assert.ok('HIPACHE_HANDOVER' in env && 'HIPACHE_FAST_LANE' in env);
  const own = Object.keys(env).filter((name) => !variables().has(name) && !name.endsWith('_'));
  assert.deepEqual(read(Object.fromEntries(own.map((name) => [name, '1']))).lines, []);
});

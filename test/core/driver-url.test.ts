import assert from 'node:assert/strict';
import { test } from 'node:test';
import { censorDriverUrl, parseDriverUrl, type RedisAddress } from '../../lib/core/driver-url.ts';

const LOCAL: RedisAddress = {
  host: '127.0.0.1',
  port: 6379,
  tls: false,
  username: null,
  password: null,
  database: 0,
  prefix: '',
};

function redis(url: string): RedisAddress {
  const parsed = parseDriverUrl(url);
  assert.ok(parsed.scheme === 'redis');
  return parsed.redis;
}

/** Every form in Hipache's README and its page on drivers, then the ones it failed on. */
const FORMS: readonly (readonly [string, Partial<RedisAddress>])[] = [
  ['redis:', {}],
  ['redis://', {}],
  ['REDIS://Example.org', { host: 'Example.org' }],
  ['redis://host', { host: 'host' }],
  ['redis://host/', { host: 'host' }],
  ['redis://10.0.0.1:7777', { host: '10.0.0.1', port: 7777 }],
  ['redis://:6380', { port: 6380 }],
  ['redis://:secret@host:6379', { host: 'host', password: 'secret' }],
  ['redis://:password@127.0.0.1:6379/0', { password: 'password' }],
  ['redis:///1', { database: 1 }],
  ['redis:///1#someprefix', { database: 1, prefix: 'someprefix' }],
  [
    'redis://:password@host:6380/2#app:',
    { host: 'host', port: 6380, password: 'password', database: 2, prefix: 'app:' },
  ],
  ['redis:#app-', { prefix: 'app-' }],
  ['redis:#', {}],
  ['redis://host#a@b/c#d', { host: 'host', prefix: 'a@b/c#d' }],
  ['redis://password@host', { host: 'host', password: 'password' }],
  ['redis://:@host', { host: 'host' }],
  ['redis://ann:secret@host', { host: 'host', username: 'ann', password: 'secret' }],
  ['redis://ann:@host', { host: 'host', username: 'ann' }],
  ['redis://:pa:ss:@host', { host: 'host', password: 'pa:ss:' }],
  ['redis://:p@ss@host:1', { host: 'host', port: 1, password: 'p@ss' }],
  ['redis://:p/a?s@host', { host: 'host', password: 'p/a?s' }],
  ['redis://:p%23ss%40@host', { host: 'host', password: 'p#ss@' }],
  ['redis://:100%@host', { host: 'host', password: '100%' }],
  ['redis://[::1]', { host: '::1' }],
  ['redis://:pw@[2001:db8::1]:7000/3', { host: '2001:db8::1', port: 7000, password: 'pw', database: 3 }],
  ['rediss://:pw@cache.example.org:6380', { host: 'cache.example.org', port: 6380, password: 'pw', tls: true }],
  ['rediss:', { tls: true }],
];

for (const [url, parts] of FORMS) {
  test(`${url} is read as Hipache documents it`, () => {
    assert.deepEqual(redis(url), { ...LOCAL, ...parts });
  });
}

test('a file is named with its path, relative or absolute', () => {
  assert.deepEqual(parseDriverUrl('file:routes.json'), { scheme: 'file', path: 'routes.json' });
  assert.deepEqual(parseDriverUrl('file:./a b.json'), { scheme: 'file', path: './a b.json' });
  assert.deepEqual(parseDriverUrl('file:/etc/routes.json'), { scheme: 'file', path: '/etc/routes.json' });
  assert.deepEqual(parseDriverUrl('file:///etc/routes.json'), { scheme: 'file', path: '/etc/routes.json' });
});

test('a file URL that names a host is refused, since its path would be taken for one', () => {
  assert.throws(() => parseDriverUrl('file://routes.json'), /names a host; write file:PATH/);
});

test('a file URL without a path is refused', () => {
  assert.throws(() => parseDriverUrl('file:'), /names no file/);
});

for (const url of [
  '',
  'redis',
  'http://host',
  'etcd://host:4001',
  'redis:host',
  'redis://a b',
  'redis://h/x',
  'redis://h?x',
]) {
  test(`"${url}" is refused with the form to write instead`, () => {
    assert.throws(() => parseDriverUrl(url), /is no driver URL; write redis:\/\/:password@host:port/);
  });
}

for (const port of ['0', '65536', '99999']) {
  test(`port ${port} is refused`, () => {
    assert.throws(() => parseDriverUrl(`redis://:s3cret@host:${port}`), {
      message: `has port ${port}; ports go from 1 to 65535`,
    });
  });
}

test('a refusal never repeats the password', () => {
  for (const url of ['redis://:s3cret@host:0', 'redis://:s3cret@host/x', 'redis://:s3#cret@host', 's3cret']) {
    assert.throws(
      () => parseDriverUrl(url),
      (error: Error) => !/s3|cret/.test(error.message),
    );
  }
});

const CENSORED: readonly (readonly [string, string])[] = [
  ['redis:', 'redis:'],
  ['redis://host:6379/0#a@b', 'redis://host:6379/0#a@b'],
  ['redis://:s3cret@host:6379/1#p', 'redis://:***@host:6379/1#p'],
  ['redis://ann:s3cret@host', 'redis://ann:***@host'],
  ['redis://s3cret@host:6379', 'redis://***@host:6379'],
  ['redis://:s3:c@r/et@[::1]:6379', 'redis://:***@[::1]:6379'],
  ['redis://a/b:s3cret@host', 'redis://a/b:***@host'],
  ['rediss://:s3cret@host', 'rediss://:***@host'],
  ['file:/etc/routes@home.json', 'file:/etc/routes@home.json'],
];

for (const [url, censored] of CENSORED) {
  test(`${url} is shown as ${censored}`, () => {
    assert.equal(censorDriverUrl(url), censored);
  });
}

test('the password of a URL that cannot be read is blotted out all the same', () => {
  assert.equal(censorDriverUrl('redis://:s3#cret@host'), 'redis://***@host');
  assert.equal(censorDriverUrl('etcd://ann:s3cret@host'), 'etcd://***@host');
});

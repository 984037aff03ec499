import assert from 'node:assert/strict';
import { test } from 'node:test';
import { censorDriverUrl, parseDriverUrl } from '../../lib/core/routing/driver-url.ts';
import { nameOfAddress, PLAIN_TLS, type RedisAddress } from '../../lib/core/routing/redis-address.ts';

/** What a URL of one server says, with what it leaves out. */
const LOCAL = {
  host: '127.0.0.1',
  port: 6379,
  tls: false,
  username: null as string | null,
  password: null as string | null,
  database: 0,
  prefix: '',
};

function redis(url: string): RedisAddress {
  const parsed = parseDriverUrl(url);
  assert.ok(parsed.scheme === 'redis');
  return parsed.redis;
}

/** Every form in Hipache's README and its page on drivers, then the ones it failed on. */
const FORMS: readonly (readonly [string, Partial<typeof LOCAL>])[] = [
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
    const { host, port, tls, ...rest } = { ...LOCAL, ...parts };
    const place = { type: 'server', host, port };
    assert.deepEqual(redis(url), { place, tls: tls ? PLAIN_TLS : null, ...rest });
  });
}

const NOBODY = { username: null, password: null };
const MANY: readonly (readonly [string, Partial<RedisAddress>])[] = [
  [
    'redis+sentinel://10.0.0.1,[::1]:5000,Host.example/mymaster/2#app:',
    {
      place: {
        type: 'sentinels',
        sentinels: [
          { host: '10.0.0.1', port: 26379 },
          { host: '::1', port: 5000 },
          { host: 'Host.example', port: 26379 },
        ],
        master: 'mymaster',
        ...NOBODY,
      },
      database: 2,
      prefix: 'app:',
    },
  ],
  [
    'rediss+sentinel://ann:p%40%2F%3F%23w@h/m?sentinel_username=bob&sentinel_password=a%26b=c',
    {
      place: {
        type: 'sentinels',
        sentinels: [{ host: 'h', port: 26379 }],
        master: 'm',
        username: 'bob',
        password: 'a&b=c',
      },
      tls: PLAIN_TLS,
      username: 'ann',
      password: 'p@/?#w',
    },
  ],
  [
    'redis+sentinel://h/m?sentinelPassword=x',
    {
      place: { type: 'sentinels', sentinels: [{ host: 'h', port: 26379 }], master: 'm', username: null, password: 'x' },
    },
  ],
  [
    'REDIS+Cluster://:pw@h1:7000,h2/#p',
    {
      place: {
        type: 'cluster',
        nodes: [
          { host: 'h1', port: 7000 },
          { host: 'h2', port: 6379 },
        ],
      },
      password: 'pw',
      prefix: 'p',
    },
  ],
  [
    'rediss+cluster://[2001:db8::1]/0',
    { place: { type: 'cluster', nodes: [{ host: '2001:db8::1', port: 6379 }] }, tls: PLAIN_TLS },
  ],
  ['redis+unix:///run/redis.sock', { place: { type: 'socket', path: '/run/redis.sock' } }],
  [
    'redis+unix://ann:s%2F@/run/a@b%3F.sock?db=3#x:',
    {
      place: { type: 'socket', path: '/run/a@b?.sock' },
      username: 'ann',
      password: 's/',
      database: 3,
      prefix: 'x:',
    },
  ],
];

const BARE = { tls: null, username: null, password: null, database: 0, prefix: '' };

for (const [url, parts] of MANY) {
  test(`${url} is read`, () => {
    assert.deepEqual(redis(url), {
      ...BARE,
      ...parts,
    });
  });
}

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['redis+sentinel://h', /must end with the name of a master/],
  ['redis+sentinel://h/', /must end with the name of a master/],
  ['redis+sentinel://h/m/x', /must end with the name of a master/],
  ['redis+sentinel://h/m?s3cret=1', /parameter that is not known here; known: sentinel_username/],
  ['redis+sentinel:///m', /write redis\+sentinel:\/\/:password@host1/],
  ['redis+sentinel://:s3/cret@h/m', /write redis\+sentinel:.*%2F/],
  ['redis+cluster://h/1', /a cluster has only one, 0/],
  ['redis+cluster://h?db=1', /parameters, which redis\+cluster: does not know/],
  ['redis+cluster://:s3@cret@h', /write redis\+cluster:/],
  ['redis+cluster://h:70000', /has port 70000/],
  ['redis+unix://run/redis.sock', /write redis\+unix:\/\//],
  ['redis+unix:///run/redis.sock?db=x', /a number for db/],
  ['redis+unix:///run/redis.sock?password=s3cret', /not known here; known: db/],
  ['rediss+unix:///run/redis.sock', /a socket needs no TLS/],
];

for (const [url, why] of REFUSED) {
  test(`${url} is refused, and told why without its password`, () => {
    assert.throws(
      () => parseDriverUrl(url),
      (error: Error) => why.test(error.message) && !/s3|cret/.test(error.message),
    );
  });
}

test('what rediss: means can be said', () => {
  const tls = { ca: ['authority'], cert: 'certificate', key: 'key', passphrase: null };
  for (const url of ['rediss://h', 'rediss+sentinel://h/m', 'rediss+cluster://h']) {
    assert.deepEqual(parseDriverUrl(url, tls), { scheme: 'redis', redis: { ...redis(url), tls } });
  }
  assert.deepEqual(parseDriverUrl('redis://h', tls), parseDriverUrl('redis://h'));
});

const NAMED: readonly (readonly [string, string])[] = [
  ['rediss://ann:s3cret@[::1]', 'rediss://[::1]:6379/0'],
  ['redis://:s3cret@h/1#p', 'redis://h:6379/1#p'],
  ['redis+unix://:s3cret@/run/r.sock?db=1', 'redis+unix:///run/r.sock?db=1'],
  ['redis+sentinel://:s3cret@h,[::1]:1/m?sentinel_password=s3cret', 'redis+sentinel://h:26379,[::1]:1/m/0'],
  ['rediss+cluster://s3cret@h:1,i:2#p', 'rediss+cluster://h:1,i:2/#p'],
];

for (const [url, name] of NAMED) {
  test(`${url} is called ${name} in the log`, () => {
    assert.equal(nameOfAddress(redis(url)), name);
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
  ['redis+sentinel://ann:s3cret@h:1,i/m/0#p@q', 'redis+sentinel://ann:***@h:1,i/m/0#p@q'],
  [
    'rediss+sentinel://s3cret@h/m?sentinel_username=bob&sentinel_password=s3cret#a=b',
    'rediss+sentinel://***@h/m?sentinel_username=***&sentinel_password=***#a=b',
  ],
  ['redis+sentinel://h/m?sentinelPassword=s3cret', 'redis+sentinel://h/m?sentinelPassword=***'],
  ['redis+cluster://:s3cret@h:1,i/#p', 'redis+cluster://:***@h:1,i/#p'],
  ['redis+unix://ann:s3cret@/run/a@b.sock?db=1#p', 'redis+unix://ann:***@/run/a@b.sock?db=1#p'],
  ['redis+unix:///run/r.sock?password=s3cret&db=1', 'redis+unix:///run/r.sock?password=***&db=1'],
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
  assert.equal(censorDriverUrl('redis+sentinel://:s3/cret@h/m'), 'redis+sentinel://***@h/m');
  assert.equal(censorDriverUrl('redis+cluster://:s3#cret@h'), 'redis+cluster://***@h');
  assert.equal(censorDriverUrl('redis+cluster://:s3@cret@h'), 'redis+cluster://***@h');
  assert.equal(censorDriverUrl('redis+unix://:s3/cret@/run/r.sock'), 'redis+unix://***@/run/r.sock');
  assert.equal(censorDriverUrl('redis+unix://run/r.sock?password=s3cret'), 'redis+unix://run/r.sock?password=***');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NO_SITE } from '../../lib/core/routing/site.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { buildRoute, NO_MARKS, originOf, readList } from '../../lib/core/routing/backend.ts';
import { propertyRuns } from '../support/random.ts';

for (const [text, protocol, hostname, port, path = ''] of [
  ['http://10.0.0.1:8080', 'http:', '10.0.0.1', 8080],
  ['http://10.0.0.1', 'http:', '10.0.0.1', 80],
  ['https://x.io', 'https:', 'x.io', 443],
  ['https://x.io:80/', 'https:', 'x.io', 80],
  ['HTTP://X.io', 'http:', 'x.io', 80],
  ['http://[2001:DB8::1]:81', 'http:', '2001:db8::1', 81],
  ['http://x.io/a//path/?query#part', 'http:', 'x.io', 80, '/a/path'],
  ['http://user:pw@x.io', 'http:', 'x.io', 80],
  ['  http://x.io:81 \n', 'http:', 'x.io', 81],
  ['h2c://X.io:50051/', 'h2c:', 'x.io', 50_051],
  ['H2://x.io', 'h2:', 'x.io', 443],
  ['h2://[::1]:80', 'h2:', '::1', 80],
  ['h2c://x.io', 'h2c:', 'x.io', 80],
  ['http://my_app-1.x.io', 'http:', 'my_app-1.x.io', 80],
  ['http://bücher.example', 'http:', 'xn--bcher-kva.example', 80],
] as const) {
  test(`${JSON.stringify(text)} is ${protocol} ${hostname} ${port}`, () => {
    const backend = { id: 3, href: text.trim(), protocol, hostname, port, socketPath: null, path, redirect: null };
    assert.deepEqual(parseBackend(text, 3), { backend });
  });
}

for (const [text, socketPath, path = ''] of [
  ['http://[unix:/run/app.sock]', '/run/app.sock'],
  ['http://[unix:/run/app.sock]/', '/run/app.sock'],
  ['HTTP://[UNIX:/run/my-app_1.sock]/base/?a#b', '/run/my-app_1.sock', '/base'],
  [' http://[unix:/run/app:8080.sock]?a ', '/run/app:8080.sock'],
] as const) {
  test(`${JSON.stringify(text)} is the socket ${socketPath}`, () => {
    const place = { protocol: 'http:', hostname: '', port: 0, socketPath, path, redirect: null } as const;
    assert.deepEqual(parseBackend(text, 3), { backend: { id: 3, href: text.trim(), ...place } });
  });
}

for (const [text, fault] of [
  ['', /not a URL/],
  ['10.0.0.1', /not a URL/],
  ['10.0.0.1:80', /not a URL/],
  ['x.io:80', /unknown scheme "x\.io:"/],
  ['http://', /not a URL/],
  ['http://:80', /not a URL/],
  ['http://x.io:0', /port 0/],
  ['h2c://', /not a URL/],
  ['h2:x.io', /no "\/\/"/],
  ['h2://[unix:/run/app.sock]', /TLS needs a host/],
  ['h3://x.io', /unknown scheme "h3:"/],
  ['http://x.io:65536', /not a URL/],
  ['http://x y', /not a URL/],
  ['ftp://x.io', /unknown scheme "ftp:"/],
  ['file:///', /absolute path/],
  ['file://server/srv', /another machine/],
  ['file:srv', /absolute path/],
  ['redirect://', /redirect:\/\/host\/path/],
  ['redirect://x.io/ 200', /no status that redirects/],
  ['redirect://x;y/', /no such host/],
  ['redirect://x.io/a?b', /redirect:\/\/host\/path/],
  ['unix:/run/app.sock', /unknown scheme/],
  ['http://[unix:]/', /no absolute path/],
  ['http://[unix:run/app.sock]/', /no absolute path/],
  ['http://[unix:/run/a;b.sock]/', /no absolute path/],
  ['http://[unix:/run/a b.sock]/', /no absolute path/],
  [`http://[unix:/${'x'.repeat(107)}]/`, /more than 107 bytes/],
  ['http://[unix:/run/app.sock]:80/', /nothing but a path/],
  ['https://[unix:/run/app.sock]/', /TLS needs a host/],
  ['ftp://[unix:/run/app.sock]/', /unknown scheme "ftp:"/],
  ['http:x.io', /no "\/\/"/],
  ['http:/x.io', /no "\/\/"/],
  ['http:\\\\x.io', /no "\/\/"/],
  ['http://a;b.io', /no such host/],
  ["http://it's", /no such host/],
] as const) {
  test(`${JSON.stringify(text)} cannot be used: ${fault.source}`, () => {
    const parsed = parseBackend(text, 0);
    assert.match('fault' in parsed ? parsed.fault : 'used', fault);
  });
}

for (const [text, origin] of [
  ['http://10.0.0.1:8080', 'http://10.0.0.1:8080'],
  ['http://10.0.0.1', 'http://10.0.0.1'],
  ['http://10.0.0.1:80', 'http://10.0.0.1:80'],
  ['http://10.0.0.1/', 'http://10.0.0.1'],
  ['http://10.0.0.1:80/a?b#c', 'http://10.0.0.1:80'],
  ['http://10.0.0.1?b', 'http://10.0.0.1'],
  ['http://Web.X.io', 'http://Web.X.io'],
  ['HTTPS://x.io', 'https://x.io'],
  ['H2://x.io', 'h2://x.io'],
  ['h2c://X.io:50051/a', 'h2c://X.io:50051'],
  ['h2c://[unix:/run/app.sock]', 'h2c://[unix:/run/app.sock]'],
  ['http://[2001:DB8::1]', 'http://[2001:DB8::1]'],
  ['http://user:pass@x.io:81', 'http://x.io:81'],
  ['http://user@other@x.io', 'http://x.io'],
  ['http://bücher.example', 'http://xn--bcher-kva.example:80'],
  ['http://10.0.0.1\\;x', 'http://10.0.0.1'],
  ['http:///x.io', 'http://x.io:80'],
  ['HTTP://[UNIX:/run/App.sock]/a?b', 'http://[unix:/run/App.sock]'],
  ['http://x%2eio', 'http://x.io:80'],
  ['http://x.\tio', 'http://x.io:80'],
] as const) {
  test(`${JSON.stringify(text)} is announced as ${origin}`, () => {
    const parsed = parseBackend(text, 0);
    assert.ok('backend' in parsed);
    assert.equal(originOf(parsed.backend), origin);
  });
}

test('whatever is announced leads where the backend is, and forges no field', () => {
  const piece = fc.constantFrom(
    'http://',
    'https://',
    'a',
    'X',
    '.',
    ':',
    '80',
    '/',
    '?',
    '#',
    '@',
    ';',
    '\\',
    '%41',
    '\t',
    '[::1]',
    '[unix:/a]',
    'ü',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      const parsed = parseBackend(`http://${pieces.join('')}`, 0);
      if ('fault' in parsed) return;
      const origin = originOf(parsed.backend);
      assert.doesNotMatch(origin, /[;\s@]/);
      const { backend } = parsed;
      assert.deepEqual(parseBackend(origin, 0), { backend: { ...backend, href: origin, path: '' } });
    }),
    { seed: 1, numRuns: propertyRuns(5000) },
  );
});

test('a list keeps its ids where a URL cannot be used, and tells of each', () => {
  const faults: string[] = [];
  const list = readList(['x', 'garbage', 'http://10.0.0.1', ''], (href, fault) => faults.push(`${href}: ${fault}`));
  assert.equal(list.size, 3);
  assert.deepEqual(
    list.backends.map(({ id }) => id),
    [1],
  );
  assert.deepEqual(faults, ['garbage: not a URL', ': not a URL']);
});

test('an empty list is a nameless route without backends', () => {
  const route = buildRoute('x.io', '*', [], NO_MARKS, () => {});
  const nothing = {
    prefix: '',
    name: '',
    backends: [],
    size: 0,
    dead: new Set(),
    deadByRouters: new Set(),
    onTrial: new Map(),
    site: NO_SITE,
  };
  assert.deepEqual(route, { frontend: 'x.io', key: '*', ...nothing });
});

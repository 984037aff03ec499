import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { candidates, hostOf } from '../../lib/core/routing/hostname.ts';
import { propertyRuns } from '../support/random.ts';

for (const [header, host] of [
  ['www.x.io', 'www.x.io'],
  ['WWW.X.IO', 'www.x.io'],
  ['www.x.io:8080', 'www.x.io'],
  ['WWW.x.io:80', 'www.x.io'],
  ['www.x.io:', 'www.x.io'],
  ['www.x.io.', 'www.x.io'],
  ['www.x.io.:80', 'www.x.io'],
  ['localhost', 'localhost'],
  ['127.0.0.1:80', '127.0.0.1'],
  ['[::1]:80', '[::1]'],
  ['[2001:DB8::1]', '[2001:db8::1]'],
  ['__ping__', '__ping__'],
  ['__proto__', '__proto__'],
  ['a_b.x.io', 'a_b.x.io'],
] as const) {
  test(`Host ${JSON.stringify(header)} is ${host}`, () => assert.equal(hostOf(header), host));
}

const NO_NAMES = ['', ' ', 'a b', ' x.io', 'x.io ', 'a, b', 'x@a', 'a/b', 'a;b', '*', '*.x.io', 'x\0.io', 'x\r\n.io'];
const NO_PORTS = ['x.io:80:80', 'x.io:port', ':80', 'x.io:123456', '::1'];
const NO_ADDRESSES = ['[', '[]', '[::1', '[::1]x', '[x.io]', 'bücher.example', 'a'.repeat(256)];

for (const header of [...NO_NAMES, ...NO_PORTS, ...NO_ADDRESSES]) {
  test(`Host ${JSON.stringify(header.slice(0, 20))} is none`, () => assert.equal(hostOf(header), null));
}

for (const [host, keys] of [
  ['io', ['io', '*']],
  ['x.io', ['x.io', '*.io', '*']],
  ['a.b.io', ['a.b.io', '*.b.io', '*.io', '*']],
  ['a.b.c.d.e.io', ['a.b.c.d.e.io', '*.b.c.d.e.io', '*.c.d.e.io', '*.d.e.io', '*.e.io', '*.io', '*']],
  ['z.a.b.c.d.e.io', ['z.a.b.c.d.e.io', '*.b.c.d.e.io', '*.c.d.e.io', '*.d.e.io', '*.e.io', '*.io', '*']],
  ['[::1]', ['[::1]', '::1', '*']],
] as const) {
  test(`${host} is looked up under ${keys.join(' ')}`, () => assert.deepEqual(candidates(host), keys));
}

test('no Host header makes a long lookup, or one under a name it did not ask for', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 300 }), fc.domain()), (header) => {
      const host = hostOf(header);
      if (host === null) return;
      const keys = candidates(host);
      assert.ok(keys.length <= 7);
      assert.equal(keys[0], host);
      assert.equal(keys.at(-1), '*');
      assert.equal(new Set(keys).size, keys.length);
      assert.doesNotMatch(keys.join(''), /[;\s\p{Cc}]/u);
    }),
    { seed: 1, numRuns: propertyRuns(2000) },
  );
});

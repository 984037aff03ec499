import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ImageLists } from '../../lib/store/file/image-lists.ts';
import type { RouteEntry } from '../../lib/store/route-table.ts';
import { encodeRoutes, RoutesImage } from '../../lib/store/file/routes-image.ts';
import { propertyRuns } from '../support/random.ts';
import { manyRoutes } from '../support/routes.ts';

// Few letters: keys that are alike, and beginnings of one another, are what a table could mix up.
const key = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '-'), minLength: 0, maxLength: 6 });
const list = fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 });

test('an image tells what it was made of, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, list)), fc.array(key), fc.nat(), (entries, others, seed) => {
      const wanted = new Map(entries.filter(([name]) => name !== ''));
      const image = new RoutesImage(encodeRoutes(entries, seed));
      for (const name of [...entries.map(([each]) => each), ...others]) {
        assert.deepEqual(image.get(name), wanted.get(name));
      }
    }),
    { seed: 1, numRuns: propertyRuns(500) },
  );
});

test('names that objects have of their own are hosts like any other', () => {
  const image = new RoutesImage(encodeRoutes([['__proto__', ['x']]]));
  assert.deepEqual(image.get('__proto__'), ['x']);
  assert.equal(image.get('constructor'), undefined);
});

test('empty lists and keys that no request can have are left out', () => {
  const image = new RoutesImage(
    encodeRoutes([
      ['a.io', []],
      ['bücher.io', ['x']],
      ['b.io', ['y']],
    ]),
  );
  assert.deepEqual(
    ['a.io', 'bücher.io', 'b\u00fccher.io', 'b.io'].map((name) => image.get(name)),
    [undefined, undefined, undefined, ['y']],
  );
});

test('an image may lie anywhere in memory, at a multiple of four', () => {
  const image = encodeRoutes(manyRoutes(50));
  const memory = new Uint8Array(image.length + 12);
  memory.set(image, 8);
  assert.equal(new RoutesImage(memory.subarray(8, 8 + image.length)).get('site-7.test')?.[0], 'name 7');
});

test('of 100,000 frontends each is found by a few looks, whatever the seed', () => {
  const routes = manyRoutes(100_000);
  const words = new Uint32Array(encodeRoutes(routes, 12_345).buffer);
  const buckets = words[1] ?? 0;
  assert.ok(buckets >= 2 * routes.length && buckets <= 4 * routes.length);
  // A run of taken buckets is what a lookup may have to pass.
  let run = 0;
  let longest = 0;
  for (const record of words.subarray(2, 2 + buckets)) {
    run = record === 0 ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  assert.ok(longest < 64, `${longest} taken buckets in a row`);
});

test('lists that are asked for often are read once; however many are asked for, memory stays bounded', () => {
  const long = Array.from({ length: 1_000 }, (_, i) => `http://10.0.0.1:${i + 1}`);
  const routes: RouteEntry[] = Array.from({ length: 200 }, (_, i) => [`site-${i}.test`, [`name ${i}`, ...long]]);
  const lists = new ImageLists(new RoutesImage(encodeRoutes(routes)));
  const first = lists.get('site-0.test');
  assert.equal(first?.size, 1_000);
  for (let i = 1; i < 30; i++) {
    lists.get(`site-${i}.test`);
    assert.equal(lists.get('site-0.test'), first, 'kept, since it is asked for');
  }
  for (let i = 30; i < 200; i++) lists.get(`site-${i}.test`);
  assert.notEqual(lists.get('site-0.test'), first, 'forgotten');
  assert.deepEqual(lists.get('site-0.test'), first);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutsOf, MAX_PREFIX, Prefixes, prefixFault, splitKey } from '../../lib/core/routing/prefixes.ts';
import { pick, propertyRuns, seeded } from '../support/random.ts';

/** `SEED=7 HIPACHE_PROPERTY_RUNS=20 npm test -- prefixes` for a long look. */
const SEED = Number(process.env['SEED'] ?? 20_261_121);
const ROUNDS = propertyRuns(2_000);
const PATHS = 500;

/** The rule, slow and obvious: all segments of the one are the first of the other. */
function longestOf(names: readonly string[], target: string): string | null {
  const [path = ''] = target.split('?');
  const segments = path.split('/');
  const matching = names.filter((name) => name.split('/').every((segment, i) => segments[i] === segment));
  return matching.toSorted((a, b) => b.length - a.length)[0] ?? null;
}

test(`${ROUNDS * PATHS} random paths go where the rule says`, () => {
  const random = seeded(SEED);
  const words = ['a', 'b', 'ab', 'A', '%61', '.', '..', 'x'.repeat(40)] as const;
  const path = (most: number): string => {
    const count = 1 + Math.floor(random() * most);
    return Array.from({ length: count }, () => `/${pick(words, random)}`).join('');
  };
  const odd = ['', '', '', '/', '//', '?', '?/a', '/?b', '//a'] as const;
  let hits = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const names = Array.from({ length: Math.floor(random() * 12) }, () => path(4));
    const prefixes = new Prefixes(names);
    for (let i = 0; i < PATHS; i++) {
      const asked = path(6) + pick(odd, random);
      const wanted = longestOf(names, asked);
      assert.equal(prefixes.longest(asked, Infinity), wanted, `${names.join(' ')} for ${asked}`);
      if (wanted === null) continue;
      hits++;
      const shorter = names.filter((name) => name.length < wanted.length);
      assert.equal(prefixes.longest(asked, wanted.length), longestOf(shorter, asked));
    }
  }
  assert.ok(hits > ROUNDS, `${hits} hits`);
});

test('cuts are what any set of prefixes could match, the longest first', () => {
  assert.deepEqual(cutsOf('/a/b/'), ['/a/b', '/a']);
  assert.deepEqual(cutsOf('/a//b'), ['/a']);
  assert.deepEqual([cutsOf('/'), cutsOf('*'), cutsOf('//a'), cutsOf('')], [[], [], [], []]);
  assert.equal(cutsOf('/a'.repeat(100)).length, MAX_PREFIX.segments);
  assert.deepEqual(cutsOf(`/a/${'x'.repeat(600)}`), ['/a']);
});

test('a hostile path costs no more than the longest prefix', () => {
  const deepest = `/a`.repeat(MAX_PREFIX.segments);
  const prefixes = new Prefixes([deepest]);
  assert.equal(prefixes.longest(`${deepest}${'/a'.repeat(8000)}`, Infinity), deepest);
  assert.equal(prefixes.longest('/'.repeat(16_000), Infinity), null);
});

for (const [name, fault] of [
  ['api', /begins with/],
  ['', /begins with/],
  ['/', /host itself/],
  ['/api/', /at its end/],
  ['/a//b', /empty segments/],
  ['/a b', /visible/],
  ['/a?b', /visible/],
  ['/a#b', /visible/],
  ['/ü', /visible/],
  [`/${'a'.repeat(512)}`, /512 characters/],
  ['/a'.repeat(17), /16 segments/],
] as const) {
  test(`${JSON.stringify(name.slice(0, 40))} is no prefix`, () => {
    assert.match(prefixFault(name) ?? '', fault);
    assert.equal(new Prefixes([name]).size, 0);
  });
}

test('every visible character but two may be in a prefix', () => {
  for (let code = 0x21; code < 0x7f; code++) {
    const character = String.fromCharCode(code);
    if (character === '/') continue;
    assert.equal(prefixFault(`/a${character}`) === null, character !== '?' && character !== '#', character);
  }
});

test('a key is a host and a prefix', () => {
  assert.deepEqual(splitKey('*.x.io/a/b'), { host: '*.x.io', prefix: '/a/b' });
  assert.deepEqual(splitKey('[::1]'), { host: '[::1]', prefix: '' });
});

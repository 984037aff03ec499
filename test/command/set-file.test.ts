// @one-lane: rules, without a router
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileEntry, parseSetFile, partOf, yamlOf } from '../../lib/command/set-file.ts';
import { diffLines } from '../../lib/command/set-diff.ts';
import { isSameSet, NO_SET, NO_SET_HASHES, withHashOf } from '../../lib/store/editor/frontend-set.ts';

const SITE: FileEntry = {
  key: '*.x.io/api',
  set: {
    list: ['my "site"', 'http://10.0.0.1:80', 'redirect://x.io/'],
    hashes: {
      ...NO_SET_HASHES,
      options: new Map([
        ['strip', '1'],
        ['maintenance', 'no: früh\n'],
        ['hsts', '0x10'],
      ]),
      errors: new Map([['503', `<p>\n  ${'long '.repeat(50)}\n</p>`]]),
    },
    odd: [],
  },
  certificate: { sha256: 'a'.repeat(64), files: null },
};
const BARE: FileEntry = { ...SITE, key: '*', set: { ...SITE.set, list: null }, certificate: null };

test('a set is the same after it was printed and parsed, as YAML and as JSON', () => {
  const entries = [SITE, BARE, { ...SITE, key: 'yes', certificate: null }];
  const json = JSON.stringify({ frontends: Object.assign({}, ...entries.map(partOf)) as object });
  for (const text of [`frontends:\n${yamlOf(entries)}`, json]) {
    const { entries: read, faults } = parseSetFile(text);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      read.map(({ key, certificate }) => ({ key, certificate })),
      entries.map(({ key, certificate }) => ({ key, certificate })),
    );
    for (const [i, { set }] of read.entries()) assert.ok(isSameSet(set, entries[i]?.set ?? NO_SET), text);
  }
});

test('numbers and truth values are texts in the store', () => {
  const { entries } = parseSetFile('frontends: {x.io: {name: x, backends: [], options: {strip: true, hsts: 5}}}');
  assert.deepEqual(
    entries[0]?.set.hashes.options,
    new Map([
      ['strip', 'true'],
      ['hsts', '5'],
    ]),
  );
});

test('every fault of a file is reported, and none is guessed away', () => {
  for (const [text, fault] of [
    ['', /must have "frontends"/],
    ['frontends: []', /must have "frontends"/],
    ['frontends: {}\nmore: 1', /unknown key "more"/],
    ['frontends: {x.io: [a]}', /x\.io: must be a mapping/],
    ['frontends: {x.io: {backend: [a]}}', /unknown key "backend"/],
    ['frontends: {x.io: {name: x}}', /"name" must be a text, and "backends" a list/],
    ['frontends: {x.io: {name: x, backends: [1]}}', /"backends" a list/],
    ['frontends: {x.io: {options: {strip: null}}}', /"strip" must be a text/],
    ['frontends: {x.io: {options: {strip: [1]}}}', /"strip" must be a text/],
    ['frontends: {x.io: {options: 1}}', /"options" must be a mapping/],
    ['frontends: {x.io: {certificate: {certificate: a}}}', /"certificate" must have the paths/],
    ['frontends: {x.io: {certificate: {sha256: a}}}', /"certificate" must have the paths/],
    ['frontends: {x.io: {}, x.io: {}}', /"x\.io" appears twice/],
    ['{"frontends": {"x.io": {}, "x.io": {}}}', /"x\.io" appears twice, again in line 1/],
    ['frontends:\n  a: b\n c: d', /line 3/],
    ['a: &a [x]\nfrontends: {x.io: {name: *b}}', /alias/i],
  ] as const) {
    const { faults, entries } = parseSetFile(text);
    assert.match(faults.join('; '), fault, text);
    assert.ok(faults.length > 0 && entries.length <= 2);
  }
});

test('a difference shows what is added, removed and changed, and long texts by their length', () => {
  const before = SITE.set;
  const after = withHashOf(
    withHashOf({ ...before, list: ['other', 'redirect://x.io/', 'http://10.0.0.2:80'] }, 'errors', new Map()),
    'options',
    new Map([
      ['strip', '2'],
      ['maintenance', 'no: früh\n'],
      ['https', 'redirect'],
    ]),
  );
  assert.deepEqual(diffLines('x.io', before, after), [
    '~ x.io: changed',
    '    ~ name "my \\"site\\"" -> "other"',
    '    - backend http://10.0.0.1:80',
    '    + backend http://10.0.0.2:80',
    '    - option hsts: "0x10"',
    '    ~ option strip: "1" -> "2"',
    '    + option https: "redirect"',
    '    - page 503: 261 characters',
  ]);
  const turned = { ...before, list: [before.list?.[0] ?? '', ...(before.list ?? []).slice(1).toReversed()] };
  assert.deepEqual(diffLines('x.io', before, turned).slice(1), ['    ~ backends in another order']);
  assert.deepEqual(diffLines('x.io', before, NO_SET), ['- x.io: removed']);
});

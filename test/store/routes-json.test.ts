import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { scanJson } from '../../lib/store/file/json-scan.ts';
import { parseRoutes } from '../../lib/store/file/routes-json.ts';
import { propertyRuns } from '../support/random.ts';

test('a byte order mark in front is forgiven', () => {
  assert.deepEqual(parseRoutes('\uFEFF{"x.io": ["x"]}').entries, [['x.io', ['x']]]);
});

test('__proto__ is a frontend like any other', () => {
  assert.deepEqual(parseRoutes('{"__proto__": ["x", "http://10.0.0.1"]}').entries, [
    ['__proto__', ['x', 'http://10.0.0.1']],
  ]);
});

for (const [text, fault] of [
  ['', 'is not JSON: expected a value in line 1, column 1'],
  ['{', 'is not JSON: expected a name in quotes or "}" in line 1, column 2'],
  ['{"a": ["x",]}', 'is not JSON: expected a value in line 1, column 12'],
  ['{"a": ["x"],\n}', 'is not JSON: expected a name in quotes in line 2, column 1'],
  ['{"a": ["x"]\n "b": ["y"]}', 'is not JSON: expected "," or "}" in line 2, column 2'],
  ['{"a" ["x"]}', 'is not JSON: expected ":" in line 1, column 6'],
  ["{'a': ['x']}", 'is not JSON: expected a name in quotes or "}" in line 1, column 2'],
  ['{"a": ["x"]} x', 'is not JSON: expected the end in line 1, column 14'],
  ['{"a": ["x" "y"]}', 'is not JSON: expected "," or "]" in line 1, column 12'],
  ['{"a": ["x\n"]}', 'is not JSON: expected a value or "]" in line 1, column 8'],
  ['{"a": [tru]}', 'is not JSON: expected a value or "]" in line 1, column 8'],
] as const) {
  test(`${JSON.stringify(text)} ${fault}`, () => assert.deepEqual(parseRoutes(text).faults, [fault]));
}

for (const text of ['[]', 'null', '"x"', '7']) {
  test(`${text} is no object of frontends`, () => assert.match(parseRoutes(text).faults[0] ?? '', /JSON object/));
}

test('every fault is named, with its key', () => {
  const faults = parseRoutes('{"a": "x", "b": [], "c": ["c", null], "d": ["d"], "d": ["e"], "f": {}}').faults;
  assert.deepEqual(faults, [
    '"d" appears twice, again in line 1, column 51',
    '"a" must be a list: ["name", "http://10.0.0.1:8080", …]',
    '"b" is an empty list; its first element must be a name',
    '"c" must have only strings; element 1 is null',
    '"f" must be a list: ["name", "http://10.0.0.1:8080", …]',
  ]);
});

test('a list longer than a store serves is a fault', () => {
  const list = JSON.stringify(Array.from({ length: 10_001 }, () => 'x'));
  assert.deepEqual(parseRoutes(`{"a": ${list}}`).faults, ['"a" has 10001 elements; at most 10000 are allowed']);
});

for (const [key, fault] of [
  ['WWW.X.io', 'no request can match it; write www.x.io'],
  ['x.io:80', 'no request can match it; write x.io'],
  ['x.io.', 'no request can match it; write x.io'],
  ['*.X.io', 'no request can match it; write *.x.io'],
  ['a b', 'is not a host name: no request can match it'],
  ['', 'is not a host name: no request can match it'],
  ['*.b.c.d.e.f.io', 'no request can match it: wildcards reach five labels deep at most'],
] as const) {
  test(`the frontend ${JSON.stringify(key)} is a warning, not a fault: ${fault}`, () => {
    const { entries, faults, warnings } = parseRoutes(JSON.stringify({ [key]: ['x'], 'y.io': ['y'] }));
    assert.deepEqual(faults, []);
    assert.deepEqual(warnings, [{ key, fault }]);
    assert.equal(entries.length, 2);
  });
}

test('frontends that requests can match are no warning', () => {
  const keys = ['x', 'x.io', '*', '*.io', '*.b.c.d.e.io', '[::1]', '::1', 'a_b.x.io', '127.0.0.1'];
  assert.deepEqual(parseRoutes(JSON.stringify(Object.fromEntries(keys.map((key) => [key, ['x']])))).warnings, []);
});

test('a URL that cannot be used is a warning with its key', () => {
  assert.deepEqual(parseRoutes('{"x.io": ["x", "10.0.0.1:80", "http://10.0.0.2"]}').warnings, [
    { key: 'x.io', fault: 'backend "10.0.0.1:80": not a URL' },
  ]);
});

test('whatever is JSON has no fault for the scan, and a cut or a unknownKey sign has one', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom('}', ']', ',', ':', '"', 'x', '{'), (text, seed, sign) => {
      assert.equal(scanJson(text).fault, null);
      const at = seed % (text.length + 1);
      for (const broken of [text.slice(0, at), text.slice(0, at) + sign + text.slice(at)]) {
        if (isJson(broken)) continue;
        const { fault } = scanJson(broken);
        assert.notEqual(fault, null, broken);
      }
    }),
    { seed: 1, numRuns: propertyRuns(500) },
  );
});

test('a file whose frontends all stand twice is refused in linear time', () => {
  const half = Array.from({ length: 50_000 }, (_, i) => `"site-${i}.test": ["x"]`).join(',');
  for (const between of [',', ',\n']) {
    const { repeats } = scanJson(`{${half}${between}${half}}`);
    assert.equal(repeats.length, 50_000);
    const column = between === ',' ? half.length + 3 : 1;
    assert.deepEqual(repeats[0], { name: 'site-0.test', line: between.length, column });
  }
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig, readConfig } from '../../lib/config/load.ts';
import { parseYaml, YamlError } from '../../lib/config/yaml.ts';
import { machine, makeFolder, write } from '../support/configurations.ts';

/** YAML with a fault, and the message about it. */
const BROKEN: readonly (readonly [string, string])[] = [
  ['a: [1, 2', 'line 1, column 9: flow sequence in block collection must be sufficiently indented and end with a ]'],
  ['a: 1\nb:\n\tc: 1', 'line 3, column 1: tabs are not allowed as indentation'],
  ['a: 1\na: 2', 'line 2, column 1: this key is already given above'],
  ['a: "b', 'line 1, column 6: missing closing quote'],
  ['a: 1\n---\nb: 1', 'line 2, column 1: expected nothing after the end of the document'],
  ['a: !!js/function x', 'line 1, column 4: unresolved tag'],
  ['a: !s3cret x', 'line 1, column 4: unresolved tag'],
  ['a: *s3cret', 'has aliases without an anchor, within their own, or too many'],
  ['a: &b [*b]', 'has aliases without an anchor, within their own, or too many'],
  ['? [a]\n: b', 'line 1, column 3: with stringKeys, all keys must be strings'],
];

for (const [text, message] of BROKEN) {
  test(`${JSON.stringify(text)} is refused with its place, and the text is not repeated`, () => {
    assert.throws(
      () => parseYaml(text),
      (error) => {
        assert.ok(error instanceof YamlError);
        assert.equal(error.message, message);
        return !error.message.includes('s3cret');
      },
    );
  });
}

test('YAML is read by its core schema: "yes" and dates are text', () => {
  assert.deepEqual(parseYaml('a: yes\nb: 2026-01-01\n80: 0x10\nc: {d: [1.5, null, true]}\n__proto__: 1'), {
    a: 'yes',
    b: '2026-01-01',
    80: 16,
    c: { d: [1.5, null, true] },
    ['__proto__']: 1,
  });
});

test('aliases of aliases do not become a value of any size', () => {
  const levels = Array.from({ length: 20 }, (_, level) => `- &a${level + 1} [${'*a' + level},${'*a' + level}]`);
  assert.throws(() => parseYaml(`- &a0 [x]\n${levels.join('\n')}`), /too many/);
});

const JSON_TEXT = `{
  // Comments are allowed.
  "$schema": "./schema.json",
  "server": { "workers": 2, "trustedProxies": ["10.0.0.0/8",], },
  "http": { "bind": [{ "address": "::1", "port": 8080 }] },
}`;
const YAML_TEXT = `
# Comments are allowed.
server:
  workers: 2
  trustedProxies: [10.0.0.0/8]
http:
  bind:
    - address: "::1"
      port: 8080
`;

test('a configuration is YAML by the name of its file, else JSON with comments, and means the same', () => {
  const folder = makeFolder();
  const read = (text: string, name: string) => readConfig(write(text, folder, name), { machine }).document;
  const expected = read(JSON_TEXT, 'a.json');
  for (const name of ['a.yaml', 'a.yml', 'a.YML']) assert.deepEqual(read(YAML_TEXT, name), expected);
  for (const name of ['a.jsonc', 'a.conf']) assert.deepEqual(read(JSON_TEXT, name), expected);
});

test('faults of a YAML file have its name, line and column, or their key', () => {
  const folder = makeFolder();
  const load = (text: string) => loadConfig(write(text, folder, 'a.yaml'), { machine });
  assert.throws(() => load('server:\n  workers: 2\n workers: 3'), { message: /\/a\.yaml: line 3, column \d+: / });
  assert.throws(() => load('server:\n  workers: yes'), {
    message: 'server.workers: must be a whole number of at least 1',
  });
  assert.throws(() => load('# nothing'), { message: /\/a\.yaml: must be an object, \{ … \}$/ });
});

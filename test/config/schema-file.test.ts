/** `config/schema.json`, as editors use it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import { parseJson } from '../../lib/config/json.ts';
import { packageConfigFolder, packageRoot } from '../../lib/config/package.ts';
import { faultsOf, read } from '../support/configurations.ts';
import { fencesOf } from '../support/markdown.ts';

const schema = JSON.parse(readFileSync(join(packageConfigFolder, 'schema.json'), 'utf8')) as object;

// `allowTrailingCommas` and `allowComments` are for editors.
const isValid = new Ajv({
  strict: true,
  allowUnionTypes: true,
  keywords: ['allowComments', 'allowTrailingCommas'],
}).compile(schema);

test('the schema is that of the program, with the words of the documents: `npm run schema` writes it', () => {
  const script = pathToFileURL(join(packageRoot, 'scripts/config-schema.mjs')).href;
  const program = `const { configSchema } = await import(${JSON.stringify(script)}); console.log(configSchema());`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program]);
  assert.equal(String(stderr), '');
  assert.deepEqual(schema, JSON.parse(String(stdout)));
});

test('every key has a description, except sections and $schema', () => {
  const bare: string[] = [];
  const walk = (type: unknown, path: string): void => {
    if (Array.isArray(type)) for (const each of type) walk(each, path);
    else if (typeof type === 'object' && type !== null) {
      for (const [key, inner] of Object.entries(type)) {
        if (key !== 'properties') walk(inner, path);
        else {
          for (const [name, each] of Object.entries(inner as Readonly<Record<string, object>>)) {
            if (!('description' in each)) bare.push(`${path}${name}`);
            walk(each, `${path}${name}.`);
          }
        }
      }
    }
  };
  walk(schema, '');
  const sections = ['server', 'memory', 'drain', 'timeouts', 'limits', 'backendTls', 'http', 'https', 'driverTls'];
  const known = new Set([...sections, 'cache', 'metrics', 'otel', '$schema']);
  assert.deepEqual(
    bare.filter((path) => !known.has(path.split('.').at(-1) ?? '')),
    [],
  );
});

test('the schema accepts every configuration of the package and of the documents', () => {
  const shipped = readdirSync(packageConfigFolder)
    .filter((name) => /^config.*\.json$/.test(name))
    .map((name) => readFileSync(join(packageConfigFolder, name), 'utf8'));
  const shown = fencesOf(readFileSync(join(packageRoot, 'docs/configuration.md'), 'utf8'))
    .filter(({ language }) => language === 'json')
    .map(({ lines }) => lines.join('\n'))
    .filter((text) => !text.includes('mywebsite'));
  assert.ok(shipped.length > 2 && shown.length > 2);
  for (const text of [...shipped, ...shown]) {
    isValid(parseJson(text));
    assert.deepEqual(isValid.errors ?? [], [], text);
  }
});

test('the schema accepts what --dry prints', () => {
  isValid(JSON.parse(JSON.stringify(read({ https: { port: 8443 }, admin: '/run/x.sock' }).document)));
  assert.deepEqual(isValid.errors ?? [], []);
});

/** Configurations that both accept. */
const GOOD: readonly object[] = [
  {},
  { server: null, http: null, admin: null, user: null },
  { server: { workers: '4', accessLog: null, lruCache: false, trustedProxies: '' } },
  { server: { lruCache: { size: 1, ttl: 0.5 }, memory: { limitMB: 0 }, zone: 'a' } },
  { http: { port: '8080', bind: '' } },
  { http: { bind: ['::1', { address: '127.0.0.1', port: 81 }] } },
  { http: { bind: { address: '127.0.0.1', port: 81 } } },
  { driver: ['redis://a', 'redis://b'] },
  { admin: false },
  { admin: { bind: ['::1'], token: 'x' } },
  { options: { hsts: 31_536_000, state: 'live' } },
  { otel: { headers: { a: 'b' } }, user: 33, group: 'staff' },
];

/** Configurations that both refuse. */
const BAD: readonly object[] = [
  { sever: {} },
  { server: [] },
  { server: { workers: 0 } },
  { server: { workers: 'many' } },
  { server: { wokers: 1 } },
  { server: { lruCache: { size: 1 } } },
  { server: { timeouts: { idle: -1 } } },
  { server: { log: 'pretty' } },
  { server: { stickySecret: 'short' } },
  { http: { port: 65_536 } },
  { http: { bind: [{ port: 80 }] } },
  { http: { bind: 80 } },
  { http: { key: 'x' } },
  { driver: 7 },
  { options: { hsts: [] } },
  { options: { nothing: 1 } },
  { otel: { headers: { a: 1 } } },
  { admin: true },
  { user: true },
];

test('what the schema accepts and refuses, the program does, too', () => {
  for (const file of GOOD) {
    isValid(file);
    assert.deepEqual([isValid.errors ?? [], faultsOf(file)], [[], []], JSON.stringify(file));
  }
  for (const file of BAD) {
    assert.ok(!isValid(file), JSON.stringify(file));
    assert.notDeepEqual(faultsOf(file), [], JSON.stringify(file));
  }
});

/** The documents say what the program does: tables, examples, commands and links are held to it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../lib/config/package.ts';
import { readConfig } from '../lib/config/load.ts';
import { KNOWN_KEYS } from '../lib/config/schema.ts';
import { isObject } from '../lib/config/values.ts';
import { parseYaml } from '../lib/config/yaml.ts';
import { parseRoutes } from '../lib/store/file/routes-json.ts';
import { fault as faultOf, FAULT_CODES } from '../lib/diagnostics/fault.ts';
import { faultsOf, machine, write } from './support/configurations.ts';
import { anchorsOf, codesOf, commandsOf, fencesOf, localLinksOf, rowsOf } from './support/markdown.ts';
import { startRedis } from './support/redis.ts';

const COMMAND = fileURLToPath(new URL('../bin/hipache.js', import.meta.url));
const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'lib/README.md',
  'examples/README.md',
  ...readdirSync(join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .toSorted(),
];

const read = (name: string): string => readFileSync(join(packageRoot, name), 'utf8');

/** Defaults that depend on the machine, or on another key, in the words of the tables. */
const IN_WORDS: Readonly<Record<string, string>> = {
  'server.workers': 'one per CPU',
  'server.memory.limitMB': 'from 200 to 1,000',
  'server.memory.ceilingMB': "a worker's share",
  'server.limits.connectionsPerClient': 'a quarter of the above',
  'http.bind': '`["127.0.0.1"]`',
  'admin.bind': '`["127.0.0.1"]`',
  'admin.port': '`8081`',
  'https.ciphers': "Mozilla's intermediate",
  user: '`www-data`',
  group: "the user's",
};

/** The keys of a configuration table, each with its default as written. */
function tableOf(name: string): ReadonlyMap<string, string> {
  const rows = rowsOf(read(name), 'key');
  return new Map(rows.flatMap(([keys = '', byDefault = '']) => codesOf(keys).map((key) => [key, byDefault])));
}

/** Every key that a file may hold, `https.bind[].cert` among them. */
function knownKeys(): readonly string[] {
  return [...KNOWN_KEYS].flatMap(([section, keys]) => {
    const place = section.replace(/\.bind$/, '.bind[].').replace(/([^.])$/, '$1.');
    return (
      keys
        .map((key) => `${place}${key}`)
        .filter((key) => !KNOWN_KEYS.has(key) || /lruCache|^admin$|^options$|bind$/.test(key))
        // Those are in docs/sites.md.
        .filter((key) => !key.startsWith('options.'))
    );
  });
}

/** The default of a key in the words of the tables. */
function defaultOf(key: string): string {
  const inWords = IN_WORDS[key];
  if (inWords !== undefined) return inWords;
  if (/^https?\.bind\[\]/.test(key)) return key.endsWith('.address') ? '–' : `as in \`${key.split('.')[0]}\``;
  let value: unknown = readConfig(write({}), { machine }).document;
  for (const part of key.split('.')) value = isObject(value) ? value[part] : undefined;
  return value === undefined || value === null ? '–' : `\`${JSON.stringify(value).replaceAll(',', ', ')}\``;
}

test('the table of every key holds every key, and no other', () => {
  assert.deepEqual([...tableOf('docs/configuration.md').keys()].toSorted(), [...knownKeys()].toSorted());
});

test("the defaults in docs/configuration.md are the program's", () => {
  const table = tableOf('docs/configuration.md');
  assert.ok(table.size > 15);
  for (const [key, byDefault] of table) {
    assert.ok(knownKeys().includes(key), `docs/configuration.md names a key ${key} that the program does not have`);
    assert.equal(byDefault, defaultOf(key), key);
  }
});

for (const name of DOCUMENTS) {
  test(`the examples in ${name} are configurations or routes that work`, () => {
    for (const { language, lines } of fencesOf(read(name))) {
      if (language === 'yaml' && name === 'docs/configuration.md')
        assert.deepEqual(faultsOf(JSON.stringify(parseYaml(lines.join('\n')))), []);
      if (language !== 'json') continue;
      const text = lines.join('\n');
      const values = Object.entries(JSON.parse(text) as object);
      const isRoutes = values.every(([key, value]) => Array.isArray(value) || key.startsWith('healthcheck:'));
      const { faults, warnings } = parseRoutes(text);
      if (isRoutes) assert.deepEqual([...faults, ...warnings], []);
      // Certificates are examples, too.
      else
        assert.deepEqual(
          faultsOf(text).filter((fault) => !fault.endsWith('does not exist')),
          [],
        );
    }
  });

  test(`the links in ${name} lead somewhere`, () => {
    for (const link of localLinksOf(read(name))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? name : join(dirname(name), path);
      assert.doesNotThrow(() => read(target), `${name}: ${link}`);
      if (anchor !== undefined) assert.ok(anchorsOf(read(target)).includes(anchor), `${name}: ${link}`);
    }
  });
}

test('the command prints what docs/command-line.md shows', () => {
  const shown = commandsOf(read('docs/command-line.md')).filter(({ command }) =>
    /^hipache --(?:help|version)$/.test(command),
  );
  assert.equal(shown.length, 2);
  for (const { command, output } of shown) {
    const [, ...args] = command.split(' ');
    assert.equal(spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8' }).stdout, output);
  }
});

test('redis-cli prints what README shows, step by step', async (t) => {
  const redis = await startRedis(t);
  const steps = commandsOf(read('README.md')).filter(({ command }) => command.startsWith('redis-cli '));
  assert.equal(steps.length, 4);
  for (const { command, output } of steps) {
    const [, ...args] = command.split(' ');
    const { stdout } = spawnSync('redis-cli', ['--no-raw', '-p', String(redis.port), ...args], { encoding: 'utf8' });
    assert.equal(stdout, output, command);
  }
});

for (const [name, least] of [
  ['README.md', 1],
  ['docs/routes.md', 8],
] as const) {
  test(`the commands in ${name} print what it shows, step by step`, async (t) => {
    const redis = await startRedis(t);
    const steps = commandsOf(read(name)).filter(({ command, output }) => {
      return /^(?:hipache (?:route|lint)|redis-cli rpush) /.test(`${command} `) && output !== '';
    });
    const own = name === 'README.md' ? steps.filter(({ command }) => command.startsWith('hipache')) : steps;
    assert.ok(own.length >= least);
    for (const { command, output } of own) {
      const [program, ...args] = command.split(' ');
      const result =
        program === 'hipache'
          ? spawnSync(process.execPath, [COMMAND, ...args, '--driver', `redis://127.0.0.1:${redis.port}`])
          : spawnSync('redis-cli', ['--no-raw', '-p', String(redis.port), ...args]);
      assert.equal(String(result.stdout).replace(`:${redis.port}/`, ':6379/'), output, command);
    }
  });
}

test('docs/routes.md tells of every fault with its severity, and of no other', () => {
  const told = rowsOf(read('docs/routes.md'), 'code').flatMap(([codes = '', severity = '']) =>
    codesOf(codes).map((code) => `${code} ${severity}`),
  );
  const known = FAULT_CODES.map((code) => `${code} ${faultOf(code, '').severity}`);
  assert.deepEqual(told.toSorted(), known.toSorted());
});

test('every metric that the documents name is in the table of docs/admin.md', () => {
  const table = new Set(rowsOf(read('docs/admin.md'), 'metric').flatMap(([name = '']) => codesOf(name)));
  for (const name of DOCUMENTS) {
    for (const [metric] of read(name).matchAll(/\bhipache_[a-z]\w+/g)) {
      assert.ok(table.has(metric.replace(/_(?:bucket|sum|count)$/, '')), `${name}: ${metric}`);
    }
  }
});

test('every event that a table of the documents names is in the table of docs/logs.md', () => {
  const known = new Set(eventsOf('docs/logs.md'));
  for (const name of DOCUMENTS) for (const event of eventsOf(name)) assert.ok(known.has(event), `${name}: ${event}`);
});

test('every npm script that the documents name is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: object };
  for (const name of DOCUMENTS) {
    for (const [, script = ''] of read(name).matchAll(/npm run (\w[\w:-]*)/g)) assert.ok(script in scripts, script);
  }
});

test('docs/logs.md tells of every event of the log, and of no other', () => {
  const sources = readdirSync(join(packageRoot, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, text: read(join('lib', name)) }));
  const events = new Set(sources.flatMap(({ text }) => namesIn(text, /\bevent: '([\w-]+)'/g)));
  // Notices carry their event's name as their type.
  for (const { name, text } of sources) {
    if (/(?:^store\/store|proxy\/mark-dead|^checks\/check-event)\.ts$/.test(name)) {
      for (const type of namesIn(text, /readonly type: '([\w-]+)'/g)) events.add(type);
    }
  }
  const told = rowsOf(read('docs/logs.md'), 'event').flatMap(([event = '']) => codesOf(event));
  assert.deepEqual([...told].toSorted(), [...events].toSorted());
});

test('docs/logs.md tells of every code that a refused request can have', () => {
  const codes = namesIn(read('lib/core/errors.ts'), /^ {2}'?([a-z-]+)'?: \d{3},$/gm).filter(
    (code) => code !== 'internal',
  );
  assert.ok(codes.length > 10);
  const told = rowsOf(read('docs/logs.md'), '`code` of `refused`').flatMap(([cell = '']) =>
    codesOf(cell.split(':')[0] ?? ''),
  );
  assert.deepEqual([...told].toSorted(), [...codes].toSorted());
});

/** The events in the tables of a document. */
function eventsOf(name: string): readonly string[] {
  return rowsOf(read(name), 'event').flatMap(([cell = '']) => codesOf(cell));
}

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}

test('every file that the map names is there', () => {
  const names = new Set(
    readdirSync(join(packageRoot, 'lib'), { recursive: true, encoding: 'utf8' }).map((path) =>
      path.replaceAll('\\', '/'),
    ),
  );
  const lastParts = new Set([...names].map((path) => path.replace(/^.*\//, '')));
  for (const name of read('lib/README.md').match(/(?<=`)[\w./-]+\.ts(?=`)/g) ?? []) {
    const isThere = name.includes('/') ? names.has(name) || existsSync(join(packageRoot, name)) : lastParts.has(name);
    assert.ok(isThere, name);
  }
});

/** The layers of lib/README.md: imports point down, never up, never sideways between folders of one rank. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The rooms, from the lowest layer up. Rooms of one layer do not import from each other. */
const LAYERS: readonly (readonly string[])[] = [
  ['lib/core', 'lib/clock', 'lib/files'],
  ['lib/core/limits', 'lib/core/routing'],
  ['lib/core/balance', 'lib/core/health', 'lib/core/http', 'lib/core/record'],
  ['lib/sites', 'lib/http1', 'lib/http2/hpack', 'lib/http2/frames'],
  ['lib/config', 'lib/store', 'lib/backends/dialing'],
  [
    'lib/store/redis-client',
    'lib/store/cache',
    'lib/store/file',
    'lib/backends',
    'lib/overload',
    'lib/rates',
    'lib/concurrency',
  ],
  ['lib/store/redis'],
  ['lib/store/editor'],
  ['lib/store/drivers'],
  ['lib/proxy', 'lib/fastlane', 'lib/http2', 'lib/diagnostics', 'lib/checks', 'lib/deploys'],
  ['lib/proxy/files', 'lib/observe', 'lib/server'],
  ['lib/admin'],
  ['lib/cluster', 'lib/command', 'lib/dashboard'],
  ['lib/cluster/master', 'lib/cluster/worker'],
  ['bin', 'lib/library'],
];

const RANKS: ReadonlyMap<string, number> = new Map(LAYERS.flatMap((rooms, rank) => rooms.map((room) => [room, rank])));

/** Who may import what comes from elsewhere: those whose path begins so, or so. */
const IMPORTERS: ReadonlyMap<string, string> = new Map([
  ['http-proxy', 'lib/proxy/forward.ts'],
  ['ioredis', 'lib/store/redis-client/'],
  [
    'lru-cache',
    'lib/store/ lib/backends/dialing/names.ts lib/server/certificates.ts lib/cluster/master/last-good-certificates.ts',
  ],
  ['re2js', 'lib/sites/path-pattern.ts'],
  ['send', 'lib/proxy/files/file-head.ts'],
  ['pino', 'lib/observe/log.ts'],
  ['prom-client', 'lib/admin/prometheus.ts'],
  ['valibot', 'lib/config/'],
  ['ws', 'lib/admin/event-stream.ts'],
  ['yaml', 'lib/config/yaml.ts lib/command/set-file.ts'],
  ['node:cluster', 'lib/cluster/'],
  ['node:http2', 'lib/backends/http2/ lib/backends/checks/http2-check.ts'],
  ['@opentelemetry/api', 'lib/observe/otlp.ts'],
  ['@opentelemetry/exporter-trace-otlp-http', 'lib/observe/otlp.ts'],
  ['@opentelemetry/resources', 'lib/observe/otlp.ts'],
  ['@opentelemetry/sdk-trace-base', 'lib/observe/otlp.ts'],
]);

interface Import {
  readonly from: string;
  /** A path from the root for our own files, else the module's name. */
  readonly to: string;
}

// Static imports and exports, type imports, and dynamic ones: all name their module in quotes after these words, and
// a method of that name (Buffer.from) is none of them.
const SPECIFIER = /(?<!\.)\b(?:from|import)\s*\(?\s*'([^'\s]+)'/g;

const files = ['lib', 'bin'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`),
);

const imports: readonly Import[] = files.flatMap((from) => {
  const code = readFileSync(join(root, from), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...code.matchAll(SPECIFIER)].map(([, name = '']) => ({
    from,
    to: name.startsWith('.') ? normalize(join(dirname(from), name)) : name,
  }));
});

const isOurs = ({ to }: Import): boolean => to.startsWith('lib/') || to.startsWith('bin/');
/** The room that a file is in: its folder. The record of a backend and what hangs on it, in folders of their own, are one room. */
const roomOf = (file: string): string => dirname(file).replace(/^lib\/backends\/(?!dialing).*/, 'lib/backends');
const rank = (file: string): number => RANKS.get(roomOf(file)) ?? Number.NaN;
const told = ({ from, to }: Import): string => `${from} imports ${to}`;

test('there is something to look at', () => {
  assert.ok(files.length > 50, `${files.length} files`);
  assert.ok(imports.some(({ from, to }) => from === 'lib/proxy/router.ts' && to === 'lib/core/health/verdict.ts'));
});

test('every file has a place in the table', () => {
  assert.deepEqual(
    files.filter((file) => !RANKS.has(roomOf(file))),
    [],
  );
});

test('imports point down, never up, never sideways between folders of one rank', () => {
  const wrong = imports.filter((each) => {
    const { from, to } = each;
    return isOurs(each) && roomOf(from) !== roomOf(to) && !(rank(to) < rank(from));
  });
  assert.deepEqual(wrong.map(told), []);
});

test('imports name files that are there, and stay within lib and bin', () => {
  const wrong = imports.filter(
    (each) => each.to.includes('/') && !/^(?:node:|@)/.test(each.to) && !files.includes(each.to),
  );
  assert.deepEqual(wrong.map(told), []);
});

test('commands are loaded when one is asked for', () => {
  const fromOutside = imports.filter(
    ({ from, to }) => to.startsWith('lib/command/') && !from.startsWith('lib/command/'),
  );
  assert.deepEqual(fromOutside.map(told), ['bin/hipache.ts imports lib/command/run.ts']);
  for (const file of ['bin/hipache.ts', 'lib/command/run.ts']) {
    assert.doesNotMatch(
      readFileSync(join(root, file), 'utf8'),
      /^import .*(?:command\/run|\.\/(?:route|apply|export|dead|lint|top|health|completion))\.ts'/m,
    );
  }
});

test('the dashboard runs in browsers: it imports itself, and from lib/admin the types of responses', () => {
  const wrong = imports.filter(({ from, to }) => {
    if (!from.startsWith('lib/dashboard/')) return to.startsWith('lib/dashboard/');
    return !to.startsWith('lib/dashboard/') && to !== 'lib/admin/answers.ts';
  });
  assert.deepEqual(wrong.map(told), []);
  for (const file of files.filter((name) => name.startsWith('lib/dashboard/'))) {
    const code = readFileSync(join(root, file), 'utf8');
    assert.doesNotMatch(code, /^import (?!type )[^;]*'\.\.\//m, file);
  }
});

test('Node’s modules are called by their full names', () => {
  assert.deepEqual(imports.filter(({ to }) => builtinModules.includes(to)).map(told), []);
});

test('core is rules: no Node, no packages but that of patterns, no clock, no chance', () => {
  const foreign = imports.filter((each) => each.from.startsWith('lib/core/') && !isOurs(each) && each.to !== 're2js');
  assert.deepEqual(foreign.map(told), []);
  const impure =
    /\b(?:process|Buffer|setTimeout|setInterval|setImmediate|console|performance)\b[.(]|Math\.random|Date\.now|new Date\(\)/;
  const wrong = files.filter(
    (file) => file.startsWith('lib/core/') && impure.test(readFileSync(join(root, file), 'utf8')),
  );
  assert.deepEqual(wrong, []);
});

for (const [name, where] of IMPORTERS) {
  test(`${name} is imported by ${where} only`, () => {
    const importers = imports.filter(({ to }) => to === name).map(({ from }) => from);
    assert.ok(importers.length > 0);
    assert.deepEqual(
      importers.filter((from) => !where.split(' ').some((start) => from.startsWith(start))),
      [],
    );
  });
}

test('no other package is imported, and every one is declared', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const declared = { ...manifest.optionalDependencies, ...manifest.dependencies };
  const packages = new Set(imports.filter((each) => !isOurs(each) && !each.to.startsWith('node:')).map(({ to }) => to));
  for (const name of packages) {
    assert.ok(IMPORTERS.has(name), `${name} has no place in the table`);
    assert.ok(name in declared, `${name} is not declared`);
  }
});

test('packages that may be missing are loaded when they are asked for', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  for (const file of files) {
    const code = readFileSync(join(root, file), 'utf8');
    // An import of types alone leaves no trace in what is built.
    const loaded = [...code.matchAll(/^import (?!type )[^;]*?'([^'.][^']*)'/gm)].map(([, name = '']) => name);
    assert.deepEqual(
      loaded.filter((name) => name in optionalDependencies),
      [],
      file,
    );
  }
});

function linesOf(file: string): number {
  return readFileSync(join(root, file), 'utf8').split('\n').length - 1;
}

test('no file is longer than 300 lines', () => {
  assert.deepEqual(
    files.filter((file) => linesOf(file) > 300),
    [],
  );
});

test('no file imports itself by way of others', () => {
  const graph = new Map<string, string[]>();
  for (const { from, to } of imports.filter(isOurs)) graph.set(from, [...(graph.get(from) ?? []), to]);
  const seen = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) circles.push([...way.slice(at), file].join(' > '));
    if (seen.has(file)) return;
    seen.add(file);
    for (const to of graph.get(file) ?? []) visit(to, [...way, file]);
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(circles, []);
});

/** The package as npm installs it, and the commands in it: its own files stay as they came. */
// @one-lane: it is about which files a package has
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readDashboard } from '../../lib/admin/dashboard.ts';
import { packageRoot } from '../../lib/config/package.ts';
import { adminOf, askAdmin } from '../support/admin.ts';
import { startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import type { Outcome } from '../support/command.ts';
import { startRouter, temporaryFolder } from '../support/router.ts';

const URL = 'http://127.0.0.1:9001';
/** A machine's own configuration comes before the one that is missing here. */
const hasSystemConfig = existsSync('/etc/hipache.json') && 'this machine has a configuration';

interface Installed {
  readonly folder: string;
  readonly home: string;
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => Outcome;
}

/** Without a network: what it depends on is the clone's. */
function install(t: TestContext): Installed {
  const home = temporaryFolder(t);
  const modules = join(home, 'node_modules');
  const folder = join(modules, '@hipache', 'router');
  mkdirSync(join(modules, '@hipache'), { recursive: true });
  const pack = ['pack', '--ignore-scripts', '--offline', '--silent', '--pack-destination', home];
  const name = execFileSync('npm', pack, { cwd: packageRoot, encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', join(home, name), '-C', home]);
  execFileSync('mv', [join(home, 'package'), folder]);
  for (const each of readdirSync(join(packageRoot, 'node_modules'))) {
    if (!each.startsWith('.')) symlinkSync(join(packageRoot, 'node_modules', each), join(modules, each));
  }
  const run: Installed['run'] = (args, env = {}) => {
    const program = join(folder, 'dist', 'bin', 'hipache.js');
    const all = { ...process.env, SETTINGS_FLAVOR: '', HIPACHE_CONFIG: '', ...env };
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      cwd: home,
      env: all,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  return { folder, home, run };
}

function digestOf(folder: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  for (const name of names) {
    const path = join(folder, name);
    hash.update(`${name}\n`);
    if (statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

test('in an installed package a command edits the store that is named, and never the package', async (t) => {
  const { folder, home, run } = install(t);
  const before = digestOf(folder);
  await t.test('that no configuration names is an error that says what to do', { skip: hasSystemConfig }, () => {
    for (const args of [['route', 'set', 'www.x.com', 'site', URL], ['route', 'list'], ['lint']]) {
      assert.deepEqual(run(args), {
        status: 1,
        stdout: '',
        stderr:
          'hipache: no configuration says where the routes are: give --config FILE or --driver URL, ' +
          'set HIPACHE_CONFIG, or make /etc/hipache.json\n',
      });
    }
    // A first start needs none.
    assert.match(run(['--dry']).stdout, /"port": 8080/);
  });
  const refused =
    /routes\.json is part of the package, and the next version replaces it: name a routes file of your own/;
  const set = ['route', 'set', 'www.x.com', 'site', URL];
  for (const { status, stdout, stderr } of [
    run(set, { SETTINGS_FLAVOR: 'test' }),
    run(['route', 'options', 'demo.localhost', 'https=redirect', '-c', join(folder, 'config', 'config.json')]),
    run([...set, '--driver', `file:${join(folder, 'config', 'routes.json')}`]),
  ]) {
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, refused);
  }
  const routes = join(home, 'routes.json');
  writeFileSync(routes, '{}');
  writeFileSync(join(home, 'own.json'), JSON.stringify({ driver: 'file:routes.json', user: 'root' }));
  assert.deepEqual(run(set, { HIPACHE_CONFIG: 'own.json' }), {
    status: 0,
    stdout: `www.x.com: created, 1 backend, in ${routes}\n`,
    stderr: '',
  });
  assert.deepEqual(JSON.parse(readFileSync(routes, 'utf8')), { 'www.x.com': ['site', URL] });
  assert.equal(digestOf(folder), before);
});

test('an installed package serves, and has the whole dashboard', async (t) => {
  const { folder } = install(t);
  const backend = await startBackend(t, (_request, response) => response.end('hello'));
  const router = await startRouter(t, {
    command: join(folder, 'dist', 'bin', 'hipache.js'),
    routes: { 'site.test': ['site', backend.url] },
    config: { admin: { port: 0 } },
  });
  assert.equal((await ask(router)).body, 'hello');
  const { text } = await askAdmin(await adminOf(router), '/');
  assert.equal(text, readDashboard().html.toString());
});

const PROGRAM = `
import { ConfigError, createRouter, RouterError, siteFeature } from '@hipache/router';
import type { Frontend, LookupStore, Router, RouterEvent, RouteTexts } from '@hipache/router';

const names: string[] = [];
const closed = siteFeature<{ readonly until: string }>({
  fields: { closedUntil: (text) => ({ until: text }) },
  defaults: { until: '' },
  behaviour: ({ until }) => ({
    admit: ({ path }) => (path === '/' ? { type: 'refused', error: new RouterError('maintenance', until) } : null),
  }),
});
const routes: RouteTexts = { 'site.test': ['site', 'redirect://other.test/'], 'options:site.test': { closedUntil: 'May' } };
const onEvent = ({ event }: RouterEvent): void => void names.push(event);
const router: Router = await createRouter({ routes, features: [closed], onEvent });
const { answer, route } = await router.explain('site.test', '/');
console.log(router.addresses.length, answer.status, route?.name, (await router.metrics()).includes('hipache_ready 1'));
router.routes.set('odd.test', ['odd', 'nonsense']);
await router.close();
console.log(names.join());

const found: Frontend = { key: '*', list: ['all', 'http://127.0.0.1:1'] };
const store: LookupStore = { find: async () => found };
await (await createRouter({ store })).close();
try {
  // @ts-expect-error -- a list must be an array
  await createRouter({ routes: { 'site.test': 1 }, config: { server: { worker: 1 } } });
} catch (error) {
  console.log(error instanceof ConfigError && error.faults.join());
}
`;

test('a program in TypeScript compiles with the library of an installed package, and runs', (t) => {
  const { home } = install(t);
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(home, 'program.ts'), PROGRAM);
  const options = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
    '--exactOptionalPropertyTypes',
  ];
  const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = spawnSync(process.execPath, [compiler, ...options, 'program.ts'], { cwd: home, encoding: 'utf8' });
  assert.deepEqual([compiled.stdout, compiled.status], ['', 0]);
  const ran = spawnSync(process.execPath, ['program.js'], { cwd: home, encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([ran.stderr, ran.status], ['', 0]);
  assert.deepEqual(ran.stdout.split('\n'), [
    '1 503 site true',
    'route-fault',
    'server.worker: unknown key; did you mean "workers"?',
    '',
  ]);
});

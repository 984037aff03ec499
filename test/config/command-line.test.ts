import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../lib/config/package.ts';
import { version } from '../../lib/core/version.ts';
import { load, makeFolder, write } from '../support/configurations.ts';

/** The command as an operator runs it: a process of its own. */

const PROGRAM = fileURLToPath(new URL('../../bin/hipache.js', import.meta.url));
const OK = 'Configuration file looks ok. Here is the result:\n';

function hipache(argv: readonly string[], { cwd = packageRoot, flavor = '' } = {}) {
  const env = { ...process.env, SETTINGS_FLAVOR: flavor, HIPACHE_CONFIG: '' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...argv], { cwd, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function shown(stdout: string): unknown {
  assert.ok(stdout.startsWith(OK), stdout);
  return JSON.parse(stdout.slice(OK.length));
}

/** A user of this machine is no matter here; as root one must be named. */
const SOUND = { server: { workers: 2 }, driver: 'redis://:s3cret@127.0.0.1:1', user: 'root' };

for (const flag of ['--dry', '-d', '-t']) {
  test(`${flag} says that the configuration is fine, prints it and exits 0`, () => {
    const { status, stdout, stderr } = hipache([flag, '--config', write(SOUND)]);
    assert.equal(status, 0);
    assert.equal(stderr, '');
    const document = shown(stdout);
    assert.ok(typeof document === 'object' && document !== null && 'driver' in document);
    assert.equal(document.driver, 'redis://:***@127.0.0.1:1');
    assert.doesNotMatch(stdout, /s3cret/);
  });
}

test('--dry --json prints JSON and nothing else, of a good configuration and of a bad one', () => {
  const good = hipache(['--dry', '--json', '-c', write(SOUND)]);
  assert.deepEqual([good.status, good.stderr], [0, '']);
  assert.deepEqual(JSON.parse(good.stdout), shown(hipache(['--dry', '-c', write(SOUND)]).stdout));
  const bad = hipache(['--dry', '--json', '-c', write({ server: { workers: 0, worker: 1 }, user: 'root' })]);
  assert.deepEqual([bad.status, bad.stderr], [1, '']);
  const { error, faults } = JSON.parse(bad.stdout) as { error: { code: string; message: string }; faults: string[] };
  assert.equal(error.code, 'bad-config');
  assert.equal(error.message, faults[0]);
  assert.deepEqual(
    faults.map((fault) => fault.slice(0, fault.indexOf(':'))),
    ['server.workers', 'server.worker'],
  );
});

test('--dry --quiet prints nothing but faults', () => {
  assert.deepEqual(hipache(['--dry', '--quiet', '-c', write(SOUND)]), { status: 0, stdout: '', stderr: '' });
  const bad = hipache(['-tqc', write({ server: { workers: 0 }, user: 'root' })]);
  assert.deepEqual([bad.status, bad.stdout], [1, '']);
  assert.match(bad.stderr, /^server\.workers: /);
});

for (const argv of ['--dry', '--dry --json', '--help', '--version', 'help', 'help route', 'route list --help']) {
  test(`a reader of "hipache ${argv}" that has gone is no fault`, () => {
    const path = write(SOUND);
    const args = argv.startsWith('--dry') ? `${argv} -c ${path}` : argv;
    // Nothing can be written any more when the command starts.
    const script = `{ trap '' PIPE; while echo; do :; done 2>/dev/null; "$0" "$1" ${args}; echo "code $?" >&2; } | true`;
    const { stderr } = spawnSync('sh', ['-c', script, process.execPath, PROGRAM], { encoding: 'utf8' });
    assert.equal(stderr, 'code 0\n');
  });
}

test('what --dry prints can be fed back, and then prints the same', () => {
  const path = write({ ...SOUND, driver: 'file:routes.json' });
  const first = hipache(['-d', '-c', path]).stdout;
  const second = hipache(['-d', '-c', write(shown(first))]).stdout;
  assert.equal(second, first);
  assert.deepEqual(load(shown(first)), load(shown(second)));
});

test('--dry touches neither Redis nor ports', async () => {
  let connections = 0;
  const busy = createServer(() => connections++);
  await new Promise<void>((listening) => busy.listen(0, '127.0.0.1', listening));
  const address = busy.address();
  assert.ok(typeof address === 'object' && address !== null);
  const http = { port: address.port };
  const { status } = hipache(['-d', '-c', write({ ...SOUND, http, driver: `redis://127.0.0.1:${address.port}` })]);
  await new Promise((closed) => busy.close(closed));
  assert.equal(status, 0);
  assert.equal(connections, 0);
});

test('the file is relative to the working directory', () => {
  const path = write(SOUND);
  const { status } = hipache(['-d', '-c', basename(path)], { cwd: dirname(path) });
  assert.equal(status, 0);
});

const hasSystemConfig = existsSync('/etc/hipache.json') && 'this machine has a configuration';

test(
  'without a file it takes the one of the package, and with SETTINGS_FLAVOR another',
  { skip: hasSystemConfig },
  () => {
    assert.match(hipache(['-d']).stdout, /"port": 8080/);
    assert.match(hipache(['-d'], { flavor: 'test' }).stdout, /"accessLog": null/);
    const { status, stderr } = hipache(['-d'], { flavor: 'nosuch' });
    assert.equal(status, 1);
    assert.equal(stderr, `${join(packageRoot, 'config/config_nosuch.json')}: does not exist\n`);
  },
);

test('a bad configuration prints every fault on standard error, one a line, then which file has them, and exits 1', () => {
  const path = write({ server: { workers: 0, worker: 1 }, driver: 'mysql://:s3cret@h', user: 'root' });
  for (const argv of [
    ['--dry', '-c', path],
    ['-c', path],
  ]) {
    const { status, stdout, stderr } = hipache(argv);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    const lines = stderr.trimEnd().split('\n');
    assert.deepEqual(
      lines.slice(0, -1).map((line) => line.slice(0, line.indexOf(':'))),
      ['server.workers', 'server.worker', 'driver'],
    );
    assert.equal(lines.at(-1), `${path} has 3 faults`);
    assert.doesNotMatch(stderr, /s3cret/);
  }
});

test('a file that is missing, or is no JSON, exits 1 and says where', () => {
  const missing = join(makeFolder(), 'none.json');
  assert.deepEqual(hipache(['-c', missing]), { status: 1, stdout: '', stderr: `${missing}: does not exist\n` });
  const broken = write('{"server": }');
  const { status, stderr } = hipache(['-d', '-c', broken]);
  assert.equal(status, 1);
  assert.match(stderr, /line 1, column 12: expected a value before "}"/);
});

test('deprecations go to standard error, one a line, and do not fail', () => {
  const { status, stdout, stderr } = hipache([
    '-d',
    '-c',
    write({ user: 'root', server: { port: 81 }, redisHost: 'h' }),
  ]);
  assert.equal(status, 0);
  assert.match(JSON.stringify(shown(stdout)), /"driver":"redis:\/\/h"/);
  assert.equal(
    stderr,
    'server.port: deprecated; use http.port; without http.bind it is local only\nredisHost: deprecated; use driver\n',
  );
});

test('usage errors are refused in one line that says how to get help, with exit code 2', () => {
  assert.deepEqual(hipache(['--wrong', 'x.json']), {
    status: 2,
    stdout: '',
    stderr: 'hipache: unknown option "--wrong"; "hipache --help" lists what it takes\n',
  });
  for (const argv of [
    ['x.json'],
    ['--config'],
    ['--dry=1'],
    ['--json'],
    ['help', 'nothing'],
    ['version', '1'],
    ['route'],
    ['route', 'nothing'],
    ['route', 'show'],
    ['route', 'list', 'x'],
    ['route', 'list', '--wrong'],
    ['route', 'list', '--driver', 'nothing'],
    ['lint', 'x'],
    ['lint', '--wrong'],
    ['top', 'x'],
    ['top', '--admin', 'nothing'],
    ['top', '--wrong'],
    ['completion'],
    ['completion', 'fish'],
    ['completion', 'bash', 'zsh'],
    ['completion', '--wrong'],
  ]) {
    const { status, stdout, stderr } = hipache(argv);
    assert.deepEqual([status, stdout], [2, ''], argv.join(' '));
    assert.match(stderr, /^hipache: .*(?:;|\?) "hipache (?:\w+ )?--help" lists what it takes\n$/);
  }
});

test('--help and help print how to use it, --version and version the version of the package', () => {
  for (const flag of ['-h', '--help', 'help']) {
    const { status, stdout, stderr } = hipache([flag]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.match(stdout, /^Usage: hipache /);
  }
  for (const flag of ['-v', '--version', 'version']) {
    assert.deepEqual(hipache([flag]), { status: 0, stdout: `${version}\n`, stderr: '' });
  }
});

test('the compiled program can be run by name', () => {
  assert.ok(readFileSync(PROGRAM, 'utf8').startsWith('#!/usr/bin/env node\n'));
});

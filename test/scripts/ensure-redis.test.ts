import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../lib/config/package.ts';
import { temporaryFolder } from '../support/router.ts';

const SCRIPT = pathToFileURL(join(packageRoot, 'scripts/ensure-redis.mjs')).href;
const PROGRAM = `const { ensureRedis } = await import(${JSON.stringify(SCRIPT)}); process.exitCode = ensureRedis() ? 0 : 1;`;
const SENTENCE =
  /^The tests need redis-server 6 or newer on the PATH, and [^\n]*: install it, then run them again\.\n$/;

/** Runs the script on a machine that has these commands and no others. */
function ensure(t: TestContext, commands: Readonly<Record<string, string>>) {
  const folder = temporaryFolder(t);
  for (const [name, body] of Object.entries(commands)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body.replaceAll('FOLDER', folder)}\n`, { mode: 0o755 });
  }
  const args = ['--input-type=module', '--eval', PROGRAM];
  const { status, stderr } = spawnSync(process.execPath, args, { env: { PATH: folder }, encoding: 'utf8' });
  return { status, stderr, folder };
}

const REDIS_7 = 'echo "Redis server v=7.2.4 sha=00000000:0"';
// As root there is no need for it; for others this one may do everything.
const SUDO = 'shift; exec "$@"';
const ENV = 'shift; shift; exec "$@"';

test('a redis-server that is there is enough, and nothing is said', (t) => {
  const { status, stderr } = ensure(t, { 'redis-server': REDIS_7 });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});

test('one that is too old is refused in one sentence', (t) => {
  const { status, stderr } = ensure(t, { 'redis-server': 'echo "Redis server v=5.0.7"' });
  assert.equal(status, 1);
  assert.match(stderr, SENTENCE);
  assert.match(stderr, /is of version 5/);
});

test('where nothing can be installed, that is said in one sentence', (t) => {
  const { status, stderr } = ensure(t, {});
  assert.equal(status, 1);
  assert.match(stderr, SENTENCE);
});

test('an installation that fails is told with its reason', (t) => {
  const apt = `case "$*" in *install*) echo "W: old" >&2; echo "E: Unable to locate package redis-server" >&2; exit 100;; esac`;
  const { status, stderr } = ensure(t, { 'apt-get': apt, sudo: SUDO, env: ENV });
  assert.equal(status, 1);
  const [first, ...rest] = stderr.split(/(?<=\n)/);
  assert.match(first ?? '', /installing it/);
  assert.match(rest.join(''), SENTENCE);
  assert.match(stderr, /\(Unable to locate package redis-server\)/);
});

test('one that was installed serves, and its service is stopped', (t) => {
  const apt = `case "$*" in *install*) printf '#!/bin/sh\\n${REDIS_7.replaceAll('"', '\\"')}\\n' > FOLDER/redis-server; /bin/chmod 755 FOLDER/redis-server;; esac`;
  const note = 'echo "$0 $*" >> FOLDER/stopped';
  const { status, folder } = ensure(t, { 'apt-get': apt, sudo: SUDO, env: ENV, service: note, systemctl: note });
  assert.equal(status, 0);
  assert.ok(existsSync(join(folder, 'stopped')));
  assert.match(readFileSync(join(folder, 'stopped'), 'utf8'), /redis-server/);
});

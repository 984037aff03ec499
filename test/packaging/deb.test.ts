/** The Debian package: what is in it, and that it can be installed, run, upgraded and purged. */
// @one-lane: it is about files and users
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../lib/config/package.ts';
import { version } from '../../lib/core/version.ts';
import { missing } from '../support/tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'hipache-deb-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const noDpkg = missing('dpkg-deb');
const packed = noDpkg === false ? build() : '';

function build(): string {
  const env = { ...process.env, DEBEMAIL: 'packager@hipache.org', SOURCE_DATE_EPOCH: '1800000000' };
  const script = join(packageRoot, 'scripts/build-deb.mjs');
  return execFileSync(process.execPath, [script, folder], { env, encoding: 'utf8' }).trim();
}

const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' });

const field = (name: string): string => run('dpkg-deb', '--field', packed, name).trim();

test('the package names its version, and needs the Node that package.json asks for', { skip: noDpkg }, () => {
  assert.equal(field('Package'), 'hipache');
  assert.equal(field('Version'), `${version}-1`);
  assert.equal(field('Architecture'), 'all');
  assert.match(field('Depends'), /^nodejs \(>= 20\.19\), /);
});

test('the package has the program, and what systemd, logrotate, man and shells look for', { skip: noDpkg }, () => {
  const lines = run('dpkg-deb', '--contents', packed).trimEnd().split('\n');
  const names = new Set(lines.map((line) => line.split(/\s+/)[5]));
  for (const name of [
    './etc/hipache.json',
    './etc/logrotate.d/hipache',
    './usr/bin/hipache',
    './usr/lib/hipache/dist/bin/hipache.js',
    './usr/lib/hipache/config/pages/error_default.html',
    './usr/lib/hipache/config/schema.json',
    './usr/lib/hipache/node_modules/ioredis/package.json',
    './usr/lib/hipache/node_modules/yaml/package.json',
    './usr/lib/systemd/system/hipache.service',
    './usr/share/bash-completion/completions/hipache',
    './usr/share/doc/hipache/copyright',
    './usr/share/doc/hipache/docs/configuration.md',
    './usr/share/man/man1/hipache.1.gz',
    './usr/share/man/man5/hipache.json.5.gz',
    './usr/share/zsh/vendor-completions/_hipache',
  ]) {
    assert.ok(names.has(name), name);
  }
  for (const name of names)
    assert.doesNotMatch(String(name), /node_modules\/(?:typescript|esbuild|playwright-core|ajv)\//);
  for (const line of lines) assert.match(line, /^(?:drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root\/root /);
});

test('the unit starts the installed command, by the configuration that comes with it', { skip: noDpkg }, () => {
  const unit = execFileSync('sh', [
    '-c',
    'dpkg-deb --fsys-tarfile "$1" | tar -xO ./usr/lib/systemd/system/hipache.service',
    'sh',
    packed,
  ]);
  assert.match(String(unit), /^ExecStart=\/usr\/bin\/hipache --config \/etc\/hipache\.json$/m);
  assert.doesNotMatch(String(unit), /Copy to|\/usr\/bin\/env/);
});

test('lintian finds nothing', { skip: noDpkg === false ? missing('lintian') : noDpkg }, () => {
  const { stdout } = spawnSync('lintian', ['--allow-root', packed], { encoding: 'utf8' });
  assert.equal(stdout, '');
});

/** Why a package cannot be installed here; false when it can. */
function noInstall(): string | false {
  if (noDpkg !== false) return noDpkg;
  if (process.getuid?.() !== 0) return 'only root can install a package';
  if (spawnSync('dpkg-query', ['--show', 'nodejs']).status !== 0) return "Debian's nodejs is not installed";
  if (spawnSync('dpkg-query', ['--show', 'hipache']).status === 0) return 'hipache is installed on this machine';
  const mount =
    'mount -t tmpfs tmpfs "$1" && cd "$1" && mkdir a b c && mount -t overlay overlay -o lowerdir=/etc,upperdir=a,workdir=b c';
  const { status } = spawnSync('unshare', ['--mount', 'sh', '-c', mount, 'sh', folder]);
  return status === 0 ? false : 'this machine has no overlays';
}

test(
  'installed, the router runs as its own user; an upgrade keeps its configuration; purged, nothing is left',
  { skip: noInstall() },
  () => {
    const script = join(packageRoot, 'test/packaging/deb-in-overlay.sh');
    const state = mkdtempSync(join(tmpdir(), 'hipache-deb-state-'));
    // Outside of what becomes a tmpfs.
    const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', script, state, packed], {
      encoding: 'utf8',
      timeout: 240_000,
    });
    rmSync(state, { recursive: true, force: true });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    const parts = new Map(
      stdout.split(/^## /m).map((part) => {
        const [name = '', ...lines] = part.trimEnd().split('\n');
        return [name, lines];
      }),
    );
    const [user, command, printed, ...rest] = parts.get('install') ?? [];
    assert.deepEqual([user, command, printed], ['hipache', '/usr/bin/hipache', version]);
    assert.deepEqual(
      rest.filter((line) => !line.startsWith('/usr/share/man/')),
      [],
    );
    assert.deepEqual(parts.get('dry'), []);
    assert.deepEqual(parts.get('run')?.slice(0, 1), ['308 http://there.test/']);
    assert.ok(parts.get('run')?.includes('hipache'));
    assert.match(String(parts.get('run')?.at(-1)), /"GET \/ HTTP/);
    assert.deepEqual(parts.get('again'), ['// mine']);
    assert.deepEqual(parts.get('purge'), ['/etc/hipache.json', 'no user']);
    assert.deepEqual(
      parts.get('left')?.filter((line) => !/^var\/lib\/dpkg|^var\/log\/dpkg/.test(line)),
      [],
    );
  },
);

/**
 * Builds the Debian package, after `npm run build`: `node scripts/build-deb.mjs [FOLDER]`, by default `dist`. Needs dpkg-deb
 * and npm, no network, no root. Prints the path of the package.
 *
 * The program and its dependencies are in /usr/lib/hipache. Node is Debian's, not one of its own: security fixes of Node and
 * OpenSSL then come with the system, and one package fits all architectures.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { installPackage } from './package-tree.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(read('package.json'));
const debianVersion = `${version}-1`;
// For builds that can be repeated.
const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? Date.now() / 1000);
// As Debian's own tools have it.
const { DEBFULLNAME = 'hipache maintainers', DEBEMAIL = 'root@localhost' } = process.env;
const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`;

/** Debian has the text once for all packages. */
const APACHE = 'Apache License, Version 2.0: see /usr/share/common-licenses/Apache-2.0\n';

const staging = mkdtempSync(join(tmpdir(), 'hipache-deb-'));
try {
  console.log(build(resolve(process.argv[2] ?? join(root, 'dist'))));
} finally {
  rmSync(staging, { recursive: true, force: true });
}

function build(folder) {
  const tree = join(staging, 'tree');
  mkdirSync(tree);
  installPackage(join(tree, 'usr/lib/hipache'), staging);
  useNodeOfDebian(join(tree, 'usr/lib/hipache'));
  installSystemFiles(tree);
  installDocuments(join(tree, 'usr/share/doc/hipache'));
  setModes(tree);
  writeControl(tree);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `hipache_${debianVersion}_all.deb`);
  run('dpkg-deb', '--root-owner-group', '-Zxz', '--build', tree, path);
  return path;
}

/** Whatever else is on the PATH. */
function useNodeOfDebian(folder) {
  const command = join(folder, 'dist/bin/hipache.js');
  writeFileSync(command, readFileSync(command, 'utf8').replace('#!/usr/bin/env node', '#!/usr/bin/node'));
}

function installSystemFiles(tree) {
  write(tree, 'etc/hipache.json', read('packaging/deb/hipache.json'));
  write(tree, 'etc/logrotate.d/hipache', withoutAdvice('docs/logrotate.conf'));
  const unit = withoutAdvice('hipache.service').replaceAll('/usr/bin/env hipache', '/usr/bin/hipache');
  write(tree, 'usr/lib/systemd/system/hipache.service', unit.replace(/# npm decides [^\n]*\n/, ''));
  write(tree, 'usr/share/man/man1/hipache.1.gz', zipped(read('dist/share/hipache.1')));
  write(tree, 'usr/share/man/man5/hipache.json.5.gz', zipped(read('dist/share/hipache.json.5')));
  write(tree, 'usr/share/bash-completion/completions/hipache', read('dist/share/hipache.bash'));
  write(tree, 'usr/share/zsh/vendor-completions/_hipache', read('dist/share/_hipache'));
  write(tree, 'usr/share/lintian/overrides/hipache', read('packaging/deb/lintian-overrides'));
  mkdirSync(join(tree, 'usr/bin'));
  symlinkSync('../lib/hipache/dist/bin/hipache.js', join(tree, 'usr/bin/hipache'));
  mkdirSync(join(tree, 'var/log/hipache'), { recursive: true });
}

/** The documents of the npm package, where Debian has them. */
function installDocuments(folder) {
  const program = join(folder, '../../../lib/hipache');
  mkdirSync(folder, { recursive: true });
  for (const name of ['docs', 'README.md', 'SECURITY.md', 'hipache.socket']) {
    cpSync(join(program, name), join(folder, name), { recursive: true });
  }
  for (const name of [
    'docs',
    'README.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'LICENSE',
    'hipache.service',
    'hipache.socket',
    'upstart.conf',
  ]) {
    rmSync(join(program, name), { recursive: true });
  }
  writeFileSync(join(folder, 'changelog.gz'), zipped(read('CHANGELOG.md')));
  const day = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  const entry = `hipache (${debianVersion}) unstable; urgency=medium\n\n  * Version ${version}: see changelog.gz.\n\n`;
  const signature = ` -- ${maintainer}  ${day}\n`;
  writeFileSync(join(folder, 'changelog.Debian.gz'), zipped(entry + signature));
  writeFileSync(join(folder, 'copyright'), copyright(join(program, 'node_modules')));
}

/** The program's licence, and those of the packages with it. */
function copyright(modules) {
  const own = read('LICENSE');
  const parts = ['hipache\n\n', own];
  for (const path of readdirSync(modules, { recursive: true }).toSorted(byName)) {
    if (!/(?:^|\/)LICEN[CS]E(?:[.-]\w+)*$/i.test(path)) continue;
    const text = readFileSync(join(modules, path), 'utf8');
    const isApache = /Apache License\s+Version 2\.0/.test(text);
    parts.push(`\n${'-'.repeat(72)}\nnode_modules/${dirname(path)}\n\n`, isApache ? APACHE : text);
    rmSync(join(modules, path));
  }
  return parts.join('');
}

/** Files as Debian wants them, whatever this user's umask, and all of one time. */
function setModes(tree) {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    lutimesSync(path, seconds, seconds);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (entry.isFile()) chmodSync(path, path.endsWith('dist/bin/hipache.js') ? 0o755 : 0o644);
  }
  chmodSync(tree, 0o755);
  lutimesSync(tree, seconds, seconds);
}

function writeControl(tree) {
  const files = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(tree.length + 1))
    .toSorted(byName);
  const kilobytes = files.reduce((sum, name) => sum + Math.ceil(statSync(join(tree, name)).size / 1024), 0);
  const control = join(tree, 'DEBIAN');
  mkdirSync(control, { mode: 0o755 });
  const text = read('packaging/deb/control');
  const values = { VERSION: debianVersion, SIZE: String(kilobytes), MAINTAINER: maintainer };
  write(
    control,
    'control',
    text.replaceAll(/@([A-Z]+)@/g, (_, name) => values[name]),
  );
  const configuration = files.filter((name) => name.startsWith('etc/'));
  write(control, 'conffiles', configuration.map((name) => `/${name}\n`).join(''));
  const sums = files.map(
    (name) =>
      `${createHash('md5')
        .update(readFileSync(join(tree, name)))
        .digest('hex')}  ${name}\n`,
  );
  write(control, 'md5sums', sums.join(''));
  for (const name of ['postinst', 'prerm', 'postrm']) {
    cpSync(join(root, 'packaging/deb', name), join(control, name));
    chmodSync(join(control, name), 0o755);
  }
}

function byName(left, right) {
  return left < right ? -1 : 1;
}

/** A text of this clone. */
function read(name) {
  return readFileSync(join(root, name), 'utf8');
}

/** The same, without the first lines, which say where to copy it. */
function withoutAdvice(name) {
  return read(name).replace(/^(?:# Copy [^\n]*\n)+/, '');
}

function write(folder, name, content) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function zipped(content) {
  return gzipSync(content, { level: 9 });
}

function run(command, ...args) {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/**
 * Builds the image of packaging/image/Dockerfile where no base image can be pulled, after `npm run build`:
 * `node scripts/build-image.mjs`. Needs buildah and root (or `buildah unshare`). Prints the name of the image.
 *
 * The base is a root file system of Debian 13 with its Node, by mmdebstrap; with `--this-node` the Node of this machine with
 * its libraries, which takes seconds. The Dockerfile's first stage is replaced by the tree of this clone.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackage } from './package-tree.mjs';

const BASE = 'localhost/hipache-node-base';
const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const image = `localhost/hipache:${version}`;

const staging = mkdtempSync(join(tmpdir(), 'hipache-image-'));
try {
  const base = join(staging, 'base');
  mkdirSync(base);
  if (process.argv.includes('--this-node')) copyNode(base);
  else debian(base);
  importBase(base);
  const context = join(staging, 'build');
  installPackage(join(context, 'out/hipache'), staging);
  const stage = ['--build-context', `build=${context}`, '--build-arg', `NODE_IMAGE=${BASE}`];
  // Only Docker's format has health checks.
  run(
    'buildah',
    'bud',
    '--quiet',
    '--format',
    'docker',
    ...stage,
    '-f',
    'packaging/image/Dockerfile',
    '-t',
    image,
    '.',
  );
  console.log(image);
} finally {
  rmSync(staging, { recursive: true, force: true });
}

function debian(folder) {
  const tar = join(staging, 'base.tar');
  run('mmdebstrap', '--variant=minbase', '--include=nodejs,ca-certificates', 'trixie', tar);
  run('tar', '-xf', tar, '-C', folder, '--exclude=./dev/*');
}

/** Node, and the libraries that it is linked with. */
function copyNode(folder) {
  const node = realpathSync(process.execPath);
  const libraries = run('ldd', node).match(/\/\S+/g);
  for (const path of [node, ...libraries]) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    copyFileSync(path, join(folder, path));
  }
  if (node !== '/usr/bin/node') {
    mkdirSync(join(folder, 'usr/bin'), { recursive: true });
    symlinkSync(node, join(folder, 'usr/bin/node'));
  }
  for (const each of ['proc', 'dev', 'tmp', 'etc']) mkdirSync(join(folder, each), { recursive: true });
}

function importBase(folder) {
  const container = run('buildah', 'from', 'scratch').trim();
  run('buildah', 'add', '--quiet', container, folder, '/');
  run('buildah', 'commit', '--quiet', '--rm', container, BASE);
}

function run(command, ...args) {
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot' };
  return execFileSync(command, args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

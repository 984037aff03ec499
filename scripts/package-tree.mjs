/** The installed program as a folder, for packages that bring their dependencies: made without a network. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Makes the folder: what npm would install, and its dependencies. @param staging a folder for files in between */
export function installPackage(folder, staging) {
  installProgram(folder, staging);
  installDependencies(join(folder, 'node_modules'));
}

/** What npm would install. */
function installProgram(folder, staging) {
  const pack = ['pack', '--ignore-scripts', '--offline', '--silent', '--pack-destination', staging];
  const name = run('npm', ...pack).trim();
  mkdirSync(folder, { recursive: true });
  run('tar', '-xzf', join(staging, name), '-C', folder, '--strip-components=1');
}

/** The program's dependencies and theirs, as `npm ci` has installed them. */
function installDependencies(folder) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const name of dependenciesIn(packages)) {
    const target = join(folder, name.replace(/^node_modules\//, ''));
    cpSync(join(root, name), target, { recursive: true, filter: (path) => isNeeded(path, join(root, name)) });
  }
}

/** Places in package-lock.json. Not of peers: valibot names the compiler as an optional one. */
function dependenciesIn(packages) {
  const found = new Set();
  const visit = (place) => {
    const { dependencies, optionalDependencies } = packages[place];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const inner = placeOf(name, place, packages);
      if (inner === null || found.has(inner)) continue;
      found.add(inner);
      visit(inner);
    }
  };
  visit('');
  return found;
}

/** Where Node finds a package that the one at `from` requires: in its own folder, or further out. */
function placeOf(name, from, packages) {
  const place = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
  if (place in packages) return place;
  return from === '' ? null : placeOf(name, from.replace(/\/?node_modules\/(?:@[^/]+\/)?[^/]+$/, ''), packages);
}

/** Types, source maps and what packages need for themselves are left out; nested packages are listed by themselves. */
function isNeeded(path, top) {
  const inner = path.slice(top.length);
  if (/\/node_modules(?:\/|$)/.test(inner)) return false;
  if (/\/(?:\.github|\.husky|\.vscode|test|tests|benchmarks?|examples?|coverage|docs?)$/.test(inner)) {
    return !statSync(path).isDirectory();
  }
  return !/\.(?:d\.[cm]?ts|map|md|markdown|tsbuildinfo|yml|html|sh)$|\/\.[^/]*$|^\/bin\.[cm]?js$/.test(inner);
}

function run(command, ...args) {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

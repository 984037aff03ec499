/** The build, for whoever needs `dist/`: `npm install` in a clone, and the demo. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const bundler = fileURLToPath(new URL('bundle.mjs', import.meta.url));
const share = fileURLToPath(new URL('share.mjs', import.meta.url));
const types = fileURLToPath(new URL('../node_modules/@types/node', import.meta.url));

/** What the build makes, and the command runs. */
export const command = fileURLToPath(new URL('../dist/bin/hipache.js', import.meta.url));

export const isBuilt = () => existsSync(command);

/**
 * Whether the compiler and the types are installed. They are development dependencies; `npm ci --omit=dev` leaves the
 * compiler in place all the same, since valibot names it as an optional peer.
 */
export const canBuild = () => existsSync(compiler) && existsSync(types);

/**
 * As `npm run build`: compiles the program, then the dashboard, and makes the files that start processes, manual pages and
 * completions. Prints errors; returns the exit code.
 */
export function build() {
  return compile('.') || compile('lib/dashboard') || run(bundler) || run(share);
}

/** Runs the compiler on a project. Prints errors; returns the exit code. */
export function compile(project) {
  return run(compiler, '-p', project);
}

function run(...args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

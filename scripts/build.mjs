/** The build, for whoever needs `dist/`: `npm install` in a clone, and the demo. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));

/** What the build makes, and the command runs. */
export const command = fileURLToPath(new URL('../dist/bin/hipache.js', import.meta.url));

export const isBuilt = () => existsSync(command);

/** The compiler is a development dependency: `npm ci --omit=dev` leaves it out. */
export const canBuild = () => existsSync(compiler);

/** Compiles; faults of the compiler are printed. Returns the exit code. */
export function build() {
  return spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: root, stdio: 'inherit' }).status ?? 1;
}

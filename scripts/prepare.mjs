/** Builds on `npm install` in a clone; a published package comes built. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const compiler = new URL('../node_modules/typescript/bin/tsc', import.meta.url);

if (existsSync(compiler)) {
  const root = new URL('..', import.meta.url);
  process.exitCode =
    spawnSync(process.execPath, [fileURLToPath(compiler), '-p', '.'], { cwd: root, stdio: 'inherit' }).status ?? 1;
} else if (!existsSync(new URL('../dist/bin/hipache.js', import.meta.url))) {
  console.error(
    'hipache is not built: the compiler is a development dependency. Run "npm ci" (without --omit=dev), then "npm prune --omit=dev".',
  );
  process.exitCode = 1;
}

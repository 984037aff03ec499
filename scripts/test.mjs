/** Runs the test files that were built, or those named: `npm test`, `npm test -- journeys/retry`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureRedis } from './ensure-redis.mjs';

/** A file of tests that takes longer, ms, hangs. */
const LIMIT_MS = 300_000;

const sources = fileURLToPath(new URL('../test/', import.meta.url));
const built = fileURLToPath(new URL('../dist/test/', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(built, { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  // The compiler leaves what it built of files that are gone.
  .filter((name) => existsSync(join(sources, name.replace(/\.js$/, '.ts'))))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .map((name) => join(built, name))
  .toSorted();

if (files.length === 0) {
  console.error(`no test file is named like ${wanted.join(', ')}`);
  process.exitCode = 1;
} else if (ensureRedis()) {
  const args = [
    '--test',
    '--test-concurrency=2',

    `--test-timeout=${LIMIT_MS}`,
    '--enable-source-maps',
    ...files,
  ];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
} else {
  process.exitCode = 1;
}

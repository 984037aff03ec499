/** Runs the test files that were built, or those named: `npm test`, `npm test -- journeys/retry`. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureRedis } from './ensure-redis.mjs';

const root = fileURLToPath(new URL('../dist/test/', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(root, { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .map((name) => join(root, name))
  .toSorted();

if (files.length === 0) {
  console.error(`no test file is named like ${wanted.join(', ')}`);
  process.exitCode = 1;
} else if (ensureRedis()) {
  const args = ['--test', '--test-concurrency=2', '--enable-source-maps', ...files];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
} else {
  process.exitCode = 1;
}

/**
 * Runs the test files that were built, or those named: `npm test`, `npm test -- journeys/retry`. Those that start
 * routers run twice, with the fast lane on and off; with HIPACHE_FAST_LANE=on or =off in the environment, once.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureRedis } from './ensure-redis.mjs';

/** A file of tests that takes longer, ms, hangs. */
const LIMIT_MS = 300_000;

const sources = fileURLToPath(new URL('../test/', import.meta.url));
const built = fileURLToPath(new URL('../dist/test/', import.meta.url));
const reporter = new URL('failures-reporter.mjs', import.meta.url).href;
const wanted = process.argv.slice(2);
const files = readdirSync(built, { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  // The compiler leaves what it built of files that are gone.
  .filter((name) => existsSync(join(sources, name.replace(/\.js$/, '.ts'))))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .map((name) => join(built, name))
  .toSorted();

/** The setting of `server.fastLane` that is not the default. */
const OTHER_SETTING = 'off';

/** Whether a file starts routers and leaves that setting to us. */
function isForBoth(file) {
  const source = readFileSync(join(sources, relative(built, file).replace(/\.js$/, '.ts')), 'utf8');
  return /support\/router\.ts|\/scene\.ts/.test(source) && !source.includes('fastLane');
}

/** What each run failed in, to be told once more at the end. */
const notes = mkdtempSync(join(tmpdir(), 'hipache-failures-'));

/** Runs the tests of files; returns an exit code. */
function run(names, env, note) {
  const args = ['--test', '--test-concurrency=2', `--test-timeout=${LIMIT_MS}`, '--enable-source-maps'];
  const toStdout = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  const toNote = [`--test-reporter=${reporter}`, `--test-reporter-destination=${join(notes, note)}`];
  const all = [...args, ...toStdout, ...toNote, ...names];
  return spawnSync(process.execPath, all, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1;
}

/** Tells of each test that failed, at the end: the output of a whole run is long. */
function tellFailures() {
  for (const name of readdirSync(notes)) {
    const text = readFileSync(join(notes, name), 'utf8');
    if (text !== '') {
      console.log(`# failed ${name}:\n${text}`);
    }
  }
}

if (files.length === 0) {
  console.error(`no test file is named like ${wanted.join(', ')}`);
  process.exitCode = 1;
} else if (ensureRedis()) {
  process.exitCode = run(files, {}, 'with the fast lane as configured');
  const again = process.env.HIPACHE_FAST_LANE === undefined ? files.filter(isForBoth) : [];
  if (again.length > 0) {
    console.log(`# once more with the fast lane ${OTHER_SETTING}: ${again.length} files`);
    process.exitCode =
      run(again, { HIPACHE_FAST_LANE: OTHER_SETTING }, `with the fast lane ${OTHER_SETTING}`) || process.exitCode;
  }
} else {
  process.exitCode = 1;
}
tellFailures();
rmSync(notes, { recursive: true });

/**
 * Runs the test files that were built, or those named: `npm test`, `npm test -- journeys/retry`. Those that start
 * routers run twice, with the fast lane on and off, if they promise something of a lane, and with `--all-lanes` all of them;
 * with HIPACHE_FAST_LANE=on or =off in the environment, each runs once. `--quick` runs a selection, once. HIPACHE_TEST_JOBS says how many files run at a time.
 */
import { availableParallelism, constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ensureRedis } from './ensure-redis.mjs';
import { planTests } from './test-plan.mjs';
import { TestPool } from './test-pool.mjs';

/** A file of tests that takes longer, ms, hangs. */
const LIMIT_MS = 300_000;

/** So many files that count by the clock run at a time: each uses a third of a core. */
const CALM_WIDTH = availableParallelism() + 1;

/** So many of the slowest files are named at the end. */
const SLOWEST = 10;

/** The output of up to so many jobs is shown in full: few were selected, by a developer at work. */
const FEW = 4;

const args = process.argv.slice(2);
const FLAGS = new Set(['--quick', '--all-lanes']);
const wanted = args.filter((arg) => !FLAGS.has(arg));
const plan = planTests({
  sources: fileURLToPath(new URL('../test/', import.meta.url)),
  built: fileURLToPath(new URL('../dist/test/', import.meta.url)),
  wanted,
  isQuick: args.includes('--quick'),
  allLanes: args.includes('--all-lanes'),
  fastLane: process.env.HIPACHE_FAST_LANE,
});
const count = Object.values(plan).flat().length;

if (count === 0) {
  console.error(`no test file is named like ${wanted.join(', ')}`);
  process.exitCode = 1;
} else if (ensureRedis()) {
  process.exitCode = await runAll(jobsAtATime());
} else {
  process.exitCode = 1;
}

function jobsAtATime() {
  const text = process.env.HIPACHE_TEST_JOBS;
  // Some files wait most of their time: one more than cores keeps those busy.
  if (text === undefined) return availableParallelism() + 1;
  if (!/^[1-9][0-9]*$/.test(text)) throw new Error(`HIPACHE_TEST_JOBS=${text} is not a number of jobs`);
  return Number(text);
}

/** Returns an exit code. */
async function runAll(width) {
  const pool = new TestPool(LIMIT_MS);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      pool.end();
      process.exit(128 + constants.signals[signal]);
    });
  }
  const began = performance.now();
  const results = [];
  const report = (result) => {
    results.push(result);
    tell(result, results.length);
  };
  await Promise.all([pool.run(plan.together, width, report), pool.run(plan.waiting, Math.ceil(width / 2), report)]);
  await pool.run(plan.calm, CALM_WIDTH, report);
  await pool.run(plan.alone, 1, report);
  pool.end();
  tellSummary(results, performance.now() - began, width);
  return results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

/** One line for a file that passed; all that it wrote when it failed, or is one of a few. */
function tell({ job, ms, passed, failed, failures, output }, done) {
  const mark = failures.length > 0 ? 'FAILED' : 'ok';
  console.log(`${mark} ${done}/${count} ${job.title}: ${passed + failed} tests, ${seconds(ms)}`);
  if (failures.length > 0 || count <= FEW) console.log(output);
}

function tellSummary(results, ms, width) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const slowest = results.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  console.log(`\n# slowest\n${slowest.map(timeOf).join('\n')}`);
  for (const { job, failures } of results) {
    if (failures.length > 0) console.log(`\n# failed: ${job.title}\n${failures.join('\n')}`);
  }
  const counts = `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`;
  console.log(`\n# tests: ${counts}; ${count} jobs, ${width} at a time, ${seconds(ms)}`);
}

function timeOf({ job, ms }) {
  return `${seconds(ms).padStart(8)}  ${job.title}`;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../lib/config/package.ts';
import { haveEnded, noProc } from '../support/processes.ts';
import { temporaryFolder } from '../support/router.ts';

interface Job {
  readonly name: string;
  readonly title: string;
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Result {
  readonly job: Job;
  readonly output: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
}

interface Pool {
  run(jobs: readonly Job[], width: number, report: (result: Result) => void): Promise<void>;
  end(): void;
}

interface Plan {
  readonly together: readonly Job[];
  readonly waiting: readonly Job[];
  readonly calm: readonly Job[];
  readonly alone: readonly Job[];
}

const script = (name: string) => pathToFileURL(join(packageRoot, 'scripts', name)).href;
const { TestPool } = (await import(script('test-pool.mjs'))) as { TestPool: new (limitMs: number) => Pool };
const { planTests } = (await import(script('test-plan.mjs'))) as {
  planTests: (options: Readonly<Record<string, unknown>>) => Plan;
};

/** Runs files of tests with these contents, in their order. */
async function run(t: TestContext, contents: readonly string[], { limitMs = 60_000, width = 1 } = {}) {
  const folder = temporaryFolder(t);
  const jobs = contents.map((body, index): Job => {
    const path = join(folder, `${index}.mjs`);
    writeFileSync(path, `import { test } from 'node:test';\nimport { spawn } from 'node:child_process';\n${body}`);
    return { name: String(index), title: String(index), path, env: { JOB: String(index) } };
  });
  const pool = new TestPool(limitMs);
  t.after(() => pool.end());
  const results: Result[] = [];
  await pool.run(jobs, width, (result) => results.push(result));
  return results.toSorted((a, b) => a.job.name.localeCompare(b.job.name));
}

test('tests are counted, and each failure comes with its place and its error', async (t) => {
  const body = `test('good', (t) => t.test('inside', () => {})); test.skip('left out', () => {});
    test('around', (t) => t.test('bad', () => { throw new Error('no ' + process.env.JOB); }));`;
  const [result] = await run(t, [body]);
  assert.deepEqual([result?.passed, result?.failed, result?.skipped], [2, 2, 1]);
  assert.equal(result?.failures.length, 1);
  assert.match(result?.failures[0] ?? '', /^not ok: bad\n {2}.*0\.mjs:4\n {2}Error: no 0/);
});

test('a file that ends badly, does not load, or runs no test has failed', async (t) => {
  const results = await run(t, [`test('x', () => process.exit(3));`, `import './nothing.mjs';`, '']);
  const failures = results.map(({ failures: [text] }) => text);
  assert.match(failures[0] ?? '', /^ended with 3; /);
  assert.match(failures[1] ?? '', /^ended with 1; /);
  assert.match(results[1]?.output ?? '', /ERR_MODULE_NOT_FOUND/);
  assert.equal(failures[2], 'ran no test');
});

test('a file that hangs is killed with all that it started, and the test is named', { skip: noProc }, async (t) => {
  const body = `const pids = ['inherit', 'ignore'].map((stdio) =>
      spawn('sleep', ['300'], { stdio, detached: stdio === 'ignore' }).pid);
    console.error('PIDS', ...pids);
    test('waits', () => new Promise((resolve) => setTimeout(resolve, 300_000)));`;
  const [result] = await run(t, [body], { limitMs: 8_000 });
  assert.match(result?.failures[0] ?? '', /^hangs: killed after 8 s; running: "waits"$/);
  const pids = /^PIDS (\d+) (\d+)$/m.exec(result?.output ?? '')?.slice(1) ?? [];
  assert.equal(pids.length, 2);
  await haveEnded(pids.map(Number));
});

test('what a file leaves behind is killed, and does not keep the pool', { skip: noProc }, async (t) => {
  const body = `test('leaves', () => {
    const child = spawn('sleep', ['300'], { stdio: 'inherit' });
    child.unref();
    console.error('PID', child.pid);
  });`;
  const [result] = await run(t, [body]);
  assert.deepEqual([result?.passed, result?.failures], [1, []]);
  await haveEnded([Number(/^PID (\d+)$/m.exec(result?.output ?? '')?.[1])]);
});

/** A test that waits until another file of tests has begun. */
const meet = (own: number, other: number) => `import { existsSync, writeFileSync } from 'node:fs';
  test('meets the other', async () => {
    writeFileSync(new URL('${own}.here', import.meta.url), '');
    while (!existsSync(new URL('${other}.here', import.meta.url))) await new Promise((r) => setTimeout(r, 10));
  });`;

test('files run side by side, as many as the pool is wide', async (t) => {
  const results = await run(t, [meet(0, 1), meet(1, 0)], { width: 2 });
  assert.deepEqual(
    results.map(({ passed }) => passed),
    [1, 1],
  );
});

test('files that start routers run with the fast lane off, too, if it matters; those that measure run alone, those that count by the clock and those that wait apart', (t) => {
  const folder = temporaryFolder(t);
  const both = "import { startRouter } from '../support/router.ts';";
  const files = {
    'core/rule': '',
    'journeys/both': both,
    'journeys/own': `${both} // fastLane: true`,
    'journeys/handshakes': `// @one-lane: handshakes end before a lane begins\n${both}`,
    'journeys/measures': `// @alone: measures\n${both}`,
    'journeys/counts': `// @calm: counts by the clock\n${both}`,
    'core/waits': '/** Limits. */\n// @waits: for time limits\n',
  };
  for (const [name, source] of Object.entries({ ...files, 'core/gone': null })) {
    for (const kind of ['ts', 'js']) {
      const path = join(folder, kind, `${name}.test.${kind}`);
      mkdirSync(join(path, '..'), { recursive: true });
      if (source !== null || kind === 'js') writeFileSync(path, source ?? '');
    }
  }
  const planOf = (options: object) => {
    const base = { sources: join(folder, 'ts'), built: join(folder, 'js'), wanted: [], isQuick: false };
    const { together, waiting, calm, alone } = planTests({ ...base, ...options });
    return [together, waiting, calm, alone].map((jobs) => jobs.map(({ title }) => title).toSorted());
  };
  assert.deepEqual(planOf({}), [
    ['core/rule', 'journeys/both', 'journeys/both (fast lane off)', 'journeys/handshakes', 'journeys/own'],
    ['core/waits'],
    ['journeys/counts', 'journeys/counts (fast lane off)'],
    ['journeys/measures', 'journeys/measures (fast lane off)'],
  ]);
  assert.ok(planOf({ allLanes: true })[0]?.includes('journeys/handshakes (fast lane off)'));
  assert.deepEqual(planOf({ fastLane: 'on', wanted: ['journeys/'] }), [
    ['journeys/both (fast lane on)', 'journeys/handshakes (fast lane on)', 'journeys/own'],
    [],
    ['journeys/counts (fast lane on)'],
    ['journeys/measures (fast lane on)'],
  ]);
});

test('jobs that run at the same time have ports of their own', async (t) => {
  const ports = pathToFileURL(join(packageRoot, 'dist/test/support/ports.js')).href;
  const body = `const { freePort } = await import(${JSON.stringify(ports)});
    test('asks', async () => { console.error('PORTS', await freePort(), await freePort()); });`;
  const results = await run(t, [body, body, body], { width: 3 });
  const given = results.map(({ output }) => /^PORTS (\d+) (\d+)$/m.exec(output)?.slice(1).map(Number) ?? []);
  // A share is a 32nd of 12,000 to 22,000.
  const shares = given.flat().map((port) => Math.floor((port - 12_000) / 312));
  assert.deepEqual(
    shares.toSorted((a, b) => a - b),
    [0, 0, 1, 1, 2, 2],
  );
});

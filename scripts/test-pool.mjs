/** Runs files of tests, each in a process of its own, a bounded number at a time. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REPORTER = new URL('job-reporter.mjs', import.meta.url).href;

/** Into so many shares is divided what two jobs must not both use: see `#share`. */
const SHARES = 32;

/** How long what a file of tests has started may outlive it, ms. */
const LINGER_MS = 2_000;

export class TestPool {
  #limitMs;
  #running = new Set();
  #isEnded = false;
  /** Numbers of the shares that jobs have now. */
  #shares = new Set();
  /** Where reporters write. */
  #folder = mkdtempSync(join(tmpdir(), 'hipache-tests-'));

  /** A job that takes longer than `limitMs` is killed, with all that it started, and is a failure. */
  constructor(limitMs) {
    this.#limitMs = limitMs;
  }

  /**
   * Runs all jobs, at most `width` at a time, in their order. Calls `report` with each result as it comes. May be called
   * again meanwhile, with other jobs.
   */
  async run(jobs, width, report) {
    const queue = [...jobs];
    const work = async () => {
      for (let job = queue.shift(); job !== undefined && !this.#isEnded; job = queue.shift()) {
        const result = await this.#runOne(job);
        if (!this.#isEnded) report(result);
      }
    };
    await Promise.all(Array.from({ length: width }, work));
  }

  /** Kills all that runs, and starts no more. To be called in the end, too. */
  end() {
    this.#isEnded = true;
    for (const child of this.#running) kill(child);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #runOne(job) {
    const share = this.#share();
    const records = join(this.#folder, randomUUID());
    const began = performance.now();
    const child = start(job, records, `${share % SHARES}/${SHARES}`);
    this.#running.add(child);
    const { output, hangs, exit } = await ended(child, this.#limitMs);
    this.#running.delete(child);
    this.#shares.delete(share);
    const ms = performance.now() - began;
    return { job, ms, output, ...judge(readRecords(records), exit, hangs, this.#limitMs) };
  }

  /** A share that no other job has now; HIPACHE_TEST_SHARE tells it to the job. test/support/ports.ts divides ports by it. */
  #share() {
    let share = 0;
    while (this.#shares.has(share)) share++;
    this.#shares.add(share);
    return share;
  }
}

/** Starts a job as leader of a process group, so that all it starts can be killed with it. */
function start({ path, env }, records, share) {
  const args = [
    '--enable-source-maps',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${REPORTER}`,
    `--test-reporter-destination=${records}`,
    path,
  ];
  const stdio = ['ignore', 'pipe', 'pipe'];
  return spawn(process.execPath, args, {
    stdio,
    detached: true,
    env: { ...process.env, HIPACHE_TEST_SHARE: share, ...env },
  });
}

/** Resolves when a child has ended, by itself or killed, and what it started with it. */
function ended(child, limitMs) {
  return new Promise((resolve) => {
    const output = [];
    let hangs = false;
    let exit = null;
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.once('error', (error) => (exit = error.message));
    const limit = setTimeout(() => {
      hangs = true;
      kill(child);
    }, limitMs);
    child.once('exit', (code, signal) => {
      exit = code ?? signal;
      clearTimeout(limit);
      // Processes that it left behind hold its output open.
      const linger = setTimeout(() => {
        kill(child);
        child.stdout.destroy();
        child.stderr.destroy();
      }, LINGER_MS);
      child.once('close', () => clearTimeout(linger));
    });
    child.once('close', () => {
      clearTimeout(limit);
      kill(child);
      resolve({ output: Buffer.concat(output).toString(), hangs, exit });
    });
  });
}

/** Kills what is in a child's process group, ended or not, and what it started that has left the group. */
function kill({ pid }) {
  if (pid === undefined) return;
  for (const target of [-pid, ...descendantsOf(pid)]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** By Linux's /proc; none on other systems. */
function descendantsOf(pid) {
  if (!existsSync('/proc/self/stat')) return [];
  const children = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^[0-9]+$/.test(entry))) {
    const parent = parentOf(name);
    children.set(parent, [...(children.get(parent) ?? []), name]);
  }
  const found = [String(pid)];
  for (const parent of found) found.push(...(children.get(parent) ?? []));
  return found.slice(1).map(Number);
}

function parentOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before it, in brackets, may hold anything.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return null;
  }
}

/** What the reporter wrote. The last line is cut short when the process was killed as it wrote. */
function readRecords(path) {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** Counts of tests, and all failures as text. A file that runs no test, or ends badly for no test's fault, has failed, too. */
function judge(records, exit, hangs, limitMs) {
  const results = records.filter(({ type }) => type !== 'began');
  const tests = results.filter(({ isSuite }) => !isSuite);
  const failures = results.flatMap(({ type, text }) => (type === 'failed' && text !== null ? [text] : []));
  if (hangs) failures.push(`hangs: killed after ${limitMs / 1000} s; ${whereItWas(records)}`);
  else if (failures.length === 0 && exit !== 0) failures.push(`ended with ${exit}; ${whereItWas(records)}`);
  else if (failures.length === 0 && tests.length === 0) failures.push('ran no test');
  return {
    passed: tests.filter(({ type, isSkipped }) => type === 'passed' && !isSkipped).length,
    skipped: tests.filter(({ isSkipped }) => isSkipped).length,
    failed: tests.filter(({ type }) => type === 'failed').length,
    failures,
  };
}

/** The tests that had begun and not ended. */
function whereItWas(records) {
  const open = new Map();
  for (const { type, name } of records) open.set(name, (open.get(name) ?? 0) + (type === 'began' ? 1 : -1));
  const names = [...open].filter(([, count]) => count > 0).map(([name]) => JSON.stringify(name));
  return names.length === 0 ? 'no test was running' : `running: ${names.join(', ')}`;
}

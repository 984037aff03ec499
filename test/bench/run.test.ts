/** The command, and the processes that it starts. */
// @alone: runs the benchmark, which takes cores for itself
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cases } from '../../bench/cases/all.ts';
import { allowedCores } from '../../bench/cores.ts';
import { find } from '../../bench/tools.ts';
import { usageOf } from '../../bench/usage.ts';
import { eventually } from '../support/eventually.ts';
import { haveEnded, noProc } from '../support/processes.ts';
import { folderOf, own } from './processes.ts';

const COMMAND = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
const LIMIT_MS = 10_000;
const skip = noProc !== false ? noProc : find('taskset') === null ? 'there is no taskset' : false;

const run = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8', env, timeout: LIMIT_MS });

test('the list names every case and who takes part', () => {
  const { status, stdout } = run(['--list']);
  assert.equal(status, 0);
  for (const { name, peers } of cases) {
    assert.ok(stdout.includes(`${name}: `));
    for (const { label } of peers) assert.ok(stdout.includes(`  ${label}\n`), label);
  }
});

test('a case or an option that is not there is refused in one line', () => {
  assert.match(run(['--only', 'nothing']).stderr, /^No case begins with nothing; --list names them\.\n$/);
  const { status, stderr } = run(['--rounds', 'many']);
  assert.equal(status, 1);
  assert.equal(stderr.trim().split('\n').length, 1);
});

// Debian's folders are looked through in any case: only a machine without nginx or wrk can show it.
test('who lacks the programs is told which packages have them', { skip: allToolsAreThere() }, () => {
  const { status, stderr } = run([]);
  assert.equal(status, 1);
  assert.match(stderr, /^Nothing can be measured without .*\. On Debian: apt-get install .*\n$/);
});

function allToolsAreThere(): string | false {
  return find('wrk') !== null && find('nginx') !== null ? 'they are all here' : false;
}

test('a process is pinned, its children are counted with it, and ended with it', { skip }, async (t) => {
  const [core = 0] = allowedCores().slice(-1);
  const processes = own(t);
  // The shell waits for a child that burns time and ignores a polite end.
  const script = `process.on('SIGTERM',()=>{}); console.log(process.pid); for(;;);`;
  const running = await processes.start(['sh', '-c', `"$0" -e "$1"; true`, process.execPath, script], [core]);
  const child = await eventually(() => Number(/^([0-9]+)\n/.exec(running.said())?.[1] ?? assert.fail('not yet')));
  assert.notEqual(child, running.pid);
  const before = usageOf(running.pid);
  await eventually(() => assert.ok(usageOf(running.pid).cpuMicros - before.cpuMicros > 50_000));
  assert.ok(before.residentBytes > 10e6);
  const { stdout } = spawnSync('taskset', ['-pc', String(child)], { encoding: 'utf8' });
  assert.match(stdout, new RegExp(`: ${core}\n$`));
  await running.stop();
  await haveEnded([running.pid, child]);
  assert.equal(running.hasEnded, true);
});

test('a program that fails, or takes too long, is an error with its words', { skip }, async (t) => {
  const processes = own(t);
  const cores = allowedCores().slice(0, 1);
  assert.equal(await processes.run(['sh', '-c', 'echo yes'], cores, LIMIT_MS), 'yes\n');
  await assert.rejects(processes.run(['sh', '-c', 'echo why >&2; exit 3'], cores, LIMIT_MS), /ended with 3: why/);
  await assert.rejects(processes.run(['sh', '-c', 'sleep 60'], cores, 100), /was ended after 100 ms/);
  await processes.close();
  await assert.rejects(processes.run(['true'], cores, LIMIT_MS), /the benchmark is ending/);
});

test('what a benchmark started ends with it, even when it is killed without a word', { skip }, async (t) => {
  const url = new URL('../../bench/processes.js', import.meta.url).href;
  const script = `
    const { Processes } = await import('${url}');
    const { pid } = await new Processes('${folderOf(t)}').start(['sleep', '60'], [${allowedCores()[0]}]);
    console.log(pid);
    process.kill(process.pid, 'SIGKILL');`;
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  assert.equal(signal, 'SIGKILL');
  assert.match(stdout, /^[0-9]+\n$/);
  await haveEnded([Number(stdout)]);
});

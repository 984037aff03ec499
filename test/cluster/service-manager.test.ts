import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ServiceManager } from '../../lib/cluster/master/service-manager.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/router.ts';

interface Player {
  /** What was said with it. */
  readonly said: () => readonly string[];
  /** From now on it is killed, or ends with a code, before it says anything; or it works again. */
  readonly ends: (how: 'kill -9 $$' | 'exit 1' | 'well') => void;
}

/** A program in the place of systemd-notify. */
function play(t: TestContext): Player {
  const folder = temporaryFolder(t);
  const [log, fate] = [join(folder, 'log'), join(folder, 'fate')];
  const program = join(folder, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\n[ -e ${fate} ] && . ${fate}\necho "$*" >> ${log}\n`);
  chmodSync(program, 0o755);
  const before = process.env['PATH'];
  process.env['PATH'] = `${folder}${delimiter}${before}`;
  t.after(() => (process.env['PATH'] = before));
  return {
    said: () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []),
    ends: (how) => (how === 'well' ? rmSync(fate) : writeFileSync(fate, how)),
  };
}

test('a systemd-notify that was killed once does not end the watchdog: systemd would end the router', async (t) => {
  const { said, ends } = play(t);
  ends('kill -9 $$');
  const faults: Error[] = [];
  const env = { NOTIFY_SOCKET: '@here', WATCHDOG_USEC: '100000', WATCHDOG_PID: String(process.pid) };
  const manager = new ServiceManager(env, process.pid, (cause) => faults.push(cause));
  t.after(() => manager.close());
  await eventually(() => assert.equal(faults.length, 1));
  ends('well');
  await eventually(() => assert.ok(said().filter((words) => words === 'WATCHDOG=1').length > 2));
  assert.equal(faults.length, 1);
  // The same failure later is logged again.
  ends('exit 1');
  await eventually(() => assert.equal(faults.length, 2));
});

test('a word that was lost because systemd-notify was killed is said again, before the words after it', async (t) => {
  const { said, ends } = play(t);
  ends('kill -9 $$');
  const faults: Error[] = [];
  const manager = new ServiceManager({ NOTIFY_SOCKET: '@here' }, process.pid, (cause) => faults.push(cause));
  t.after(() => manager.close());
  manager.ready('serving');
  manager.status('serving less');
  await eventually(() => assert.equal(faults.length, 1));
  ends('well');
  await eventually(() => assert.equal(said().length, 2));
  assert.deepEqual(said(), [`READY=1 MAINPID=${process.pid} STATUS=serving`, 'STATUS=serving less']);
});

test('the end does not wait for a systemd-notify that is killed each time', async (t) => {
  play(t).ends('kill -9 $$');
  const faults: Error[] = [];
  const manager = new ServiceManager({ NOTIFY_SOCKET: '@here' }, process.pid, (cause) => faults.push(cause));
  manager.ready('serving');
  await eventually(() => assert.equal(faults.length, 1));
  const startedAt = performance.now();
  manager.stopping();
  await manager.close();
  assert.ok(performance.now() - startedAt < 5_000);
  assert.equal(faults.length, 1);
});

test('a word that cannot even be sent is reported once, and stops nothing', async () => {
  const faults: Error[] = [];
  const manager = new ServiceManager({ NOTIFY_SOCKET: '@nowhere' }, process.pid, (cause) => faults.push(cause));
  // No program takes such an argument: it is thrown, as are the faults of a system that has nothing left.
  manager.ready('\0');
  manager.stopping();
  await manager.close();
  assert.match(faults.map(String).join(), /^TypeError[^,]*null bytes[^,]*$/);
});

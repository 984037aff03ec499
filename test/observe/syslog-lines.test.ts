import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SyslogLines } from '../../lib/observe/syslog-lines.ts';
import { eventually } from '../support/eventually.ts';
import { noLogger } from '../support/logger.ts';
import { noPython } from '../support/python.ts';
import { temporaryFolder } from '../support/router.ts';
import { startDatagramSyslog, startStreamSyslog } from '../support/syslog.ts';

interface Opened {
  readonly path: string;
  readonly lines: SyslogLines;
  /** Emits `trouble` and `well`. */
  readonly said: EventEmitter;
  readonly troubles: string[];
}

/** One that does not send yet. */
function make(t: TestContext): Opened {
  const path = join(temporaryFolder(t), 'log');
  const said = new EventEmitter();
  const troubles: string[] = [];
  const lines = new SyslogLines(path, {
    onTrouble: (cause) => {
      troubles.push(cause.message);
      said.emit('trouble');
    },
    onWell: (lost) => said.emit('well', lost),
  });
  t.after(() => lines.close());
  return { path, lines, said, troubles };
}

const skip = noLogger;

for (const [kind, listen, without] of [
  ['a stream', startStreamSyslog, false],
  ['datagrams', startDatagramSyslog, noPython],
] as const) {
  test(`lines come as messages, in order and soon: ${kind}`, { skip: skip || without }, async (t) => {
    const { path, lines, troubles } = make(t);
    const syslog = await listen(t, path);
    lines.append('before\n');
    lines.start();
    for (let i = 0; i < 500; i++) lines.append(`${i} caf\u00e9 <3> %s\n`);
    await eventually(() => assert.equal(syslog.lines.length, 501));
    assert.deepEqual(syslog.lines, ['before', ...Array.from({ length: 500 }, (_, i) => `${i} caf\u00e9 <3> %s`)]);
    assert.deepEqual(syslog.strange, []);
    assert.deepEqual(troubles, []);
    assert.equal(lines.dropped, 0);
  });

  test(`a long line is one message: ${kind}`, { skip: skip || without }, async (t) => {
    const { path, lines } = make(t);
    const syslog = await listen(t, path);
    lines.start();
    for (const length of [8_192, 60_000]) lines.append(`${'x'.repeat(length)}\n`);
    lines.append('last\n');
    await eventually(() => assert.equal(syslog.lines.length, 3));
    assert.deepEqual(
      syslog.lines.map((line) => line.length),
      [8_192, 60_000, 4],
    );
  });
}

test('what is left is written at the end', { skip }, async (t) => {
  const { path, lines } = make(t);
  const syslog = await startStreamSyslog(t, path);
  lines.start();
  lines.append('first\n');
  await eventually(() => assert.equal(syslog.lines.length, 1));
  for (let i = 0; i < 2_000; i++) lines.append(`${i} ${'x'.repeat(100)}\n`);
  await lines.close();
  await eventually(() => assert.equal(syslog.lines.length, 2_001));
  lines.append('too late\n');
  assert.equal(lines.dropped, 1);
});

test('so it is where the end comes before the beginning', { skip }, async (t) => {
  const { path, lines } = make(t);
  const syslog = await startStreamSyslog(t, path);
  lines.append('only\n');
  await lines.close();
  await eventually(() => assert.deepEqual(syslog.lines, ['only']));
});

test('a socket that is not there yet is waited for: told once, and nothing is lost', { skip }, async (t) => {
  const { path, lines, said, troubles } = make(t);
  lines.start();
  lines.append('one\n');
  await once(said, 'trouble');
  lines.append('two\n');
  const syslog = await startStreamSyslog(t, path);
  const [lost] = (await once(said, 'well')) as [number];
  assert.equal(lost, 0);
  await eventually(() => assert.deepEqual(syslog.lines, ['one', 'two']));
  assert.deepEqual(troubles, [`socket ${path}: No such file or directory`]);
});

test('after syslog was restarted lines come again, and both are told once', { skip }, async (t) => {
  const { path, lines, said, troubles } = make(t);
  const first = await startStreamSyslog(t, path);
  lines.start();
  lines.append('one\n');
  await eventually(() => assert.equal(first.lines.length, 1));
  await first.stop();
  const troubled = once(said, 'trouble');
  // That it is gone is noticed with the next line, and that one is lost.
  lines.append('lost\n');
  await troubled;
  lines.append('two\n');
  const second = await startStreamSyslog(t, path);
  await once(said, 'well');
  await eventually(() => assert.deepEqual(second.lines, ['two']));
  assert.equal(troubles.length, 1);
});

test(
  'a syslog that takes nothing costs lines, not memory or time: they are counted, and that is told',
  { skip },
  async (t) => {
    const { path, lines, said, troubles } = make(t);
    const syslog = await startStreamSyslog(t, path, false);
    lines.start();
    const line = `${'x'.repeat(1_023)}\n`;
    for (let i = 0; i < 100; i++) lines.append(line);
    const begun = performance.now();
    const troubled = once(said, 'trouble');
    for (let i = 0; i < 2_000; i++) {
      lines.append(line);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await troubled;
    assert.ok(performance.now() - begun < 5_000);
    assert.ok(lines.dropped > 0 && lines.dropped < 2_000, String(lines.dropped));
    assert.deepEqual(troubles, ['syslog is too slow for the access log']);
    await syslog.stop();
  },
);

test('the end does not wait for a syslog that takes nothing for long', { skip }, async (t) => {
  const { path, lines } = make(t);
  await startStreamSyslog(t, path, false);
  lines.start();
  for (let i = 0; i < 2_000; i++) lines.append(`${'x'.repeat(1_023)}\n`);
  const begun = performance.now();
  await lines.close();
  assert.ok(performance.now() - begun < 10_000);
});

test('a logger that cannot be started is a trouble like any other', { skip }, async (t) => {
  const { lines, said, troubles } = make(t);
  const { PATH } = process.env;
  process.env['PATH'] = '/nowhere';
  t.after(() => (process.env['PATH'] = PATH));
  lines.start();
  await once(said, 'trouble');
  assert.deepEqual(troubles, ['cannot start logger']);
});

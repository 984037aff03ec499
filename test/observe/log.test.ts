import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { BURST_MS } from '../../lib/observe/bursts.ts';
import type { LogSettings } from '../../lib/observe/log.ts';
import { noFullDisk } from '../support/full-disk.ts';
import { IN_TERMINAL, noPython } from '../support/python.ts';

const LOG = new URL('../../lib/observe/log.js', import.meta.url).href;

/** The arguments for a Node that makes a log, and does this with it. */
function program(settings: Partial<LogSettings>, script: string): readonly string[] {
  const making = `createLog(${JSON.stringify({ debug: false, log: 'auto', ...settings })}, onLine)`;
  const code = `import { createLog } from '${LOG}'; let onLine = null; const open = () => ${making}; ${script}`;
  return ['--input-type=module', '-e', code];
}

/** What a process that logs so writes to standard error, and to standard output. */
function logged(settings: Partial<LogSettings>, script: string): { readonly stderr: string; readonly stdout: string } {
  const { status, stderr, stdout } = spawnSync(process.execPath, program(settings, script), { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return { stderr, stdout };
}

/** What it writes when a terminal is all it has. */
function shown(settings: Partial<LogSettings>, script: string, env: Readonly<Record<string, string>>): string {
  const args = ['-c', IN_TERMINAL, process.execPath, ...program(settings, script)];
  return spawnSync('python3', args, { encoding: 'utf8', env: { ...process.env, TERM: 'xterm', ...env } }).stdout;
}

const TELL = `open().warn({ event: 'drain-cut', cause: new Error('no', { cause: new Error('really') }) }, 'caf\\u00e9');`;
const TEXT = /^\d\d:\d\d:\d\d\.\d{3} warn {2}café {2}event=drain-cut cause="no: really" pid=\d+\n$/;

for (const log of ['auto', 'json'] as const) {
  test(`"${log}", elsewhere than on a terminal: a JSON object a line, its fields in this order`, () => {
    const time = '"time":"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z"';
    const rest = '"event":"drain-cut","cause":"no: really","msg":"café"';
    assert.match(logged({ log }, TELL).stderr, new RegExp(`^\\{"level":"warn",${time},"pid":\\d+,${rest}\\}\n$`));
  });
}

test('"text" is text anywhere, without colours where there is no terminal', () => {
  assert.match(logged({ log: 'text' }, TELL).stderr, TEXT);
});

test('on a terminal "auto" is text, in colours unless NO_COLOR or the terminal says no', { skip: noPython }, () => {
  // oxlint-disable-next-line no-control-regex -- colours are what is looked for
  const coloured = /^\d\d:\d\d:\d\d\.\d{3} \u001b\[33mwarn \u001b\[0m café\u001b\[2m {2}.*\u001b\[0m\r\n$/;
  assert.match(shown({}, TELL, {}), coloured);
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    assert.match(shown({}, TELL, env).replaceAll('\r', ''), TEXT);
  }
  assert.match(shown({ log: 'json' }, TELL, {}), /^\{"level":"warn"/);
});

test('a listener is given every line that is written, as JSON whatever is shown', () => {
  const script = `onLine = (line) => process.stdout.write(line); const log = open(); ${TELL.replace('open()', 'log')} log.debug({}, 'x');`;
  const asJson = logged({ log: 'json' }, script);
  assert.equal(asJson.stdout, asJson.stderr);
  assert.equal(asJson.stdout.split('\n').length, 2);
  const asText = logged({ log: 'text' }, script);
  assert.match(asText.stderr, TEXT);
  assert.equal((JSON.parse(asText.stdout) as { msg: string }).msg, 'café');
});

test('it goes on as a new configuration wants it', () => {
  const script = `const log = open(); log.debug({}, 'one'); log.configure({ debug: true, log: 'text' }); log.debug({}, 'two');
    log.configure({ debug: false, log: 'json' }); log.debug({}, 'three'); log.info({}, 'four');`;
  assert.match(logged({}, script).stderr, /^\S+ debug two {2}pid=\d+\n\{.*"msg":"four"\}\n$/);
});

/** The lines of a log in JSON. */
function entries(text: string): readonly Record<string, unknown>[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('of a burst 20 lines are written, and at the end how many were not; a code has its own count', () => {
  const script = `const log = open();
    for (let i = 0; i < 50; i++) log.warn({ event: 'a' }, 'x');
    for (let i = 0; i < 22; i++) log.warn({ event: 'refused', code: 'one' }, 'x');
    log.warn({ event: 'refused', code: 'two' }, 'x');
    for (let i = 0; i < 30; i++) log.info({ event: 'reloaded' }, 'x');
    for (let i = 0; i < 30; i++) log.fatal({ event: 'worker-mistake' }, 'x');
    for (let i = 0; i < 30; i++) log.debug({ event: 'b' }, 'x');
    log.end();`;
  const all = entries(logged({}, script).stderr);
  const count = (wanted: string): number => all.filter(({ event }) => event === wanted).length;
  assert.deepEqual([count('a'), count('refused'), count('reloaded'), count('worker-mistake')], [20, 21, 30, 30]);
  const [first, second, ...others] = all.filter(({ event }) => event === 'suppressed');
  assert.deepEqual(others, []);
  assert.deepEqual([first?.['of'], first?.['count'], first?.['seconds'], first?.['level']], ['a', 30, 1, 'warn']);
  assert.equal(first?.['msg'], '30 more lines were suppressed in 1 s: a');
  assert.deepEqual([second?.['of'], second?.['count']], ['refused one', 2]);
});

test('who asks whether there is room need not make the line, and it counts all the same', () => {
  const script = `const log = open();
    const rooms = Array.from({ length: 30 }, () => {
      const has = log.hasRoom('warn', 'refused', 'x');
      if (has) log.warn({ event: 'refused', code: 'x' }, 'x');
      return has;
    });
    console.log(rooms.filter(Boolean).length, log.hasRoom('debug', 'other'));
    log.end();`;
  const { stdout, stderr } = logged({}, script);
  assert.equal(stdout, '20 false\n');
  assert.deepEqual(entries(stderr).at(-1)?.['count'], 10);
});

test('the wait for the end of a burst keeps no process alive', () => {
  const begun = performance.now();
  logged({}, `const log = open(); for (let i = 0; i < 30; i++) log.warn({ event: 'a' }, 'x');`);
  assert.ok(performance.now() - begun < BURST_MS);
});

test('standard error on a full disk throws at nobody who logs, and takes no more memory', { skip: noFullDisk }, (t) => {
  const full = openSync('/dev/full', 'a');
  t.after(() => closeSync(full));
  const script = `const log = open(); log.info({}, 'one'); log.fatal({}, 'two');
    const text = 'x'.repeat(65_536);
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 2_000; i++) log.info({}, text);
    console.log(process.memoryUsage.rss() - before < 64 * 1_048_576 ? 'small' : 'large');`;
  const { status, stdout } = spawnSync(process.execPath, program({ log: 'json' }, script), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', full],
  });
  assert.deepEqual([status, stdout], [0, 'small\n']);
});

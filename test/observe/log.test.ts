import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { LogSettings } from '../../lib/observe/log.ts';
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

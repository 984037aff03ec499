import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textLine } from '../../lib/observe/text-line.ts';

/** A line as the log has it, on a clock that stands. */
function line(fields: Readonly<Record<string, unknown>>, hasColours = false): string {
  const time = new Date(2026, 10, 21, 8, 4, 9, 7).toISOString();
  return textLine(`${JSON.stringify({ level: 'info', time, pid: 7, ...fields })}\n`, hasColours);
}

test('time, level, message, then the fields that the message does not say', () => {
  const fields = { event: 'backend-dead', backend: 'http://10.0.0.1:80', id: 1, why: 'connect ECONNREFUSED' };
  const msg = 'x.com: http://10.0.0.1:80 is dead: connect ECONNREFUSED';
  assert.equal(
    line({ level: 'warn', ...fields, frontend: 'x.com', msg }),
    `08:04:09.007 warn  ${msg}  event=backend-dead id=1 pid=7\n`,
  );
});

test('lists are said when each of them is, and what is missing is not worth a word', () => {
  const listening = ['http://127.0.0.1:80', 'http://[::1]:80'];
  const msg = 'ready on http://127.0.0.1:80, http://[::1]:80 (2 workers)';
  assert.equal(line({ listening, workers: 2, host: null, msg }), `08:04:09.007 info  ${msg}  pid=7\n`);
  const told = line({ listening, msg: 'ready on http://127.0.0.1:80' });
  assert.ok(told.includes(' listening=["http://127.0.0.1:80","http://[::1]:80"] '), told);
});

test('values that are not one plain word are quoted', () => {
  const told = line({ a: 'b c', b: 'd=e', c: '"', d: '', e: 'x\\y', f: true, g: 1.5, h: { i: 1 }, msg: 'm' });
  assert.equal(told, `08:04:09.007 info  m  a="b c" b="d=e" c="\\"" d="" e="x\\\\y" f=true g=1.5 h={"i":1} pid=7\n`);
});

test('an error is told with its stack, in one line', () => {
  const err = { type: 'TypeError', message: 'no', stack: 'TypeError: no\n    at f (x.js:1:1)' };
  const told = line({ level: 'error', err, msg: 'a mistake' });
  assert.equal(told, String.raw`08:04:09.007 error a mistake  err="TypeError: no\n    at f (x.js:1:1)" pid=7` + '\n');
});

test('no byte from elsewhere moves the cursor, makes a line, turns the text around, or counterfeits a field', () => {
  const hostile = 'a\u001b[2J\r\nb\u0007\u009b\u007f\u202e\u2028\u200b\ud800 \u{e0041}';
  for (const text of [line({ msg: hostile }), line({ [hostile]: 1, x: hostile }, true)]) {
    // oxlint-disable-next-line no-control-regex -- our own colours
    const own = text.replaceAll(/\u001b\[[\d;]*m/g, '').slice(0, -1);
    assert.doesNotMatch(own, /[\p{C}\p{Zl}\p{Zp}]/u);
    assert.ok(own.includes(String.raw`\x1b[2J`) || own.includes(String.raw`\u001b[2J`), own);
    assert.ok(text.endsWith('\n'));
  }
  assert.ok(line({ msg: hostile }).includes(String.raw`a\x1b[2J\x0d\nb\x07\x9b\x7f\u{202e}\u{2028}\u{200b}\u{d800}`));
  assert.ok(line({ x: 'y event=ready' }).includes(' x="y event=ready" '));
  assert.ok(line({ msg: 'na\u00efve \u2603 \u{1f600}' }).includes('na\u00efve \u2603 \u{1f600}'));
});

test('colours begin and end within the line', () => {
  for (const level of ['debug', 'info', 'warn', 'error', 'fatal', 'other']) {
    const told = line({ level, msg: 'm', x: 1 }, true).replaceAll('\u001b', 'ESC');
    assert.match(told, /^08:04:09\.007 ESC\[[\d;]+m\w+ *ESC\[0m mESC\[2m {2}x=1 pid=7ESC\[0m\n$/);
  }
});

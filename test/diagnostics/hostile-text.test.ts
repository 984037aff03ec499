/** Keys and list entries are as long as their writers like: what is read of them must not grow with a power of that. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { readKey, readUnknownKey } from '../../lib/diagnostics/key-faults.ts';
import { openEditor } from '../../lib/store/drivers/open-editor.ts';

const LENGTH = 100_000;
/** The quadratic ones took 20 s and more. */
const LIMIT_MS = 5_000;

function adviceOf(t: TestContext) {
  const editor = openEditor(
    { scheme: 'file', path: '/nowhere.json' },
    { scheme: 'file', path: '/nowhere.json' },
    { timeoutMs: 1 },
  );
  t.after(() => editor.close());
  return editor.advice;
}

function timed(what: string, run: () => void): void {
  const startedAt = performance.now();
  run();
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < LIMIT_MS, `${what}: ${tookMs} ms`);
}

for (const unit of ['/', '.', ' ', ':', 'a ', '[', '%2f', '//', '*.', 'a.', '\t', '-', '=', '@']) {
  test(`100 KB of ${JSON.stringify(unit)} is read at once, as a backend and as a key`, (t) => {
    const advice = adviceOf(t);
    const row = unit.repeat(LENGTH / unit.length);
    for (const start of [
      '',
      'a',
      'http://',
      'http://a',
      'http://[',
      'file:///',
      'file:///a',
      'http://[unix:/',
      'redirect://a/',
    ]) {
      for (const end of ['', 'x', '\n', ']']) {
        const text = start + row + end;
        timed(`${start}…${end} as a backend`, () => parseBackend(text, 0));
        timed(`${start}…${end} as a key`, () => readKey(text, advice));
        timed(`${start}…${end} as a unknownKey`, () => readUnknownKey(text, '', advice));
      }
    }
  });
}

test('dots at the end of a host are taken off as before', (t) => {
  const advice = adviceOf(t);
  for (const [key, meant] of [
    ['x.io.', 'x.io'],
    ['x.io...', 'x.io'],
    ['x.io./a', 'x.io/a'],
  ] as const) {
    assert.equal(readKey(key, advice).meant, meant, key);
  }
});

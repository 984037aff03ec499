import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysIn, press, type TopState } from '../../lib/command/top-keys.ts';

const START: TopState = { sort: 'traffic', match: '', from: 0, typed: null };

/** The state after some keys. */
function after(text: string, from: TopState = START, room = 10, found = 95): TopState | null {
  return keysIn(text).reduce<TopState | null>((state, key) => state && press(state, key, room, found), from);
}

test('keys are read from what a terminal sends, several at a time', () => {
  assert.deepEqual(keysIn('te\u001B[A\u001BOB\u001B[5~\u001B[6~\u001B[H\u001BOF'), [
    't',
    'e',
    'up',
    'down',
    'page-up',
    'page-down',
    'home',
    'end',
  ]);
  assert.deepEqual(keysIn('\u001B'), ['escape']);
  assert.deepEqual(keysIn('\r\u007F\u0003é😀'), ['enter', 'backspace', 'quit', 'é', '😀']);
  // Of unknown keys, and of control characters, nothing is left that would be typed.
  assert.deepEqual(keysIn('\u001B[15~\u001B[1;5C\u0001'), []);
});

test('letters sort, and go back to the first', () => {
  for (const [key, sort] of [
    ['t', 'traffic'],
    ['e', 'errors'],
    ['l', 'latency'],
    ['s', 'state'],
    ['n', 'key'],
  ] as const) {
    assert.deepEqual(after(key, { ...START, from: 20 }), { ...START, sort });
  }
});

test('arrows and pages scroll, not beyond the ends', () => {
  assert.equal(after('\u001B[B\u001B[Bj')?.from, 3);
  assert.equal(after('\u001B[B\u001B[A\u001B[A')?.from, 0);
  assert.equal(after('\u001B[6~ ')?.from, 20);
  assert.equal(after('\u001B[F')?.from, 85);
  assert.equal(after('\u001B[F\u001B[6~')?.from, 85);
  assert.equal(after('\u001B[F\u001B[5~k')?.from, 74);
  assert.equal(after('\u001B[F\u001B[H')?.from, 0);
  assert.equal(after('\u001B[F', START, 10, 4)?.from, 0);
});

test('a filter takes letters that are keys otherwise, and ends with Enter or Escape', () => {
  assert.deepEqual(after('/quest', { ...START, from: 5 }), { ...START, match: 'quest', typed: 'quest' });
  assert.deepEqual(after('/quest\u007F\u007F\r'), { ...START, match: 'que' });
  assert.deepEqual(after('/que\r/s\r'), { ...START, match: 'ques' });
  assert.deepEqual(after('/que\u001B'), START);
  assert.deepEqual(after('/que\re\u001B'), { ...START, sort: 'errors' });
  assert.deepEqual(after('/a\u001B[A\u001B[5~'), { ...START, match: 'a', typed: 'a' }, 'keys that write nothing');
  assert.equal(after(`/${'x'.repeat(1_000)}`)?.match.length, 200);
});

test('q quits, except in a filter; Ctrl-C quits always', () => {
  assert.equal(after('q'), null);
  assert.equal(after('/q')?.match, 'q');
  assert.equal(after('/q\u0003'), null);
  assert.deepEqual(after('x'), START);
});

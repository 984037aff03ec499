/** Small pieces of a body are joined, in order, and none waits longer than its turn of the event loop. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { SmallPieces } from '../../lib/proxy/small-pieces.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** What was passed on for these pieces, all added in one turn. */
function passed(): { readonly pieces: SmallPieces; readonly out: string[] } {
  const out: string[] = [];
  return { pieces: new SmallPieces((bytes) => out.push(bytes.toString())), out };
}

function letter(i: number): Buffer {
  return Buffer.from(LETTERS[i % LETTERS.length] ?? '');
}

test('10,000 pieces of one byte in one turn become a few, in order', async () => {
  const { pieces, out } = passed();
  for (let i = 0; i < 10_000; i++) pieces.add(letter(i));
  await setImmediate();
  assert.equal(out.join(''), Array.from({ length: 10_000 }, (_, i) => LETTERS[i % LETTERS.length]).join(''));
  assert.ok(out.length < 20, `${out.length} pieces`);
});

test('the first pieces, and each piece that comes alone, are passed on in their turn', async () => {
  const { pieces, out } = passed();
  for (let i = 0; i < 100; i++) {
    pieces.add(letter(i));
    await setImmediate();
    assert.equal(out.length, i + 1);
  }
  const first = passed();
  first.pieces.add(letter(0));
  assert.deepEqual(first.out, ['a']);
});

test('a large piece follows the small ones before it', async () => {
  const { pieces, out } = passed();
  for (let i = 0; i < 20; i++) pieces.add(letter(i));
  pieces.add(Buffer.alloc(5_000, 'x'));
  pieces.add(Buffer.from('end'));
  await setImmediate();
  assert.equal(out.join(''), `abcdefghijklmnopqrst${'x'.repeat(5_000)}end`);
});

test('flush passes on what is held at once, and clear drops it', async () => {
  const { pieces, out } = passed();
  for (let i = 0; i < 20; i++) pieces.add(letter(i));
  pieces.flush();
  assert.equal(out.join(''), 'abcdefghijklmnopqrst');
  for (let i = 0; i < 20; i++) pieces.add(letter(i));
  pieces.clear();
  await setImmediate();
  assert.equal(out.join(''), 'abcdefghijklmnopqrst');
});

test('what is joined takes no more memory than a few times its bytes', async () => {
  const memory = new Set<ArrayBufferLike>();
  const pieces = new SmallPieces((bytes) => memory.add(bytes.buffer));
  for (let i = 0; i < 10; i++) pieces.add(letter(i));
  memory.clear();
  await setImmediate();
  for (let turn = 0; turn < 100; turn++) {
    pieces.add(letter(0));
    pieces.add(letter(1));
    await setImmediate();
  }
  const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.ok(bytes <= 100 * 1_024, `${bytes} bytes for 200`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeHuffman, encodeHuffman, huffmanBytes, maxDecodedBytes } from '../../../lib/http2/hpack/huffman.ts';
import { propertyRuns } from '../../support/random.ts';
import { bytesOf } from './blocks.ts';

const NUM_RUNS = propertyRuns(500);

function encoded(text: string): Buffer {
  const into = Buffer.alloc(huffmanBytes(text));
  assert.equal(encodeHuffman(text, into, 0), into.length);
  return into;
}

/** @returns null for an error */
function decoded(bytes: Buffer): string | null {
  const into = Buffer.alloc(maxDecodedBytes(bytes.length));
  const length = decodeHuffman(bytes, 0, bytes.length, into);
  return length < 0 ? null : into.toString('latin1', 0, length);
}

test('every byte, and every pair of bytes, comes back as it was', () => {
  for (let a = 0; a < 256; a++) {
    assert.equal(decoded(encoded(String.fromCharCode(a))), String.fromCharCode(a));
    for (let b = 0; b < 256; b++) {
      const text = String.fromCharCode(a, b);
      assert.equal(decoded(encoded(text)), text);
    }
  }
});

test('any text comes back as it was', () => {
  const text = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  fc.assert(
    fc.property(text, (each) => assert.equal(decoded(encoded(each)), each)),
    { numRuns: NUM_RUNS },
  );
});

test('of any bytes that are accepted, the text has no other code: so nothing is accepted but codes and their padding', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = decoded(Buffer.from(bytes));
      if (text !== null) assert.deepEqual(encoded(text), Buffer.from(bytes));
    }),
    { numRuns: 20 * NUM_RUNS },
  );
});

for (const [name, bytes] of [
  ['padding of eight ones', 'ff'],
  ['a text with eight ones of padding', '1fff'],
  ['padding with a zero', '1e'],
  ['padding of zeros', '18'],
  ['the end of the string', 'ffff ffff'],
  ['the end of the string within a text', '1fff ffff ff18 ff'],
  ['the end of the string, exactly', 'ffff fffc'],
  ['a code that is cut', 'fffe'],
] as const) {
  test(`${name} is an error`, () => assert.equal(decoded(bytesOf(bytes)), null));
}

test('padding of up to seven ones is accepted', () => {
  // "a" is 00011, and "&" is 11111000.
  assert.equal(decoded(bytesOf('1f')), 'a');
  assert.equal(decoded(bytesOf('f8')), '&');
  assert.equal(decoded(Buffer.alloc(0)), '');
  for (const text of ['a', 'aa', 'aaa', 'aaaa', 'aaaaa', 'aaaaaa', 'aaaaaaa', 'aaaaaaaa'])
    assert.equal(decoded(encoded(text)), text);
});

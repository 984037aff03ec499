import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader, type FrameSink } from '../../../lib/http2/frames/frame-reader.ts';
import { CODE } from '../../../lib/http2/frames/frames.ts';
import { FRAME, frame } from '../../support/http2.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const PADDED = 8;

/** Writes down what a reader delivers; content of one DATA frame in one piece. */
class Notes implements FrameSink {
  readonly lines: string[] = [];
  #content = '';

  onDataHead(flags: number, id: number, length: number): void {
    this.lines.push(`data ${flags} ${id} ${length}`);
    this.#content = '';
  }

  onData(bytes: Buffer, begin: number, end: number): void {
    this.#content += bytes.toString('latin1', begin, end);
  }

  onDataEnd(padding: number): void {
    this.lines.push(`${this.#content}+${padding}`);
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, begin: number, end: number): void {
    this.lines.push(`${type} ${flags} ${id} ${bytes.toString('latin1', begin, end)}`);
  }
}

const BYTES = Buffer.concat([
  PREFACE,
  frame(FRAME.settings, 0, 0),
  frame(FRAME.headers, 4, 1, Buffer.from('a head')),
  frame(FRAME.data, 0, 1, Buffer.from('body')),
  frame(FRAME.data, PADDED, 1, Buffer.from('\x03padded...')),
  frame(FRAME.data, PADDED, 1, Buffer.from('\x00')),
  frame(FRAME.data, 1, 1),
  frame(99, 7, 2 ** 31 - 1, Buffer.from('of no known type')),
  frame(FRAME.ping, 0, 0, Buffer.from('12345678')),
]);
const LINES = [
  '4 0 0 ',
  '1 4 1 a head',
  'data 0 1 4',
  'body+0',
  'data 8 1 10',
  'padded+4',
  'data 8 1 1',
  '+1',
  'data 1 1 0',
  '+0',
  '99 7 2147483647 of no known type',
  '6 0 0 12345678',
];

function read(...parts: readonly Buffer[]): string[] {
  const notes = new Notes();
  const reader = new FrameReader(notes);
  for (const part of parts) {
    // As with a shared buffer: the bytes are gone afterwards.
    const lent = Buffer.from(part);
    reader.read(lent);
    lent.fill(0xff);
  }
  return notes.lines;
}

test('frames are the same in one piece, byte for byte, and cut at any place or two', () => {
  assert.deepEqual(read(BYTES), LINES);
  assert.deepEqual(read(...[...BYTES].map((byte) => Buffer.of(byte))), LINES);
  for (let first = 0; first <= BYTES.length; first++) {
    for (let second = first; second <= BYTES.length; second += 3) {
      const parts = [BYTES.subarray(0, first), BYTES.subarray(first, second), BYTES.subarray(second)];
      assert.deepEqual(read(...parts), LINES, `${first} ${second}`);
    }
  }
});

for (const [what, code, ...frames] of [
  ['another preface', CODE.protocol, Buffer.from('GET / HTTP/1.1\r\n')],
  ['a frame that is too large', CODE.frameSize, PREFACE, frame(99, 0, 0, Buffer.alloc(16_385)).subarray(0, 9)],
  ['DATA that is too large', CODE.frameSize, PREFACE, frame(0, 0, 1, Buffer.alloc(16_385)).subarray(0, 9)],
  ['more padding than payload', CODE.protocol, PREFACE, frame(0, PADDED, 1, Buffer.from('\x04abc'))],
  ['padding without its length', CODE.frameSize, PREFACE, frame(0, PADDED, 1)],
] as const) {
  test(`${what} ends the connection, as soon as it can be seen`, () => {
    const fault = { name: 'ConnectionError', code };
    assert.throws(() => read(Buffer.concat(frames)), fault);
    assert.throws(() => read(...Array.from(Buffer.concat(frames), (byte) => Buffer.of(byte))), fault);
  });
}

test('a payload of 16 KiB is allowed, and a padding that fills it', () => {
  const large = Buffer.alloc(16_384, 'x');
  const padded = Buffer.alloc(256);
  padded[0] = 255;
  assert.deepEqual(read(PREFACE, frame(0, 0, 1, large)), ['data 0 1 16384', `${large.toString()}+0`]);
  assert.deepEqual(read(PREFACE, frame(0, PADDED, 1, padded)), ['data 8 1 256', '+256']);
});

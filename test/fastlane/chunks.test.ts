/** Chunked bodies, followed without being decoded (RFC 9112 §7.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Chunks } from '../../lib/fastlane/chunks.ts';

interface Result {
  /** What is passed on. */
  readonly output: string;
  readonly payload: number;
  /** What was left over; null while the body goes on. */
  readonly rest: string | null;
}

/** Reads a body in pieces. @returns null when it is none */
function read(text: string, splits: readonly number[] = []): Result | null {
  const chunks = new Chunks();
  const bytes = Buffer.from(text, 'latin1');
  const marks = [0, ...splits.map((at) => at % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let output = '';
  for (let i = 1; i < marks.length; i++) {
    const piece = bytes.subarray(marks[i - 1], marks[i]);
    if (piece.length === 0) continue;
    const end = chunks.read(piece, 0);
    if (end < 0) return null;
    output += chunks.output?.toString('latin1') ?? '';
    if (chunks.isDone) return { output, payload: chunks.payload, rest: text.slice((marks[i - 1] ?? 0) + end) };
    assert.equal(end, piece.length);
  }
  return { output, payload: chunks.payload, rest: null };
}

test('a body is passed on as it came, and what follows it is not', () => {
  const body = '5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n';
  assert.deepEqual(read(`${body}GET /`), { output: body, payload: 15, rest: 'GET /' });
});

test('extensions are left out', () => {
  assert.deepEqual(read('5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n'), {
    output: '5\r\nhello\r\n0\r\n\r\n',
    payload: 5,
    rest: '',
  });
});

test('trailer fields that come too late to be believed are left out', () => {
  const body = '1\r\na\r\n0\r\nX-Sum:  1 \r\nCookie: no\r\nX-Forwarded-For: 1.2.3.4\r\nEmpty:\r\n\r\n';
  assert.deepEqual(read(body), { output: '1\r\na\r\n0\r\nX-Sum: 1\r\nEmpty: \r\n\r\n', payload: 1, rest: '' });
});

for (const [why, body] of Object.entries({
  'no size': '\r\nhello',
  'a size in 0x form': '0x5\r\nhello\r\n',
  'a signed size': '+5\r\nhello\r\n',
  'a size past what can be counted': '10000000000000\r\n',
  'a space after the size': '5 \r\nhello\r\n',
  'a bare LF after the size': '5\nhello\r\n',
  'a bare CR after the size': '5\rhello\r\n',
  'less data than the size says': '6\r\nhello\r\n0\r\n\r\n',
  'more data than the size says': '4\r\nhello\r\n0\r\n\r\n',
  'a bare LF after the data': '5\r\nhello\n0\r\n\r\n',
  'a control byte in an extension': '5;a\x01\r\nhello\r\n',
  'a bare LF in an extension': '5;a\n5\r\nhello\r\n',
  'extensions without end': `5;${'a'.repeat(20_000)}`,
  'a bare LF after the trailer section': '0\r\nX-A: 1\r\n\n',
  'a folded trailer': '0\r\nX-A: 1\r\n 2\r\n\r\n',
  'a length in the trailer section': '0\r\nContent-Length: 3\r\n\r\n',
  'a coding in the trailer section': '0\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a trailer section without end': `0\r\n${'X-A: 1\r\n'.repeat(10_000)}`,
})) {
  test(`${why} is no chunked body`, () => {
    const result = read(body);
    assert.ok(result === null || (why === 'a bare LF after the trailer section' && result.rest === null));
  });
}

const chunk = fc.record({
  data: fc.string({ minLength: 1, maxLength: 30 }),
  extension: fc.constantFrom('', ';a', ';a=b;c'),
});

test('however it is cut up, a body is read in the same way', () => {
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 5 }),
      fc.constantFrom('', 'X-Sum: 1\r\n', 'Cookie: no\r\n', 'X-A: 1\r\nX-B:\t2\r\n'),
      fc.array(fc.nat(), { maxLength: 8 }),
      (pieces, trailers, splits) => {
        const latin1 = pieces.map(({ data, extension }) => ({ data: Buffer.from(data).toString('latin1'), extension }));
        const framed = latin1
          .map(({ data, extension }) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`)
          .join('');
        const text = `${framed}0\r\n${trailers}\r\nnext`;
        const whole = read(text);
        assert.equal(whole?.rest, 'next');
        assert.equal(
          whole?.payload,
          latin1.reduce((sum, { data }) => sum + data.length, 0),
        );
        assert.deepEqual(read(text, splits)?.output, whole?.output);
        assert.deepEqual(read(whole?.output ?? '')?.output, whole?.output);
        for (let at = 0; at < text.length; at++) assert.deepEqual(read(text, [at])?.output, whole?.output);
      },
    ),
    { numRuns: 300 },
  );
});

test('one broken byte never makes two readings of it', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      (at, byte, splits) => {
        const good = '5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n';
        const i = at % good.length;
        const text = good.slice(0, i) + String.fromCharCode(byte) + good.slice(i + 1);
        const result = read(text);
        const cut = read(text, splits);
        // Where it breaks may be seen earlier or later, but what is read to the end is the same.
        if (result !== null && cut !== null) assert.deepEqual(cut, result);
        else assert.equal(cut, result);
      },
    ),
    { numRuns: 2000 },
  );
});

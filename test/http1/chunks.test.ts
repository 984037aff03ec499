/** Chunked bodies, followed without being decoded (RFC 9112 §7.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Chunks } from '../../lib/http1/chunks.ts';
import { propertyRuns } from '../support/random.ts';

interface Result {
  /** What is passed on. */
  readonly output: string;
  readonly payload: number;
  /** What was left over; null while the body goes on. */
  readonly rest: string | null;
  readonly isDoubtful: boolean;
}

/** Reads a body in pieces. @returns null when it is none */
function read(text: string, splits: readonly number[] = [], isLenient = false): Result | null {
  const chunks = new Chunks(isLenient);
  const bytes = Buffer.from(text, 'latin1');
  const marks = [0, ...splits.map((at) => at % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let output = '';
  for (let i = 1; i < marks.length; i++) {
    const piece = bytes.subarray(marks[i - 1], marks[i]);
    if (piece.length === 0) continue;
    const end = chunks.read(piece, 0);
    if (end < 0) return null;
    output += chunks.output?.toString('latin1') ?? '';
    const { payload, isDoubtful } = chunks;
    if (chunks.isDone) return { output, payload, rest: text.slice((marks[i - 1] ?? 0) + end), isDoubtful };
    assert.equal(end, piece.length);
  }
  return { output, payload: chunks.payload, rest: null, isDoubtful: chunks.isDoubtful };
}

test('a body is passed on as it came, and what follows it is not', () => {
  const body = '5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n';
  assert.deepEqual(read(`${body}GET /`), { output: body, payload: 15, rest: 'GET /', isDoubtful: false });
});

/** A body of three chunks, with these sizes as they are written. */
function bodyOf([a, b, c, last]: readonly string[]): string {
  return `${a}\r\nhello\r\n${b}\r\n0123456789\r\n${c}\r\n0123456789abcdef\r\n${last}\r\n\r\n`;
}

test('of the zeros before a size one is passed on, however many there are: RFC 9112 §7.1 allows them, and some backends count digits', () => {
  const sizes = ['5', 'A', '10', ''];
  const output = bodyOf(sizes.map((size) => `0${size}`));
  for (const zeros of ['0', '0000', '0'.repeat(14), '0'.repeat(5_000)]) {
    const padded = bodyOf(sizes.map((size) => zeros + size));
    assert.deepEqual(read(`${padded}GET /`), { output, payload: 31, rest: 'GET /', isDoubtful: false });
    const bytewise = Array.from(padded, (_, at) => at);
    assert.deepEqual(read(padded, bytewise), { output, payload: 31, rest: '', isDoubtful: false });
  }
});

test('extensions are left out, also those that are empty or begin with a space', () => {
  assert.deepEqual(read('5;\r\nhello\r\n1; a=b\r\n!\r\n000;\r\n\r\n'), {
    output: '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n',
    payload: 6,
    rest: '',
    isDoubtful: false,
  });
});

test('extensions are left out', () => {
  assert.deepEqual(read('5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n'), {
    output: '5\r\nhello\r\n0\r\n\r\n',
    payload: 5,
    rest: '',
    isDoubtful: false,
  });
});

test('trailer fields that come too late to be believed are left out', () => {
  const body = '1\r\na\r\n0\r\nX-Sum:  1 \r\nCookie: no\r\nX-Forwarded-For: 1.2.3.4\r\nEmpty:\r\n\r\n';
  assert.deepEqual(read(body), {
    output: '1\r\na\r\n0\r\nX-Sum: 1\r\nEmpty: \r\n\r\n',
    payload: 1,
    rest: '',
    isDoubtful: false,
  });
});

for (const [why, body] of Object.entries({
  'no size': '\r\nhello',
  'a size in 0x form': '0x5\r\nhello\r\n',
  'a signed size': '+5\r\nhello\r\n',
  'a size past what can be counted': '10000000000000\r\n',
  'the same behind zeros': '00010000000000000\r\n',
  'zeros without end': '0'.repeat(20_000),
  'zeros, then no digit': '00x\r\n',
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

for (const [why, body, isDoubtful] of [
  ['a bare LF behind a size', '5\nhello\r\n0\r\n\r\n', true],
  ['a bare LF behind a chunk', '5\r\nhello\n0\r\n\r\n', true],
  ['a bare LF behind the last size', '5\r\nhello\r\n0\n\r\n', true],
  ['a bare LF at the end', '5\r\nhello\r\n0\r\n\n', true],
  ['spaces and tabs behind sizes', '5 \t \r\nhello\r\n0 \r\n\r\n', true],
  ['spaces and a bare LF behind a size', '5  \nhello\r\n0\r\n\r\n', true],
  ['a space before an extension', '5 ;a\r\nhello\r\n0 ;b\r\n\r\n', false],
  ['an empty extension', '5;\r\nhello\r\n0;\r\n\r\n', false],
  ['zeros before sizes', `${'0'.repeat(40)}5\r\nhello\r\n${'0'.repeat(40)}\r\n\r\n`, false],
] as const) {
  test(`of a response, ${why}: read in one way, however it is cut up, and sent on strictly`, () => {
    const text = `${body}next`;
    for (let at = 0; at < text.length; at++) {
      const result = read(text, [at], true);
      assert.match(result?.output ?? '', /^0?5\r\nhello\r\n0\r\n\r\n$/);
      assert.deepEqual([result?.payload, result?.rest, result?.isDoubtful], [5, 'next', isDoubtful]);
    }
    if (isDoubtful) assert.equal(read(text)?.rest ?? null, null, 'of a request, it has no end');
  });
}

test('of a response, a trailer section may have lines that end with a bare LF', () => {
  const strict = '0\r\nX-A: 1\r\nX-B: 2\r\n\r\n';
  for (const body of ['0\r\nX-A: 1\nX-B: 2\r\n\r\n', '0\r\nX-A: 1\nX-B: 2\n\n', '0\nX-A: 1\r\nX-B: 2\r\n\n']) {
    for (let at = 0; at < body.length; at++) {
      const result = read(`${body}next\r\n\r\n`, [at], true);
      assert.deepEqual([result?.output, result?.rest, result?.isDoubtful], [strict, 'next\r\n\r\n', true]);
    }
  }
});

for (const [why, body] of Object.entries({
  'a bare CR behind a size': '5\rhello\r\n',
  'a bare LF behind an extension': '5;a\nhello\r\n',
  'no line end behind a chunk': '5\r\nhello0\r\n\r\n',
  'two line ends behind a chunk': '5\r\nhello\n\n0\r\n\r\n',
  'white space before a size': ' 5\r\nhello\r\n',
  'white space within a size': '5 0\r\nhello\r\n',
  'a size in 0x form': '0x5\r\nhello\r\n',
  'a signed size': '+5\r\nhello\r\n',
  'a size past what can be counted': '10000000000000\r\n',
  'a size past what can be counted, behind zeros': '00010000000000000\r\n',
  'zeros without end': '0'.repeat(20_000),
  'white space without end': `5${' '.repeat(20_000)}`,
})) {
  test(`of a response, ${why} is no chunked body, either`, () => assert.equal(read(body, [], true), null));
}

const chunk = fc.record({
  data: fc.string({ minLength: 1, maxLength: 30 }),
  extension: fc.constantFrom('', ';a', ';a=b;c', ';', '; a=b'),
  zeros: fc.constantFrom('', '', '0', '0'.repeat(20)),
});

test('however it is cut up, a body is read in the same way', () => {
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 5 }),
      fc.constantFrom('', 'X-Sum: 1\r\n', 'Cookie: no\r\n', 'X-A: 1\r\nX-B:\t2\r\n'),
      fc.array(fc.nat(), { maxLength: 8 }),
      (pieces, trailers, splits) => {
        const latin1 = pieces.map(({ data, extension, zeros }) => ({
          data: Buffer.from(data).toString('latin1'),
          extension,
          zeros,
        }));
        const framed = latin1
          .map(({ data, extension, zeros }) => `${zeros}${data.length.toString(16)}${extension}\r\n${data}\r\n`)
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
    { numRuns: propertyRuns(300) },
  );
});

test('one broken byte never makes two readings of it', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      (isLenient, at, byte, splits) => {
        const good = '5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n';
        const i = at % good.length;
        const text = good.slice(0, i) + String.fromCharCode(byte) + good.slice(i + 1);
        const result = read(text, [], isLenient);
        const cut = read(text, splits, isLenient);
        // Where it breaks may be seen earlier or later, but what is read to the end is the same.
        if (result !== null && cut !== null) assert.deepEqual(cut, result);
        else assert.equal(cut, result);
      },
    ),
    { numRuns: propertyRuns(2000) },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouterError } from '../../lib/core/errors.ts';
import { endsByClose, hasBody, requestFraming } from '../../lib/core/http/framing.ts';

/** The framing as `kind` or `length:bytes`, or the code of the refusal. */
function read(lengths: readonly string[], codings: readonly string[], version = '1.1'): string {
  try {
    const framing = requestFraming(version, lengths, codings);
    return framing.kind === 'length' ? `length:${framing.bytes}` : framing.kind;
  } catch (error) {
    assert.ok(error instanceof RouterError);
    return `${error.code} ${error.status}`;
  }
}

test('a request that says nothing about its body has none', () => {
  assert.equal(read([], []), 'none');
  assert.equal(read([], [], '1.0'), 'none');
});

test('one Content-Length of digits is the length', () => {
  assert.equal(read(['0'], []), 'length:0');
  assert.equal(read(['12'], []), 'length:12');
  assert.equal(read(['12'], [], '1.0'), 'length:12');
  assert.equal(read(['007'], []), 'length:7');
  assert.equal(read([`${'0'.repeat(500)}7`], []), 'length:7');
  assert.equal(read(['0'.repeat(500)], []), 'length:0');
});

for (const lengths of [['+5'], ['-5'], [''], ['5 '], ['5, 5'], ['5', '5'], ['5', '6'], ['0x5'], ['5.0'], ['1e3']]) {
  test(`Content-Length ${JSON.stringify(lengths)} is refused`, () =>
    assert.equal(read(lengths, []), 'bad-request 400'));
}

test('a length past what is exact is refused', () => {
  assert.equal(read(['999999999999999'], []), 'length:999999999999999');
  assert.equal(read(['9999999999999999'], []), 'bad-request 400');
  assert.equal(read(['0009999999999999999'], []), 'bad-request 400');
});

test('chunked is chunked in any case, and alone', () => {
  assert.equal(read([], ['chunked']), 'chunked');
  assert.equal(read([], ['Chunked']), 'chunked');
  assert.equal(read([], [' chunked\t']), 'chunked');
});

for (const codings of [
  ['identity'],
  ['xchunked'],
  ['"chunked"'],
  ['chunked', 'chunked'],
  ['chunked, chunked'],
  [',chunked'],
  ['chunked,'],
  [''],
  ['chunked;q=1'],
  ['chunked', 'identity'],
  ['chunked, gzip'],
  ['identity, chunked'],
  ['brotli, chunked'],
  ['gzip'],
]) {
  test(`Transfer-Encoding ${JSON.stringify(codings)} is refused`, () =>
    assert.equal(read([], codings), 'bad-request 400'));
}

for (const codings of [['gzip, chunked'], ['gzip', 'chunked'], ['x-compress, deflate , chunked']]) {
  test(`Transfer-Encoding ${JSON.stringify(codings)} is honest, but not implemented`, () =>
    assert.equal(read([], codings), 'coding-unknown 501'));
}

test('both framings at once are refused, whatever they say', () => {
  assert.equal(read(['5'], ['chunked']), 'bad-request 400');
  assert.equal(read(['0'], ['gzip, chunked']), 'bad-request 400');
});

test('HTTP/1.0 knows no Transfer-Encoding', () => assert.equal(read([], ['chunked'], '1.0'), 'bad-request 400'));

test('a length of 0 is no body, and chunked may be one', () => {
  assert.equal(hasBody({ kind: 'none' }), false);
  assert.equal(hasBody({ kind: 'length', bytes: 0 }), false);
  assert.equal(hasBody({ kind: 'length', bytes: 1 }), true);
  assert.equal(hasBody({ kind: 'chunked' }), true);
});

test('a response to HEAD that says nothing of its body ends with the connection, but for a status without a body', () => {
  assert.deepEqual(
    [200, 204, 304, 404].filter((status) => endsByClose(status, false)),
    [200, 404],
  );
  assert.equal(endsByClose(200, true), false);
});

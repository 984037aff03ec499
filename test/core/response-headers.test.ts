import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ResponseHead, responseHeaders } from '../../lib/core/http/response-headers.ts';

function answer(rawHeaders: readonly string[], rest: Partial<ResponseHead> = {}): ReturnType<typeof responseHeaders> {
  return responseHeaders({ status: 200, toHead: false, clientVersion: '1.1', rawHeaders, ...rest });
}

const LENGTH_2 = { kind: 'length', bytes: 2 };
const NONE = { kind: 'none' };
const CHUNKED = { kind: 'chunked' };

test('order, case and duplicates come through', () => {
  const raw = ['server', 'x', 'Set-Cookie', 'a', 'content-LENGTH', '2', 'set-cookie', 'b', 'X-E', ''];
  assert.deepEqual(answer(raw), { headers: raw, framing: LENGTH_2 });
});

test('hop-by-hop fields and those named by Connection stay here', () => {
  const raw = [
    'Connection',
    'close, X-Mine',
    'Keep-Alive',
    '5',
    'X-Mine',
    '1',
    'Upgrade',
    'h2c',
    'Content-Length',
    '2',
  ];
  assert.deepEqual(answer(raw), { headers: ['Content-Length', '2'], framing: LENGTH_2 });
});

test('a chunked answer stays chunked, with its Trailer', () => {
  assert.deepEqual(answer(['transfer-encoding', 'Chunked', 'Trailer', 'X-Sum', 'X-A', '1']), {
    headers: ['X-A', '1', 'Trailer', 'X-Sum', 'Transfer-Encoding', 'chunked'],
    framing: CHUNKED,
  });
});

test('an answer that ends with the connection is chunked to HTTP/1.1, and ends with the connection to HTTP/1.0', () => {
  assert.deepEqual(answer([]), { headers: ['Transfer-Encoding', 'chunked'], framing: CHUNKED });
  assert.deepEqual(answer([], { clientVersion: '1.0' }), { headers: [], framing: null });
  assert.deepEqual(answer(['Transfer-Encoding', 'chunked', 'Trailer', 'X'], { clientVersion: '1.0' }), {
    headers: [],
    framing: null,
  });
});

test('HEAD and 304 have no body, and keep the length of what GET would get; 205 has what its fields say (RFC 9112 §6.3)', () => {
  const raw = ['Content-Length', '2'];
  assert.deepEqual(answer(raw, { toHead: true }), { headers: raw, framing: NONE });
  assert.deepEqual(answer(raw, { status: 304 }), { headers: raw, framing: NONE });
  assert.deepEqual(answer(raw, { status: 205 }), { headers: raw, framing: { kind: 'length', bytes: 2 } });
});

test('a 204 has neither a body nor what frames one (RFC 9110 §8.6)', () => {
  for (const raw of [[], ['Content-Length', '2'], ['Transfer-Encoding', 'chunked'], ['Content-Length', 'x']]) {
    for (const toHead of [true, false]) {
      assert.deepEqual(answer(raw, { status: 204, toHead }), { headers: [], framing: NONE });
    }
  }
});

test('HEAD may say that GET would be chunked, but not to HTTP/1.0 nor of a 204', () => {
  const raw = ['Transfer-Encoding', 'chunked'];
  assert.deepEqual(answer(raw, { toHead: true }), { headers: raw, framing: NONE });
  assert.deepEqual(answer(raw, { toHead: true, clientVersion: '1.0' }), { headers: [], framing: NONE });
  assert.deepEqual(answer(raw, { toHead: true, status: 204 }), { headers: [], framing: NONE });
});

for (const raw of [
  ['Content-Length', '2', 'Transfer-Encoding', 'chunked'],
  ['Content-Length', '2', 'Content-Length', '2'],
  ['Content-Length', '2, 2'],
  ['Content-Length', '+2'],
  ['Content-Length', ''],
  ['Transfer-Encoding', 'gzip, chunked'],
  ['Transfer-Encoding', 'chunked, gzip'],
  ['Transfer-Encoding', 'identity'],
  ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'],
]) {
  test(`${raw.join(' ')} can be read in two ways, and is no answer`, () => {
    assert.equal(typeof answer(raw), 'string');
    assert.equal(typeof answer(raw, { toHead: true }), 'string');
  });
}

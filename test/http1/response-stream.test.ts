/** The responses of a connection, made strict for Node's parser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseStream } from '../../lib/http1/response-stream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** What is read of these pieces; null where they are no response. */
function read(responses: ResponseStream, ...pieces: readonly string[]): string | null {
  let text = '';
  for (const piece of pieces) {
    const output = responses.read(Buffer.from(piece, 'latin1'));
    if (output === null) return null;
    text += output.toString('latin1');
  }
  return text;
}

function started(toHead = false, mayTunnel = false): ResponseStream {
  const responses = new ResponseStream();
  responses.start(toHead, mayTunnel);
  return responses;
}

/** A head of so many bytes, its empty line included. */
function headOf(bytes: number): string {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: \r\n\r\n';
  return head.replace('X-A: ', `X-A: ${'a'.repeat(bytes - head.length)}`);
}

test('a strict response comes through as it is, and the next one may follow', () => {
  const responses = started();
  for (let i = 0; i < 3; i++) {
    responses.start(false, false);
    assert.equal(responses.isKept, false, 'not before it is whole');
    assert.equal(read(responses, OK.slice(0, 20), OK.slice(20)), OK);
    assert.equal(responses.isKept, true);
  }
});

test('bytes that no request asked for are no response', () => {
  const responses = new ResponseStream();
  assert.equal(read(responses, OK), null);
  assert.match(responses.fault, /belong to no response/);
});

test('what follows a response is left out, and the connection serves no other', () => {
  const responses = started();
  assert.equal(read(responses, `${OK}HTTP/1.1 200 OK\r\n\r\n`), OK);
  assert.equal(responses.isKept, false);
});

test('a head with bare LF is made strict, and the connection serves no other', () => {
  const responses = started();
  assert.equal(
    read(responses, 'HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 2\n', '\nok'),
    OK.replace('\n', '\nX-A: 1\r\n'),
  );
  assert.equal(responses.isKept, false);
});

test('1xx come before their response, and a 204 loses its framing', () => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
  assert.equal(read(started(), hint + hint, OK), hint + hint + OK);
  const text = 'HTTP/1.1 204 No Content\r\nX-A: 1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n';
  assert.equal(read(started(), text), 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n');
});

test('a response to HEAD ends with its head', () => {
  const responses = started(true);
  assert.equal(read(responses, OK.slice(0, -2)), OK.slice(0, -2));
  assert.equal(responses.isKept, true);
});

test('behind a 101 that was asked for, bytes are not looked at', () => {
  const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n';
  const responses = started(false, true);
  assert.equal(read(responses, `${text}\x01\n`, '\r\r'), `${text}\x01\n\r\r`);
  assert.equal(read(started(), text), null);
});

test('a head of 32 KiB is read, and no larger one', () => {
  assert.equal(read(started(), headOf(32_768)), headOf(32_768));
  const responses = started();
  assert.equal(read(responses, headOf(32_769)), null);
  assert.match(responses.fault, /too large/);
  assert.equal(read(started(), headOf(40_000).slice(0, 33_000)), null, 'not even waited for');
});

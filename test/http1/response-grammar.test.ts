/** The grammar of answers: what is passed on of them is what core/response-headers.ts says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { responseHeaders } from '../../lib/core/http/response-headers.ts';
import { fieldLines, rawFields } from '../../lib/http1/field-lines.ts';
import { mayBeginResponse, readResponse } from '../../lib/http1/response-grammar.ts';
import { propertyRuns } from '../support/random.ts';

const line = fc.constantFrom(
  'Date: now',
  'Server: \xe9',
  'X-Empty:',
  'X-Spaced:  a ',
  'Set-Cookie: a=1',
  'set-cookie: b=2',
  'Content-Length: 3',
  'content-length: 003',
  'Content-Length: 1, 1',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'transfer-encoding: CHUNKED',
  'Transfer-Encoding: gzip, chunked',
  'Connection: close',
  'Connection: keep-alive',
  'connection: x-gone, Close',
  'X-Gone: 1',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: close',
  'Upgrade: h2c',
  'TE: x',
  'Trailer: X-Sum',
  'X-Request-Id: mine',
  'Retry-After: 5',
);

test('whatever a backend answers, it is passed on, or refused, as the rule of the full lane has it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('1.0', '1.1'),
      fc.constantFrom(200, 204, 304, 404, 503, 999),
      fc.array(line, { maxLength: 6 }),
      fc.boolean(),
      fc.constantFrom('', 'a body', '\r\n', 'HTTP/1.1 200 OK\r\n\r\n'),
      (version, status, lines, toHead, after) => {
        const text = `HTTP/${version} ${status} As you wish\r\n${lines.map((one) => `${one}\r\n`).join('')}\r\n`;
        const rule = responseHeaders({ status, rawHeaders: rawFields(text), toHead, clientVersion: '1.1' });
        const read = readResponse(text + after, toHead);
        assert.equal(typeof read, typeof rule, `${JSON.stringify(text)}: ${JSON.stringify(read)}`);
        if (typeof read === 'string' || typeof rule === 'string') return;
        assert.equal(read.head, `HTTP/1.1 ${status} As you wish\r\n${fieldLines(rule.headers)}`);
        assert.equal(read.end, text.length);
        assert.equal(read.framing === 'close' ? 'chunked' : read.framing, rule.framing?.kind);
        if (rule.framing?.kind === 'length') assert.equal(read.length, rule.framing.bytes);
        const names = new Set(rawFields(text).map((name) => name.toLowerCase()));
        assert.equal(read.hasDate, names.has('date'));
        assert.equal(read.hasRetryAfter, names.has('retry-after'));
        assert.equal(read.hasRequestId, names.has('x-request-id'));
        if (lines.some((one) => /close$/i.test(one) && /^connection/i.test(one))) assert.equal(read.isKept, false);
      },
    ),
    { numRuns: propertyRuns(5000) },
  );
});

for (const [why, text] of Object.entries({
  'a control byte in the reason': 'HTTP/1.1 200 O\x01K\r\n\r\n',
  'status 099': 'HTTP/1.1 099 No\r\n\r\n',
  'status 1000': 'HTTP/1.1 1000 No\r\n\r\n',
  'HTTP/2.0': 'HTTP/2.0 200 OK\r\n\r\n',
  'a bare LF': 'HTTP/1.1 200 OK\nX-A: 1\r\n\r\n',
  'a bare CR': 'HTTP/1.1 200 OK\rX-A: 1\r\n\r\n',
  'a folded line': 'HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\n\r\n',
  'a space before the colon': 'HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n',
  'NUL in a value': 'HTTP/1.1 200 OK\r\nX-A: \0\r\n\r\n',
})) {
  test(`an answer with ${why} is not passed on`, () => assert.equal(typeof readResponse(text, false), 'string'));
}

test('a status line may lack its reason, and even the space before it', () => {
  for (const status of ['HTTP/1.1 200 ', 'HTTP/1.1 200']) {
    const read = readResponse(`${status}\r\nContent-Length: 0\r\n\r\n`, false);
    assert.equal(typeof read === 'string' ? read : read.head, 'HTTP/1.1 200 \r\nContent-Length: 0\r\n');
  }
});

test('how long a backend keeps its connection is heard', () => {
  for (const [field, keepMs] of [
    ['Keep-Alive: timeout=5, max=100', 5_000],
    ['keep-alive: max=100, Timeout=7', 7_000],
    ['Keep-Alive: nonsense', Infinity],
    ['X-A: 1', Infinity],
  ] as const) {
    const read = readResponse(`HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: 0\r\n\r\n`, false);
    assert.equal(typeof read === 'string' ? read : read.keepMs, keepMs);
  }
});

test('a 1xx is passed on without what frames a body', () => {
  const read = readResponse('HTTP/1.1 103 Early Hints\r\nConnection: X-B\r\nX-B: 1\r\nLink: </a>\r\n\r\n', false);
  assert.equal(typeof read === 'string' ? read : read.head, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n');
});

test('a beginning may become an answer, or it never will', () => {
  const text = 'HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n';
  for (let at = 0; at < text.length; at++) assert.ok(mayBeginResponse(text.slice(0, at)));
  for (const wrong of [
    '-ERR',
    'HTTP/2',
    'HTTP/1.1 200 OK\rX',
    'HTTP/1.1 99 No\r\n',
    'HTTP/1.1 200 OK\r\nX : 1\r\n',
    '\r\n',
  ]) {
    assert.equal(mayBeginResponse(wrong), false, JSON.stringify(wrong));
  }
});

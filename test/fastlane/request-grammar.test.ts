/** The grammar of plain requests: what it takes, Node's parser and the full lane's rules read in the same way. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { rawFields } from '../../lib/http1/field-lines.ts';
import { mayBegin, readRequest } from '../../lib/fastlane/request-grammar.ts';
import { headForNode } from '../../lib/fastlane/stand-in-request.ts';
import { hostOf } from '../../lib/core/routing/hostname.ts';
import { readHead } from '../../lib/core/http/request-head.ts';
import { propertyRuns } from '../support/random.ts';

const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const plain = (...fields: readonly string[]): string => head('GET /a?b HTTP/1.1', 'Host: a.test', ...fields);

test('a plain request is told apart', () => {
  const read = readRequest(head('POST /a?b HTTP/1.1', 'Host: a.test:80', 'Content-Length: 5', 'User-Agent: x'));
  assert.ok(read?.isPlain);
  assert.deepEqual(
    [read.method, read.target, read.host, read.framing, read.length, read.isLast, read.userAgent],
    ['POST', '/a?b', 'a.test:80', 'length', 5, false, 'x'],
  );
  assert.equal(read.fields, 'Host: a.test:80\r\nContent-Length: 5\r\nUser-Agent: x\r\n');
});

for (const method of ['PROPFIND', 'LIST', 'VERSION-CONTROL', 'get', 'X!Y']) {
  test(`${method} is plain, as it stands`, () => {
    const read = readRequest(head(`${method} /\xe9 HTTP/1.1`, 'Host: a.test'));
    assert.deepEqual([read?.isPlain, read?.method, read?.target], [true, method, '/\xe9']);
  });
}

test('zeros before a length say nothing', () => {
  for (const [value, length] of [
    ['0'.repeat(40), 0],
    [`${'0'.repeat(40)}12`, 12],
    ['0', 0],
  ] as const) {
    const read = readRequest(plain(`Content-Length: ${value}`));
    assert.deepEqual([read?.framing, read?.length], ['length', length]);
  }
  assert.equal(readRequest(plain(`Content-Length: 000${'9'.repeat(16)}`)), null);
});

test('Connection alone is left out of what is passed on as it stands', () => {
  const read = readRequest(plain('connection: Close', 'X-A: 1'));
  assert.deepEqual([read?.isLast, read?.fields], [true, 'Host: a.test\r\nX-A: 1\r\n']);
});

for (const field of [
  'Connection: keep-alive, X-A',
  'Keep-Alive: timeout=5',
  'TE: trailers',
  'Trailer: X-Sum',
  'Proxy-Connection: keep-alive',
  'HTTP2-Settings: AA',
  'X-Forwarded-For: 1.2.3.4',
  'x_forwarded_for: 1.2.3.4',
  'X-Real-IP: 1.2.3.4',
  'Forwarded: for=1.2.3.4',
  'X-Request-Id: 1',
  'X_Request_Id: 1',
  'X_Request-Id: 1',
  'X.Forwarded.For: 1.2.3.4',
  'Proxy: http://a.test',
  'Content_Length: 3',
  'TRANSFER_ENCODING: chunked',
  'Content-Length: 007',
  'Transfer-Encoding: Chunked',
  'X-A:1',
  'X-A:  1',
  'X-A: 1\t',
  'X-A:',
]) {
  test(`"${field}" takes more than that`, () => {
    const read = readRequest(plain(field));
    assert.deepEqual([read?.isPlain, read?.fields], [true, null]);
  });
}

for (const [why, text] of Object.entries({
  'HTTP/1.0': head('GET / HTTP/1.0', 'Host: a.test'),
  'no Host': head('GET / HTTP/1.1', 'X-A: 1'),
  'two Hosts': plain('Host: b.test'),
  'an empty Host': head('GET / HTTP/1.1', 'Host: '),
  'an absolute target': head('GET http://a.test/ HTTP/1.1', 'Host: a.test'),
  'a fragment': head('GET /#a HTTP/1.1', 'Host: a.test'),
  'OPTIONS *': head('OPTIONS * HTTP/1.1', 'Host: a.test'),
  Expect: plain('Expect: 100-continue', 'Content-Length: 1'),
  'X-Debug': plain('x-debug: 1'),
})) {
  test(`${why} is for the full lane, for one exchange`, () => {
    assert.equal(readRequest(text)?.isPlain, false);
  });
}

for (const [why, text] of Object.entries({
  'an upgrade': plain('Connection: upgrade', 'Upgrade: websocket'),
  CONNECT: head('CONNECT a.test:443 HTTP/1.1', 'Host: a.test'),
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\n',
  'another version': head('GET / HTTP/1.2', 'Host: a.test'),
  'no version': head('GET /', 'Host: a.test'),
  'two spaces in the request line': head('GET  / HTTP/1.1', 'Host: a.test'),
  'a control byte in the target': head('GET /\x01 HTTP/1.1', 'Host: a.test'),
  'a method that is no token': head('G\xc9T / HTTP/1.1', 'Host: a.test'),
  'DEL in the target': head('GET /\x7f HTTP/1.1', 'Host: a.test'),
  'a folded line': plain('X-A: 1', ' 2'),
  'a space before the colon': plain('X-A : 1'),
  'a name that is no token': plain('X(A): 1'),
  'no name': plain(': 1'),
  'no colon': plain('X-A'),
  'NUL in a value': plain('X-A: \0'),
  'a bare CR in a value': plain('X-A: a\rb'),
  'a bare LF in a value': plain('X-A: a\nb'),
  'DEL in a value': plain('X-A: \x7f'),
  'two lengths': plain('Content-Length: 1', 'Content-Length: 1'),
  'a list of lengths': plain('Content-Length: 1, 1'),
  'a signed length': plain('Content-Length: +1'),
  'an empty length': plain('Content-Length:'),
  'a length past all integers': plain('Content-Length: 1000000000000000'),
  'a length and a coding': plain('Content-Length: 1', 'Transfer-Encoding: chunked'),
  'two codings': plain('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  'a tab behind a length': plain('Content-Length: 1\t'),
  'a tab behind a coding': plain('Transfer-Encoding: chunked \t '),
  'another coding': plain('Transfer-Encoding: gzip, chunked'),
  'a vertical tab before the coding': plain('Transfer-Encoding: \x0bchunked'),
  'a coding in HTTP/1.0': head('GET / HTTP/1.0', 'Host: a.test', 'Transfer-Encoding: chunked'),
})) {
  test(`${why} is for the full lane for good`, () => {
    assert.equal(readRequest(text), null);
  });
}

test('a beginning may become a head, or it never will', () => {
  const text = head('POST /a?b HTTP/1.1', 'Host: a.test', 'X-A: \t1 ');
  for (let at = 0; at < text.length; at++) assert.ok(mayBegin(text.slice(0, at)), JSON.stringify(text.slice(0, at)));
  for (const wrong of [
    '\n',
    '\r\n',
    'GET /\n',
    'GET / HTTP/3\r\n',
    '\x16\x03\x01',
    'GET / HTTP/1.1\r\nX : 1\r\n',
    'GET\0',
  ]) {
    assert.equal(mayBegin(wrong), false, JSON.stringify(wrong));
  }
});

/** What Node's parser makes of a head; null when it refuses it. */
async function parsed(text: string): Promise<IncomingMessage | null> {
  const server = createServer({ requireHostHeader: false });
  server.maxHeadersCount = 0;
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const outcome = Promise.race([
    once(server, 'request').then(([request]) => request as IncomingMessage),
    once(server, 'clientError').then(() => null),
  ]);
  server.on('clientError', () => {});
  server.emit('connection', stream);
  stream.push(Buffer.from(text, 'latin1'));
  const request = await outcome;
  stream.destroy();
  return request;
}

const bytes = fc.constantFrom(
  '\r\n',
  '\r',
  '\n',
  '\0',
  '\t',
  ' ',
  ':',
  ',',
  '\x0b',
  '\x7f',
  '\xff',
  'a',
  '1',
  'Host: b\r\n',
  'chunked',
);
const line = fc.constantFrom(
  'Host: a.test',
  'Content-Length: 3',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'connection: x-a, keep-alive',
  'X-A: 1',
  'x-forwarded-for: 1.2.3.4',
  'Accept:*/*',
  'Cookie: \xe9 ',
  'Trailer: X',
);

test('whatever it takes, Node’s parser and the strict reading of heads take in the same way', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'LIST', 'get'),
      fc.array(line, { maxLength: 5 }),
      fc.array(fc.record({ at: fc.nat(), what: bytes }), { maxLength: 2 }),
      async (method, lines, mutations) => {
        let text = head(`${method} /p HTTP/1.1`, 'Host: a.test', ...lines);
        for (const { at, what } of mutations) {
          const i = at % (text.length - 4);
          text = text.slice(0, i) + what + text.slice(i);
        }
        const read = readRequest(text.slice(0, text.indexOf('\r\n\r\n') + 4));
        if (read === null || !text.startsWith(read.text) || read.text.length !== text.length) return;
        const request = await parsed(headForNode(read));
        if (request === null) return assert.ok(!read.isPlain, `Node refuses ${JSON.stringify(text)}`);
        if (headForNode(read) === text) assert.deepEqual([request.method, request.url], [read.method, read.target]);
        assert.deepEqual(rawFields(text), request.rawHeaders);
        if (!read.isPlain || hostOf(read.host) === null) return;
        const { rawHeaders } = request;
        const strict = readHead({ method: read.method, target: read.target, version: request.httpVersion, rawHeaders });
        assert.deepEqual([strict.framing.kind, strict.authority, strict.path], [read.framing, read.host, read.target]);
        if (strict.framing.kind === 'length') assert.equal(strict.framing.bytes, read.length);
        assert.ok(!strict.isDebug && !strict.isWebSocket && !strict.expectsContinue);
      },
    ),
    { numRuns: propertyRuns(2000) },
  );
});

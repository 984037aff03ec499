/** Requests that two readers could read in two ways are refused, and nothing of them reaches a backend. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { converse, shareScene, statusOf } from './scene.ts';

const sceneWith = shareScene();

const HOST = 'Host: site.test\r\n';
const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const post = (fields: string, body = 'hello'): string => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n\r\n${body}`;
const get = (rest: string): string => `GET / HTTP/1.1\r\n${rest}\r\n`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked', body);

/** What is sent, and the status it deserves; by the section that says so. */
const CASES: Readonly<Record<string, readonly (readonly [name: string, bytes: string, status: number])[]>> = {
  'RFC 9112 §6.1, §6.3: framing': [
    ['Content-Length and Transfer-Encoding', post('Content-Length: 5\r\nTransfer-Encoding: chunked', CHUNKS), 400],
    ['the same the other way round', post('Transfer-Encoding: chunked\r\nContent-Length: 5', CHUNKS), 400],
    ['two equal Content-Length', post('Content-Length: 5\r\nContent-Length: 5'), 400],
    ['two different Content-Length', post('Content-Length: 5\r\nContent-Length: 6'), 400],
    ['a list of lengths', post('Content-Length: 5, 5'), 400],
    ['a signed length', post('Content-Length: +5'), 400],
    ['a negative length', post('Content-Length: -5'), 400],
    ['an empty length', post('Content-Length:'), 400],
    ['a hexadecimal length', post('Content-Length: 0x5'), 400],
    ['a length with a space', post('Content-Length: 5 5'), 400],
    ['a length past all integers', post('Content-Length: 99999999999999999999'), 400],
    ['Transfer-Encoding: identity', post('Transfer-Encoding: identity', CHUNKS), 400],
    ['Transfer-Encoding: xchunked', post('Transfer-Encoding: xchunked', CHUNKS), 400],
    ['a quoted coding', post('Transfer-Encoding: "chunked"', CHUNKS), 400],
    ['chunked twice', post('Transfer-Encoding: chunked, chunked', CHUNKS), 400],
    ['chunked twice in two fields', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', CHUNKS), 400],
    ['an empty list item before chunked', post('Transfer-Encoding: ,chunked', CHUNKS), 400],
    ['a vertical tab before chunked', post('Transfer-Encoding: \x0bchunked', CHUNKS), 400],
    ['chunked not last', post('Transfer-Encoding: chunked, gzip', CHUNKS), 400],
    ['a parameter on chunked', post('Transfer-Encoding: chunked;q=1', CHUNKS), 400],
    ['an empty coding', post('Transfer-Encoding:', CHUNKS), 400],
    ['gzip, chunked', post('Transfer-Encoding: gzip, chunked', CHUNKS), 501],
    ['Transfer-Encoding in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`, 400],
  ],
  'RFC 9112 §2.2, §5: lines and fields': [
    ['obs-fold', get(`${HOST}X-A: a\r\n b\r\n`), 400],
    ['obs-fold before any field', `GET / HTTP/1.1\r\n X-A: a\r\n${HOST}\r\n`, 400],
    ['bare LF', 'GET / HTTP/1.1\nHost: site.test\n\n', 400],
    ['one bare LF', 'GET / HTTP/1.1\r\nHost: site.test\nX-A: b\r\n\r\n', 400],
    ['bare CR', get(`${HOST}X-A: a\rb\r\n`), 400],
    ['white space before the colon', get('Host : site.test\r\n'), 400],
    ['no colon', get(`${HOST}nonsense\r\n`), 400],
    ['an empty field name', get(`${HOST}: a\r\n`), 400],
    ['a field name that is no token', get(`${HOST}X(A): a\r\n`), 400],
    ['NUL in a value', get(`${HOST}X-A: a\0b\r\n`), 400],
    ['a control byte in a value', get(`${HOST}X-A: a\x01b\r\n`), 400],
    ['DEL in a value', get(`${HOST}X-A: a\x7fb\r\n`), 400],
  ],
  'RFC 9112 §3: request lines': [
    ['a fragment in the target', `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['GET *', `GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['a target without a slash', `GET a HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['a target of another scheme', `GET ftp://site.test/ HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['user information in the target', `GET http://me@site.test/ HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['a control byte in the target', `GET /\x01 HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['HTTP/2.0', `GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
    ['HTTP/1.2', `GET / HTTP/1.2\r\n${HOST}\r\n`, 505],
    ['HTTP/0.9', 'GET /\r\n\r\n', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a space after the version', `GET / HTTP/1.1 \r\n${HOST}\r\n`, 400],
    ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['CONNECT', `CONNECT site.test:80 HTTP/1.1\r\n${HOST}\r\n`, 405],
  ],
  'RFC 9112 §3.2: Host': [
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 400],
    ['two Hosts', get(`${HOST}Host: other.test\r\n`), 400],
    ['two equal Hosts', get(`${HOST}${HOST}`), 400],
    ['an empty Host', get('Host:\r\n'), 400],
    ['a space in Host', get('Host: site.test other\r\n'), 400],
    ['a list in Host', get('Host: site.test, other.test\r\n'), 400],
    ['user information in Host', get('Host: me@site.test\r\n'), 400],
    ['a path in Host', get('Host: site.test/a\r\n'), 400],
    ['a port that is no number', get('Host: site.test:http\r\n'), 400],
    ['a semicolon in Host', get('Host: site.test;0\r\n'), 400],
    ['two Hosts with a target in absolute form', `GET http://site.test/ HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
    ['an invalid Host with a target in absolute form', 'GET http://site.test/ HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ],
  'RFC 9112 §5.4, RFC 9110 §15.5: too large': [
    ['a header section too large', get(`${HOST}X-A: ${'a'.repeat(20_000)}\r\n`), 431],
    ['many fields too large together', get(`${HOST}${'X-A: aaaaaaaaaa\r\n'.repeat(2_000)}`), 431],
    ['a target too long', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
  ],
  'RFC 9110 §10.1.1: expectations': [['an unknown expectation', post('Expect: a-miracle\r\nContent-Length: 5'), 417]],
};

for (const [section, cases] of Object.entries(CASES)) {
  test(section, async (t) => {
    const scene = await sceneWith();
    for (const [name, bytes, status] of cases) {
      await t.test(`${name} is answered ${status}, and the connection closed`, async () => {
        const answer = await converse(scene, bytes);
        assert.equal(statusOf(answer), status);
        assert.match(answer, /\r\nConnection: close\r\n/i);
        assert.equal(scene.received(), '', 'nothing reached the backend');
        await scene.isWell();
      });
    }
  });
}

test('RFC 9112 §7.1: a chunked body that breaks is answered 400, and the backend request aborted', async (t) => {
  const scene = await sceneWith('');
  const broken = {
    'a size in 0x form': '0x5\r\nhello\r\n0\r\n\r\n',
    'a size past all integers': 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
    'a bare LF after the size': '5\nhello\r\n0\r\n\r\n',
    'more data than the size says': '5\r\nhelloXX0\r\n\r\n',
    'a bare LF after the data': '5\r\nhello\n0\r\n\r\n',
    'a space after the size': '5 \r\nhello\r\n0\r\n\r\n',
    'a second chunk that breaks': '5\r\nhello\r\nzz\r\n',
    'Content-Length in the trailer section': '0\r\nContent-Length: 3\r\n\r\n',
  };
  for (const [name, body] of Object.entries(broken)) {
    await t.test(name, async () => {
      const answer = await converse(scene, chunked(body));
      assert.equal(statusOf(answer), 400);
      // What did reach the backend is a request that never became complete.
      assert.throws(() => scene.requests().length > 0 || assert.fail('nothing was sent'));
      await scene.isWell();
    });
  }
});

test('RFC 9112 §9.3.2: an error behind a pipelined good request comes after its answer', async () => {
  const scene = await sceneWith();
  const answer = await converse(scene, `GET /first HTTP/1.1\r\n${HOST}\r\nNONSENSE\r\n\r\n`);
  const [first = '', second = ''] = answer.split(/(?<=\r\n\r\nok)/);
  assert.equal(statusOf(first), 200);
  assert.equal(statusOf(second), 400);
  assert.deepEqual(
    scene.requests().map(({ target }) => target),
    ['/first'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouterError } from '../../lib/core/errors.ts';
import { hasToken, type RawHead, readHead, type RequestHead } from '../../lib/core/http/request-head.ts';

function read(raw: Partial<RawHead> & { readonly fields?: readonly string[] } = {}): RequestHead {
  const { fields = [], method = 'GET', target = '/', version = '1.1', rawHeaders = ['Host', 'a.test'] } = raw;
  return readHead({ method, target, version, rawHeaders: [...rawHeaders, ...fields] });
}

function refusalOf(raw: Parameters<typeof read>[0]): string {
  try {
    read(raw);
    return 'none';
  } catch (error) {
    assert.ok(error instanceof RouterError);
    return `${error.code} ${error.status}`;
  }
}

test('a plain head is read as it stands', () => {
  assert.deepEqual(read({ target: '/a//b/../c%2f?x=1', rawHeaders: ['host', 'A.Test:8080'] }), {
    method: 'GET',
    version: '1.1',
    path: '/a//b/../c%2f?x=1',
    hostname: 'a.test',
    authority: 'A.Test:8080',
    framing: { kind: 'none' },
    isWebSocket: false,
    expectsContinue: false,
    isDebug: false,
  });
});

test('without a Host, or with an empty one, there is nowhere to go', () => {
  assert.equal(refusalOf({ rawHeaders: [] }), 'no-host 400');
  assert.equal(refusalOf({ rawHeaders: ['Host', ''] }), 'no-host 400');
  assert.equal(refusalOf({ rawHeaders: [], target: 'http://a.test/' }), 'no-host 400');
});

test('RFC 9112 §3.2: HTTP/1.0 needs no Host where the target has one', () => {
  const head = read({ rawHeaders: [], target: 'http://A.test:81/x', version: '1.0' });
  assert.deepEqual([head.hostname, head.authority, head.path], ['a.test', 'A.test:81', '/x']);
  assert.equal(refusalOf({ rawHeaders: [], target: '/x', version: '1.0' }), 'no-host 400');
  assert.equal(refusalOf({ rawHeaders: [], target: 'http:///x', version: '1.0' }), 'bad-host 400');
  assert.equal(refusalOf({ rawHeaders: ['Host', ''], target: 'http://a.test/', version: '1.0' }), 'no-host 400');
});

for (const host of [
  'a b',
  'a, b',
  'x@a',
  'a/b',
  'a:b',
  'a:80:80',
  '[::1',
  'ä.test',
  'a;b',
  '*',
  '*.test',
  'a:999999',
  ':80',
]) {
  test(`Host ${JSON.stringify(host)} is refused`, () =>
    assert.equal(refusalOf({ rawHeaders: ['Host', host] }), 'bad-host 400'));
}

test('two Host fields are refused, equal ones too', () => {
  assert.equal(refusalOf({ fields: ['Host', 'b.test'] }), 'bad-host 400');
  assert.equal(refusalOf({ fields: ['hOST', 'a.test'] }), 'bad-host 400');
});

test('an absolute-form target says where to go, and is sent on in origin-form', () => {
  const head = read({ target: 'http://B.test:81/x?y' });
  assert.deepEqual([head.hostname, head.authority, head.path], ['b.test', 'B.test:81', '/x?y']);
  assert.equal(read({ target: 'HTTPS://b.test' }).path, '/');
  assert.equal(read({ target: 'http://b.test?x' }).path, '/?x');
  assert.equal(read({ target: 'http://b.test', method: 'OPTIONS' }).path, '*');
});

test('an absolute-form target does not excuse a Host that is none', () => {
  assert.equal(refusalOf({ target: 'http://b.test/', rawHeaders: ['Host', 'a b'] }), 'bad-host 400');
});

for (const target of ['http:///x', 'http://u@b.test/', 'http://b test/', 'http://;/']) {
  test(`the target ${target} names no host`, () => assert.equal(refusalOf({ target }), 'bad-host 400'));
}

for (const target of ['/a#b', 'a', '', 'ftp://a.test/', '*', 'a.test:80', '?x']) {
  test(`the target ${JSON.stringify(target)} is refused`, () => assert.equal(refusalOf({ target }), 'bad-request 400'));
}

test('OPTIONS * is about the server as a whole', () =>
  assert.equal(read({ method: 'OPTIONS', target: '*' }).path, '*'));

test('versions other than 1.0 and 1.1 are refused', () => {
  assert.equal(refusalOf({ version: '2.0' }), 'version-unknown 505');
  assert.equal(refusalOf({ version: '1.2' }), 'version-unknown 505');
  assert.equal(refusalOf({ version: '0.9' }), 'bad-request 400');
});

const HANDSHAKE = ['Connection', 'keep-alive, UPGRADE', 'Upgrade', 'h2c, WebSocket'];

test('a WebSocket handshake is known by its tokens, in any case', () => {
  assert.equal(read({ fields: HANDSHAKE }).isWebSocket, true);
  assert.equal(read({ fields: [...HANDSHAKE, 'Content-Length', '0'] }).isWebSocket, true);
});

test('what only looks like a WebSocket handshake is a plain request', () => {
  assert.equal(read({ fields: HANDSHAKE, method: 'POST' }).isWebSocket, false);
  assert.equal(read({ fields: HANDSHAKE, version: '1.0' }).isWebSocket, false);
  assert.equal(read({ fields: [...HANDSHAKE, 'Content-Length', '5'] }).isWebSocket, false);
  assert.equal(read({ fields: ['Connection', 'Upgrade', 'Upgrade', 'h2c'] }).isWebSocket, false);
  assert.equal(read({ fields: ['Connection', 'close', 'Upgrade', 'websocket'] }).isWebSocket, false);
  assert.equal(read({ fields: ['Connection', 'Upgrade'] }).isWebSocket, false);
});

test('100-continue is waited for where a body comes in HTTP/1.1, and only there', () => {
  const fields = ['Expect', ' 100-Continue'];
  const withBody = [...fields, 'Content-Length', '5'];
  assert.equal(read({ fields: withBody, method: 'PUT' }).expectsContinue, true);
  assert.equal(read({ fields: withBody, method: 'PUT', version: '1.0' }).expectsContinue, false);
  assert.equal(read({ fields }).expectsContinue, false);
  assert.equal(read({ fields: [...fields, 'Content-Length', '0'], method: 'PUT' }).expectsContinue, false);
});

test('another expectation cannot be met', () => {
  for (const value of ['miracles', '100-continue, miracles', '100-continue;q=1']) {
    assert.equal(refusalOf({ fields: ['Expect', value] }), 'expectation-failed 417');
  }
  assert.equal(refusalOf({ fields: ['Expect', 'miracles', 'Expect', '100-continue'] }), 'expectation-failed 417');
});

function waitsFor100(...values: string[]): boolean {
  const expect = values.flatMap((value) => ['Expect', value]);
  return read({ method: 'PUT', fields: ['Content-Length', '5', ...expect] }).expectsContinue;
}

test('RFC 9110 §5.6.1: an expectation is a list, and an empty one expects nothing', () => {
  assert.deepEqual([waitsFor100(''), waitsFor100(' , '), waitsFor100('', '')], [false, false, false]);
  assert.deepEqual(
    [waitsFor100(', 100-continue'), waitsFor100('100-continue, 100-continue'), waitsFor100('100-continue', '')],
    [true, true, true],
  );
});

test('any X-Debug field asks for debug headers, an empty one too', () => {
  assert.equal(read({ fields: ['x-debug', ''] }).isDebug, true);
});

test('a token is found as a whole, in any case', () => {
  assert.equal(hasToken('a, Upgrade ,b', 'upgrade'), true);
  assert.equal(hasToken('not-upgrade, upgrades', 'upgrade'), false);
  assert.equal(hasToken('', 'upgrade'), false);
});

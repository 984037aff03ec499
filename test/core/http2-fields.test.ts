import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksForTrailers, http2Fields, withoutPseudo } from '../../lib/core/http/http2-fields.ts';

const TARGET = {
  method: 'GET',
  scheme: 'http',
  authority: 'a.test:8',
  path: '/a?b',
  takesTrailers: false,
  isWebSocket: false,
} as const;
const PSEUDO = { ':method': 'GET', ':scheme': 'http', ':authority': 'a.test:8', ':path': '/a?b' };

test('what is about a connection of HTTP/1.1 stays behind, and Host becomes :authority', () => {
  const raw = ['Host', 'a.test:8', 'Connection', 'close', 'Transfer-Encoding', 'chunked', 'Upgrade', 'x', 'TE', 'gzip'];
  assert.deepEqual(
    { ...http2Fields([...raw, 'X-A', '1', 'Expect', '100-continue'], TARGET) },
    {
      ...PSEUDO,
      'x-a': '1',
      expect: '100-continue',
    },
  );
});

test('a WebSocket is opened by a CONNECT that names it, without the key', () => {
  const raw = [
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
    'Sec-WebSocket-Key',
    'a',
    'Sec-WebSocket-Version',
    '13',
  ];
  assert.deepEqual(
    { ...http2Fields(raw, { ...TARGET, isWebSocket: true }) },
    { ...PSEUDO, ':method': 'CONNECT', ':protocol': 'websocket', 'sec-websocket-version': '13' },
  );
});

test('fields of one name become one', () => {
  const raw = ['Accept', 'a', 'accept', 'b', 'Cookie', 'a=1', 'cookie', 'b=2', '__proto__', 'x'];
  const fields = http2Fields(raw, { ...TARGET, takesTrailers: true });
  assert.equal(fields['accept'], 'a, b');
  assert.equal(fields['cookie'], 'a=1; b=2');
  assert.equal(fields['te'], 'trailers');
  assert.ok(Object.keys(fields).includes('__proto__'));
});

test('trailers are promised to no backend whose client cannot take them', () => {
  for (const [name, value, takes] of [
    ['TE', 'trailers', true],
    ['te', 'gzip;q=0.5, Trailers', true],
    ['TE', 'gzip', false],
    ['TE', 'xtrailers', false],
    ['Content-Type', 'application/grpc', true],
    ['Content-Type', 'application/grpc+proto', true],
    ['Content-Type', 'application/grpc-web', false],
  ] as const) {
    assert.equal(asksForTrailers([name, value]), takes, `${name}: ${value}`);
  }
});

test('an answer’s fields begin with no colon', () => {
  assert.deepEqual(withoutPseudo([':status', '200', 'a', 'b', 'a', 'c']), ['a', 'b', 'a', 'c']);
});

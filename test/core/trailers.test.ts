import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trailerFields } from '../../lib/core/http/trailers.ts';

test('trailers are passed on in order, with their case and duplicates', () => {
  assert.deepEqual(trailerFields(['X-Sum', '1', 'x-sum', '2', 'Server-Timing', 'a']), [
    ['X-Sum', '1'],
    ['x-sum', '2'],
    ['Server-Timing', 'a'],
  ]);
  assert.deepEqual(trailerFields([]), []);
});

for (const name of [
  'Content-Length',
  'Transfer-Encoding',
  'Host',
  'HTTP2-Settings',
  'Set-Cookie',
  'Authorization',
  'X-Forwarded-For',
  'X_Forwarded_For',
  'Forwarded',
  'X-Real-IP',
  'X-Request-Id',
  'X_Request-Id',
  'Content_Length',
  'Proxy',
]) {
  test(`a trailer cannot smuggle ${name}`, () =>
    assert.deepEqual(trailerFields([name, 'x', 'X-Ok', 'y']), [['X-Ok', 'y']]));
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asRouterError, RouterError, type ErrorCode } from '../../lib/core/errors.ts';

/** The statuses that Hipache's operators know, and those of RFC 9110 for what it never answered. */
const STATUSES: readonly (readonly [ErrorCode, number])[] = [
  ['no-host', 400],
  ['bad-host', 400],
  ['bad-request', 400],
  ['no-frontend', 400],
  ['method-refused', 405],
  ['not-found', 404],
  ['request-timeout', 408],
  ['precondition-failed', 412],
  ['body-too-large', 413],
  ['uri-too-long', 414],
  ['range-unsatisfiable', 416],
  ['expectation-failed', 417],
  ['misdirected', 421],
  ['head-too-large', 431],
  ['internal', 500],
  ['coding-unknown', 501],
  ['method-unknown', 501],
  ['no-backend', 502],
  ['route-broken', 502],
  ['backend-failed', 502],
  ['backend-crowded', 503],
  ['store-unavailable', 503],
  ['backend-silent', 504],
  ['version-unknown', 505],
];

for (const [code, status] of STATUSES) {
  test(`${code} is ${status}`, () => assert.equal(new RouterError(code, 'why').status, status));
}

test('what is not a RouterError is a mistake of ours, and keeps its cause', () => {
  const mistake = new TypeError('x is undefined');
  const error = asRouterError(mistake);
  assert.equal(error.code, 'internal');
  assert.equal(error.cause, mistake);
  assert.equal(asRouterError(error), error);
});

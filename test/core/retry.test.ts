import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossOnReused, mayResend, mayRetry } from '../../lib/core/health/retry.ts';
import type { Outcome, RequestTraits } from '../../lib/core/routing/types.ts';

const cause = new Error('it failed');
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'POST', 'PATCH', 'BREW'];

function traits(method: string, hasBody = false): RequestTraits {
  return { method, path: '/', clientIp: '192.0.2.1', hasBody, affinity: null, cookies: [] };
}

for (const type of ['unreachable', 'crowded', 'unfit'] as const) {
  test(`${type}: nothing was sent, so any request may be tried elsewhere, with its body`, () => {
    for (const method of METHODS) {
      assert.equal(mayRetry({ type, cause }, traits(method, true), 0, 1), true, method);
    }
  });
}

for (const type of ['broken', 'silent'] as const) {
  test(`${type}: only what is safe to send twice, and has no body, may be tried elsewhere`, () => {
    const allowed = METHODS.filter((method) =>
      mayRetry({ type, cause, hasRespondedToOthers: false }, traits(method), 0, 1),
    );
    assert.deepEqual(allowed, ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
    assert.deepEqual(
      METHODS.filter((method) => mayRetry({ type, cause, hasRespondedToOthers: false }, traits(method, true), 0, 1)),
      [],
    );
  });
}

test('what was answered, garbled, upgraded or abandoned is never tried again', () => {
  const final: readonly Outcome[] = [
    { type: 'answered', status: 503, retryAfter: false },
    { type: 'garbled', cause },
    { type: 'upgraded' },
    { type: 'abandoned' },
  ];
  for (const outcome of final) assert.equal(mayRetry(outcome, traits('GET'), 0, 9), false, outcome.type);
});

test('a limit of 3 allows 3 retries, and of 0 none', () => {
  const outcome: Outcome = { type: 'unreachable', cause };
  const allowed = [0, 1, 2, 3, 4].filter((retries) => mayRetry(outcome, traits('GET'), retries, 3));
  assert.deepEqual(allowed, [0, 1, 2]);
  assert.equal(mayRetry(outcome, traits('GET'), 0, 0), false);
});

test('what must not be done twice is sent again only when nothing of it was read', () => {
  const may = (isUnsent: boolean): string[] => METHODS.filter((method) => mayResend(method, isUnsent));
  assert.deepEqual(may(true), METHODS);
  assert.deepEqual(may(false), ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
});

test('a kept connection that fails soon may have been idle for too long; one that fails later is a fault', () => {
  assert.deepEqual([lossOnReused(50), lossOnReused(1_000)], ['dropped', 'broken']);
});

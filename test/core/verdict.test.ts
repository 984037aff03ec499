import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../lib/core/routing/types.ts';
import { isDeadly, isFailure, mayBeOwnFault, notConnected } from '../../lib/core/health/verdict.ts';

const cause = new Error('why');
const FIRST = { on500: false, hasBlamed: false, deadOn5xx: 'first', isAgreed: false } as const;
const ON_500 = { ...FIRST, on500: true };

for (const type of ['unreachable', 'broken', 'silent'] as const) {
  test(`a backend that is ${type} is dead`, () =>
    assert.equal(isDeadly({ type, cause, hasRespondedToOthers: false }, FIRST), true));
}

test('a request whose connection broke, or that waited in vain, has one backend marked dead, and no second one', () => {
  const second = { ...FIRST, hasBlamed: true };
  assert.equal(isDeadly({ type: 'broken', cause }, second), false);
  assert.equal(isDeadly({ type: 'silent', cause, hasRespondedToOthers: false }, second), false);
  // No byte of it left: it cannot be the reason.
  assert.equal(isDeadly({ type: 'unreachable', cause }, second), true);
  assert.deepEqual(
    (['broken', 'silent', 'unreachable', 'answered'] as const).filter((type) =>
      mayBeOwnFault({ type, cause, hasRespondedToOthers: false, status: 502, retryAfter: false }),
    ),
    ['broken', 'silent'],
  );
});

test('a backend that answers others meanwhile is not dead for one slow answer', () => {
  assert.equal(isDeadly({ type: 'silent', cause, hasRespondedToOthers: true }, ON_500), false);
});

test('a backend that answers garbage, upgrades, cannot do it, or whose client left, is not', () => {
  const outcomes: readonly Outcome[] = [
    { type: 'garbled', cause },
    { type: 'dropped', cause },
    { type: 'unfit', cause },
    { type: 'upgraded' },
    { type: 'abandoned' },
  ];
  for (const outcome of outcomes) assert.equal(isDeadly(outcome, ON_500), false, outcome.type);
});

test('an attempt without a response has failed, unless the client or this router is the reason', () => {
  const types = ['unreachable', 'broken', 'dropped', 'silent', 'garbled', 'crowded', 'unfit'] as const;
  assert.deepEqual(
    types.filter((type) => isFailure({ type, cause, hasRespondedToOthers: true })),
    ['unreachable', 'broken', 'dropped', 'silent', 'garbled'],
  );
  assert.equal(isFailure({ type: 'abandoned' }), false);
  assert.equal(isFailure({ type: 'upgraded' }), false);
  assert.equal(isFailure({ type: 'answered', status: 503, retryAfter: false }), false);
});

for (const [status, on500, deadly] of [
  [200, true, false],
  [404, true, false],
  [499, true, false],
  [500, false, false],
  [500, true, true],
  [501, false, true],
  [502, false, true],
  [503, false, true],
  [504, true, true],
  [599, false, true],
  [600, true, false],
  [999, true, false],
] as const) {
  test(`${status} is ${deadly ? 'deadly' : 'no death'}${on500 ? ' when 500 counts' : ''}`, () => {
    assert.equal(isDeadly({ type: 'answered', status, retryAfter: false }, { ...FIRST, on500 }), deadly);
  });
}

test('503 with Retry-After is announced maintenance; Retry-After excuses nothing else', () => {
  assert.equal(isDeadly({ type: 'answered', status: 503, retryAfter: true }, ON_500), false);
  assert.equal(isDeadly({ type: 'answered', status: 502, retryAfter: true }, ON_500), true);
});

test('a site may ask that responses agree, or that none counts; a failed connection always does', () => {
  const bad: Outcome = { type: 'answered', status: 502, retryAfter: false };
  assert.equal(isDeadly(bad, { ...FIRST, deadOn5xx: 'agreed' }), false);
  assert.equal(isDeadly(bad, { ...FIRST, deadOn5xx: 'agreed', isAgreed: true }), true);
  assert.equal(isDeadly(bad, { ...FIRST, deadOn5xx: 'never', isAgreed: true }), false);
  for (const deadOn5xx of ['agreed', 'never'] as const)
    assert.equal(isDeadly({ type: 'unreachable', cause }, { ...FIRST, deadOn5xx }), true);
  const good: Outcome = { type: 'answered', status: 404, retryAfter: false };
  assert.equal(isDeadly(good, { ...FIRST, deadOn5xx: 'agreed', isAgreed: true }), false);
});

function failed(code: string): Outcome {
  return notConnected(Object.assign(new Error(code), { code }));
}

test('a backend that refuses is unreachable; a machine without files, ports or memory says nothing of it', () => {
  assert.equal(isDeadly(failed('ECONNREFUSED'), FIRST), true);
  for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])
    assert.equal(isDeadly(failed(code), ON_500), false, code);
  assert.equal(notConnected(new Error('no code')).type, 'unreachable');
});

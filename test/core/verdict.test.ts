import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../lib/core/types.ts';
import { isDeadly, notConnected } from '../../lib/core/verdict.ts';

const cause = new Error('why');

for (const type of ['unreachable', 'broken', 'silent'] as const) {
  test(`a backend that is ${type} is dead`, () => assert.equal(isDeadly({ type, cause }, false), true));
}

test('a backend that answers garbage, upgrades, cannot do it, or whose client left, is not', () => {
  const outcomes: readonly Outcome[] = [
    { type: 'garbled', cause },
    { type: 'dropped', cause },
    { type: 'unfit', cause },
    { type: 'upgraded' },
    { type: 'abandoned' },
  ];
  for (const outcome of outcomes) assert.equal(isDeadly(outcome, true), false, outcome.type);
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
    assert.equal(isDeadly({ type: 'answered', status, retryAfter: false }, on500), deadly);
  });
}

test('503 with Retry-After is announced maintenance; Retry-After excuses nothing else', () => {
  assert.equal(isDeadly({ type: 'answered', status: 503, retryAfter: true }, true), false);
  assert.equal(isDeadly({ type: 'answered', status: 502, retryAfter: true }, true), true);
});

function failed(code: string): Outcome {
  return notConnected(Object.assign(new Error(code), { code }));
}

test('a backend that refuses is unreachable; a machine without files, ports or memory says nothing of it', () => {
  assert.equal(isDeadly(failed('ECONNREFUSED'), false), true);
  for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])
    assert.equal(isDeadly(failed(code), true), false, code);
  assert.equal(notConnected(new Error('no code')).type, 'unreachable');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areAgreed, type FailedResponse, withFailure } from '../../lib/core/health/agreement.ts';

/** Whether they agree after each of these failures. */
function agreements(failures: readonly (readonly [count: number, client: string])[]): readonly boolean[] {
  let failed: readonly FailedResponse[] = [];
  return failures.map(([count, client]) => {
    failed = withFailure(failed, { count, client });
    return areAgreed(failed);
  });
}

test('three failures within ten responses agree, if they were to two clients', () => {
  assert.deepEqual(
    agreements([
      [1, '192.0.2.1'],
      [5, '192.0.2.2'],
      [10, '192.0.2.1'],
    ]),
    [false, false, true],
  );
});

test('failures of one client never agree, nor do those of a client that changes its IPv6 address', () => {
  const one = Array.from({ length: 20 }, (_, i) => [i, '192.0.2.1'] as const);
  assert.ok(!agreements(one).includes(true));
  const network = Array.from({ length: 20 }, (_, i) => [i, `2001:db8::${i}`] as const);
  assert.ok(!agreements(network).includes(true));
});

test('failures that are rare among responses do not agree', () => {
  const rare = Array.from({ length: 20 }, (_, i) => [i * 5, `192.0.2.${i}`] as const);
  assert.ok(!agreements(rare).includes(true));
});

test('no more failures are kept than can count', () => {
  let failed: readonly FailedResponse[] = [];
  for (let count = 0; count < 100; count++) failed = withFailure(failed, { count, client: 'x' });
  assert.equal(failed.length, 10);
});

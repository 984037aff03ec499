import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  actionFor,
  advance,
  type CheckState,
  markLife,
  offsetOf,
  UNCHECKED,
} from '../../lib/core/health/check-rules.ts';
import { readResult, writeResult } from '../../lib/core/health/check-result.ts';
import { checkRulesOf } from '../../lib/sites/healthcheck.ts';

const RULES = { rise: 2, fall: 3 };

/** The states after these results, + and -. @param marks positions at which a router's mark is seen */
function after(results: string, from: CheckState = UNCHECKED, marks: readonly number[] = []): string[] {
  let state = from;
  return results.split('').map((result, i) => {
    state = advance(state, result === '+', marks.includes(i), RULES);
    return state.is;
  });
}

test('a backend is down after `fall` failures in a row, and up after `rise` good checks in a row', () => {
  assert.deepEqual(after('--+---'), ['new', 'new', 'up', 'up', 'up', 'down']);
  assert.deepEqual(after('---+-++'), ['new', 'new', 'down', 'down', 'down', 'down', 'up']);
});

test('a new backend is up after its first good check', () => {
  assert.deepEqual(after('+'), ['up']);
});

test('a backend that a router has marked needs `rise` good checks, from the mark on', () => {
  assert.deepEqual(after('+++', { is: 'up', streak: 0 }, [0, 1]), ['down', 'up', 'up']);
  // Two failures of its own count for nothing beside the mark.
  assert.deepEqual(after('-+-++', { is: 'up', streak: 2 }, [0, 1, 2, 3, 4]), ['down', 'down', 'down', 'down', 'up']);
});

test('a mark is made or renewed while a backend is down, and removed when it has risen', () => {
  assert.equal(actionFor({ is: 'down', streak: 0 }, true, false), 'mark');
  assert.equal(actionFor({ is: 'down', streak: 0 }, false, false), 'mark');
  assert.equal(actionFor({ is: 'down', streak: 1 }, true, true), 'renew');
  assert.equal(actionFor({ is: 'down', streak: 1 }, false, true), 'renew');
  assert.equal(actionFor({ is: 'up', streak: 0 }, true, true), 'clear');
  assert.equal(actionFor({ is: 'up', streak: 0 }, false, true), 'none');
  assert.equal(actionFor({ is: 'new', streak: 2 }, false, false), 'none');
});

test('a mark outlasts two intervals and their checks, however long they are', () => {
  for (const interval of [1, 5, 60, 300]) {
    const rules = checkRulesOf(new Map([['interval', `${interval}`]]));
    const { ttlMs, renewMs } = markLife(rules);
    assert.ok(renewMs >= 2 * (rules.intervalMs + rules.timeoutMs), `${interval}`);
    assert.ok(ttlMs >= 2 * renewMs, `${interval}`);
  }
});

test('checks are spread evenly over the interval, and end before the next one', () => {
  const rules = checkRulesOf(new Map([['interval', '10']]));
  const room = rules.intervalMs - rules.timeoutMs - 1_000;
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i++) {
    const offset = offsetOf('www.x.io', `http://10.0.${i >> 8}.${i & 255}:80`, rules);
    assert.ok(offset >= 0 && offset < room, `${offset}`);
    const tenth = Math.floor((offset / room) * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  // 9 degrees of freedom: above 27.9 by chance once in a thousand times. The hash is fixed, so it is or it is not.
  const chi = tenths.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
  assert.ok(chi < 27.9, `χ² ${chi}: ${tenths.join(' ')}`);
  assert.equal(offsetOf('www.x.io', 'http://10.0.0.1', checkRulesOf(new Map([['interval', '2']]))), 0);
});

test('a result is read as it was written, and other texts are none', () => {
  const result = {
    state: { is: 'down', streak: 1 },
    hasPassed: true,
    detail: 'status 200',
    at: 1_700_000_000_000,
    tookMs: 12,
    router: 'r1',
  } as const;
  assert.deepEqual(readResult(writeResult(result)), result);
  assert.equal(readResult(writeResult({ ...result, detail: 'x'.repeat(1_000) }))?.detail.length, 200);
  const whole = JSON.parse(writeResult(result)) as Record<string, unknown>;
  for (const field of Object.keys(whole)) {
    for (const odd of [null, {}, -1, '__proto__']) {
      if (typeof odd === 'string' && (field === 'detail' || field === 'router')) continue;
      assert.equal(readResult(JSON.stringify({ ...whole, [field]: odd })), null, `${field}: ${JSON.stringify(odd)}`);
    }
  }
  for (const text of ['', 'null', '7', '[]', '{"state":"up"}']) assert.equal(readResult(text), null, text);
});

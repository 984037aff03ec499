// @one-lane: rules, without a router
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentOf } from '../../lib/command/moment.ts';

const NOW = new Date(2026, 10, 30, 14, 30).getTime();

test('a time of day is of today, or of yesterday when it is still to come', () => {
  assert.equal(momentOf('14:05', NOW), new Date(2026, 10, 30, 14, 5).getTime());
  assert.equal(momentOf('9:05:07', NOW), new Date(2026, 10, 30, 9, 5, 7).getTime());
  assert.equal(momentOf('23:59', NOW), new Date(2026, 10, 29, 23, 59).getTime());
  assert.equal(momentOf('2026-11-01T10:00Z', NOW), Date.UTC(2026, 10, 1, 10));
});

test('what is no time of the past is a usage error', () => {
  for (const text of ['24:00', '14:60', '14', 'x', '5', '2030-01-01', '2026-99-01']) {
    assert.throws(() => momentOf(text, NOW), { name: 'UsageError' }, text);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomHexSource } from '../../lib/observe/random-hex.ts';

test('ids have the length that was asked for, and none comes twice', () => {
  const randomHex = randomHexSource();
  const seen = new Set<string>();
  for (let i = 0; i < 5_000; i++) {
    const bytes = i % 3 === 0 ? 8 : 24;
    const digits = randomHex(bytes);
    assert.match(digits, bytes === 8 ? /^[0-9a-f]{16}$/ : /^[0-9a-f]{48}$/);
    seen.add(digits.slice(-16));
  }
  assert.equal(seen.size, 5_000);
});

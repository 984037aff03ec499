import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hold } from '../../lib/backends/slots/slot-hold.ts';

function newHold(): Hold {
  return new Hold({ holds: null }, () => {});
}

test('an upload that brings 16 KiB begins its time anew, one that brings less does not', () => {
  const hold = newHold();
  hold.begin(1_000, 500);
  hold.onBytes(500 + 16_383, 2_000);
  assert.equal(hold.since, 1_000);
  hold.onBytes(500 + 16_384, 3_000);
  assert.equal(hold.since, 3_000);
});

test('bytes after the backend was blocked begin its time anew', () => {
  const hold = newHold();
  hold.begin(1_000);
  hold.stop();
  assert.equal(hold.since, Infinity);
  hold.onBytes(1, 2_000);
  assert.equal(hold.since, 2_000);
});

test('a client that reads part of what it was sent is still waited for, one that reads all is not', () => {
  const hold = newHold();
  hold.onRead(true, 1_000);
  assert.equal(hold.since, Infinity);
  hold.begin(1_000);
  hold.onRead(true, 2_000);
  assert.equal(hold.since, 2_000);
  hold.onRead(false, 3_000);
  assert.equal(hold.since, Infinity);
});

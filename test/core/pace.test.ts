import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace, ReadPace } from '../../lib/core/limits/pace.ts';

test('a body that keeps to its least rate may last for ever', () => {
  const pace = new Pace(100, 0);
  for (let s = 1; s < 1_000; s++) assert.equal(pace.isTooSlow(s * 100, s * 1_000), false);
});

test('a body that begins slowly has five seconds', () => {
  const pace = new Pace(100, 0);
  assert.equal(pace.isTooSlow(0, 5_000), false);
  assert.equal(pace.isTooSlow(0, 5_001), true);
});

test('what came at first does not make up for a trickle after it', () => {
  const pace = new Pace(100, 0);
  assert.equal(pace.isTooSlow(65_536, 10), false);
  let at = 10;
  let total = 65_536;
  do at += 3_000;
  while (!pace.isTooSlow(++total, at));
  assert.ok(at > 24_000 && at < 30_000, `${at} ms`);
});

test('what comes after a pause makes up for it', () => {
  const pace = new Pace(100, 0);
  for (let minute = 1; minute < 10; minute++) assert.equal(pace.isTooSlow(minute * 6_000, minute * 60_000), false);
});

test('the time in which the backend takes nothing does not count', () => {
  const pace = new Pace(100, 0);
  pace.isTooSlow(100, 0);
  pace.blocked(0);
  assert.equal(pace.isTooSlow(100, 100_000), false);
  assert.equal(pace.isTooSlow(100, 107_000), true);
});

test('without a least rate nothing is too slow', () => {
  assert.equal(new Pace(0, 0).isTooSlow(0, 1e9), false);
});

test('a reader that keeps to its least rate may hold a response up for ever', () => {
  const pace = new ReadPace(100, 10_000);
  for (let i = 0; i < 100; i++) assert.equal(pace.isTooSlow(500, 5_000), false);
});

test('a reader that is slower is so when it has fallen behind by its time', () => {
  const pace = new ReadPace(100, 10_000);
  let count = 1;
  while (!pace.isTooSlow(400, 5_000)) count++;
  // Each time it is a second late.
  assert.equal(count, 11);
});

test('what a reader took quickly does not make up for what it takes slowly', () => {
  const pace = new ReadPace(100, 10_000);
  pace.isTooSlow(1_000_000, 10);
  assert.equal(pace.isTooSlow(1, 10_100), true);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplacementPause } from '../../lib/cluster/master/worker-health.ts';

const MINUTE = 60_000;

test('the first fat worker is replaced at once', () => {
  assert.equal(new ReplacementPause().ask(0), 0);
});

test('one that is fat again soon after stays for the rest of five minutes, and that is said once', () => {
  const rest = new ReplacementPause();
  rest.ask(0);
  assert.equal(rest.ask(1_000), 5 * MINUTE - 1_000);
  assert.equal(rest.ask(2_000), null);
  assert.equal(rest.ask(5 * MINUTE), 0);
});

test('the rests of workers that are born fat grow to an hour', () => {
  const rest = new ReplacementPause();
  let now = 0;
  const rests: number[] = [];
  for (let round = 0; round < 6; round++) {
    assert.equal(rest.ask(now), 0);
    const left = rest.ask(now) ?? 0;
    rests.push(left / MINUTE);
    now += left;
  }
  assert.deepEqual(rests, [5, 10, 20, 40, 60, 60]);
});

test('workers that take longer to grow fat are always replaced at once', () => {
  const rest = new ReplacementPause();
  for (let now = 0; now < 100 * MINUTE; now += 6 * MINUTE) assert.equal(rest.ask(now), 0);
});

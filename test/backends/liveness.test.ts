/** When an HTTP/2 connection to a backend is taken to be dead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LivenessWatch } from '../../lib/backends/http2/liveness.ts';

test('silence is first asked about, then avoided, then ended', () => {
  const watch = new LivenessWatch();
  watch.begin(100, 0);
  const looks = [2_500, 5_000, 7_500, 10_000, 12_500, 27_500, 30_000].map((now) => watch.look(100, now));
  assert.deepEqual(looks, ['await', 'ping', 'await', 'avoid', 'avoid', 'avoid', 'close']);
});

test('a byte ends the watch until the next request: one that only waits gets one PING', () => {
  const watch = new LivenessWatch();
  watch.begin(100, 0);
  assert.equal(watch.look(100, 5_000), 'ping');
  assert.equal(watch.look(117, 7_500), 'rest');
  assert.equal(watch.isAwaiting, false);
  assert.equal(watch.look(117, 60_000), 'rest');
  watch.begin(117, 60_000);
  assert.deepEqual([watch.look(117, 62_500), watch.look(117, 65_000)], ['await', 'ping']);
});

test('a byte that has come is seen without a look', () => {
  const watch = new LivenessWatch();
  assert.equal(watch.hasReceived(0), true);
  watch.begin(100, 0);
  assert.deepEqual([watch.hasReceived(100), watch.hasReceived(101)], [false, true]);
});

test('without requests nothing is awaited', () => {
  const watch = new LivenessWatch();
  watch.begin(0, 0);
  watch.stop();
  assert.equal(watch.look(0, 60_000), 'rest');
});

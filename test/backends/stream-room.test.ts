/** How many streams a connection to an HTTP/2 backend has room for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamRoom } from '../../lib/backends/http2/stream-room.ts';
import { Timer } from '../../lib/clock/time-limits.ts';

function scene(limit: number) {
  const timers = new Map<Timer, number>();
  const replies: (() => void)[] = [];
  const seen = { now: 0, received: 0, timers, replies, rooms: 0 };
  const room = new StreamRoom(limit, {
    clock: { set: (timer, ms) => void timers.set(timer, ms), clear: (timer) => void timers.delete(timer) },
    now: () => seen.now,
    received: () => seen.received,
    ping: (onReply) => void replies.push(onReply),
    onRoom: () => void seen.rooms++,
  });
  /** The acknowledgement of the oldest PING comes. */
  const acknowledge = (): void => {
    seen.received += 17;
    replies.shift()?.();
  };
  /** All timers that are set become due. */
  const pass = (): void => {
    for (const [timer, ms] of timers) {
      timers.delete(timer);
      seen.now += ms;
      timer.onTimeout();
    }
  };
  return { room, seen, acknowledge, pass };
}

test('a stream that has ended makes room at once; one that was cancelled, when a PING was acknowledged', () => {
  const { room, seen, acknowledge } = scene(2);
  room.enter();
  room.enter();
  assert.equal(room.isFree, false);
  room.leave('ended');
  assert.deepEqual([room.isFree, seen.replies.length], [true, 0]);
  room.enter();
  room.leave('cancelled');
  assert.deepEqual([room.isFree, seen.replies.length], [false, 1]);
  acknowledge();
  assert.deepEqual([room.isFree, seen.rooms], [true, 1]);
});

test('streams that are cancelled after a PING wait for the next one', () => {
  const { room, seen, acknowledge } = scene(3);
  for (let i = 0; i < 3; i++) room.enter();
  room.leave('cancelled');
  room.leave('cancelled');
  room.leave('cancelled');
  assert.equal(seen.replies.length, 1);
  acknowledge();
  assert.equal(room.isFree, true);
  seen.received++;
  room.enter();
  assert.deepEqual([room.isFree, seen.replies.length], [false, 1]);
  acknowledge();
  assert.equal(room.isFree, true);
});

test('while there is other room, no PING is sent, and cancelled streams count for half a second', () => {
  const { room, seen, pass } = scene(10);
  for (let i = 0; i < 3; i++) room.enter();
  room.leave('cancelled');
  assert.deepEqual([room.isFree, seen.replies.length, [...seen.timers.values()]], [true, 0, [500]]);
  pass();
  for (let i = 0; i < 7; i++) room.enter();
  assert.equal(room.isFree, true);
  room.enter();
  assert.deepEqual([room.isFree, seen.replies.length], [false, 0]);
});

test('a backend that does not acknowledge, or sends nothing else, costs half a second and no second PING', () => {
  const { room, seen, acknowledge, pass } = scene(1);
  room.enter();
  room.leave('cancelled');
  pass();
  assert.equal(room.isFree, true);
  acknowledge();
  room.enter();
  room.leave('cancelled');
  assert.deepEqual([room.isFree, seen.replies.length], [false, 0]);
  pass();
  assert.equal(room.isFree, true);
});

test('after a refusal a stream is added when another ends, or after a time that doubles up to 0.4 s', () => {
  const { room, seen, pass } = scene(100);
  for (let i = 0; i < 4; i++) room.enter();
  room.leave('refused');
  assert.deepEqual([room.isFree, room.isResting], [false, true]);
  room.leave('ended');
  assert.equal(room.isFree, true);
  room.enter();
  assert.equal(room.isFree, false);
  const pauses: number[] = [];
  for (let i = 0; i < 7; i++) {
    pauses.push(...seen.timers.values());
    pass();
    assert.deepEqual([room.isFree, room.isResting], [true, false]);
    room.enter();
    room.leave('refused');
  }
  assert.deepEqual(pauses, [100, 200, 400, 400, 400, 400, 400]);
  pass();
  seen.now += 10_000;
  room.leave('refused');
  assert.deepEqual([...seen.timers.values()], [100]);
});

test('a connection that accepts no more streams leaves no timer behind', () => {
  const { room, seen } = scene(1);
  room.enter();
  room.close();
  room.leave('cancelled');
  assert.deepEqual([seen.timers.size, seen.replies.length], [0, 0]);
});

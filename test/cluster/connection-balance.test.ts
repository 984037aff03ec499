import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionBalance } from '../../lib/cluster/master/connection-balance.ts';

/** Workers that accept, called by letters, and what each was told since it was last asked. */
function scene(names: string) {
  const told: string[] = [];
  let now = 0;
  const connectionBalance = new ConnectionBalance<string>(
    (worker, turn) => told.push(`${worker} ${turn}`),
    () => (now += 100),
  );
  for (const name of names) connectionBalance.accepts(name);
  return { connectionBalance, told: () => told.splice(0) };
}

test('who is ahead of its share pauses, and accepts again when the others have caught up', () => {
  const { connectionBalance, told } = scene('ab');
  connectionBalance.has('b', 100);
  assert.deepEqual(told(), ['b pause']);
  connectionBalance.has('a', 50);
  assert.deepEqual(told(), []);
  connectionBalance.has('a', 98);
  assert.deepEqual(told(), ['b accept']);
});

test('a few more or less are let be', () => {
  const { connectionBalance, told } = scene('ab');
  connectionBalance.has('a', 4);
  connectionBalance.has('b', 12);
  assert.deepEqual(told(), []);
});

test('in a burst, more is let be', () => {
  const told: string[] = [];
  const connectionBalance = new ConnectionBalance<string>(
    (worker, turn) => told.push(`${worker} ${turn}`),
    () => 1,
  );
  for (const name of 'ab') connectionBalance.accepts(name);
  connectionBalance.has('a', 100);
  connectionBalance.has('b', 80);
  assert.deepEqual(told.splice(0), ['a pause', 'a accept']);
  connectionBalance.accepts('a');
  // 20 more than an even share: past what is let be else.
  connectionBalance.has('a', 120);
  assert.deepEqual(told, []);
});

test('one worker never pauses', () => {
  const { connectionBalance, told } = scene('a');
  connectionBalance.has('a', 10_000);
  assert.deepEqual(told(), []);
});

test('two go on accepting where there are three or more, and the one with the most pauses', () => {
  const { connectionBalance, told } = scene('abc');
  connectionBalance.has('c', 30);
  assert.deepEqual(told(), ['c pause']);
  connectionBalance.has('b', 40);
  assert.deepEqual(told(), []);
});

test('nobody is told to pause again before it has said that it accepts', () => {
  const { connectionBalance, told } = scene('ab');
  connectionBalance.has('b', 100);
  connectionBalance.has('a', 100);
  assert.deepEqual(told(), ['b pause', 'b accept']);
  connectionBalance.has('b', 200);
  assert.deepEqual(told(), []);
  connectionBalance.accepts('b');
  assert.deepEqual(told(), []);
  connectionBalance.has('b', 201);
  assert.deepEqual(told(), ['b pause']);
});

test('when one has gone, those that pause accept: it may have been the only one that did', () => {
  const { connectionBalance, told } = scene('ab');
  connectionBalance.has('b', 100);
  assert.deepEqual(told(), ['b pause']);
  connectionBalance.forget('a');
  assert.deepEqual(told(), ['b accept']);
  connectionBalance.forget('a');
  connectionBalance.has('a', 100);
  assert.deepEqual(told(), []);
});

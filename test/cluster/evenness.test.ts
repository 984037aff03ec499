import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Evenness } from '../../lib/cluster/evenness.ts';

/** Workers that accept, called by letters, and what each was told since it was last asked. */
function scene(names: string) {
  const told: string[] = [];
  let now = 0;
  const evenness = new Evenness<string>(
    (worker, turn) => told.push(`${worker} ${turn}`),
    () => (now += 100),
  );
  for (const name of names) evenness.accepts(name);
  return { evenness, told: () => told.splice(0) };
}

test('who is ahead of its share pauses, and accepts again when the others have caught up', () => {
  const { evenness, told } = scene('ab');
  evenness.has('b', 100);
  assert.deepEqual(told(), ['b pause']);
  evenness.has('a', 50);
  assert.deepEqual(told(), []);
  evenness.has('a', 98);
  assert.deepEqual(told(), ['b accept']);
});

test('a few more or less are let be', () => {
  const { evenness, told } = scene('ab');
  evenness.has('a', 4);
  evenness.has('b', 12);
  assert.deepEqual(told(), []);
});

test('in a burst, more is let be', () => {
  const told: string[] = [];
  const evenness = new Evenness<string>(
    (worker, turn) => told.push(`${worker} ${turn}`),
    () => 1,
  );
  for (const name of 'ab') evenness.accepts(name);
  evenness.has('a', 100);
  evenness.has('b', 80);
  assert.deepEqual(told.splice(0), ['a pause', 'a accept']);
  evenness.accepts('a');
  // 20 more than an even share: past what is let be else.
  evenness.has('a', 120);
  assert.deepEqual(told, []);
});

test('one worker never pauses', () => {
  const { evenness, told } = scene('a');
  evenness.has('a', 10_000);
  assert.deepEqual(told(), []);
});

test('two go on accepting where there are three or more, and the one with the most pauses', () => {
  const { evenness, told } = scene('abc');
  evenness.has('c', 30);
  assert.deepEqual(told(), ['c pause']);
  evenness.has('b', 40);
  assert.deepEqual(told(), []);
});

test('nobody is told to pause again before it has said that it accepts', () => {
  const { evenness, told } = scene('ab');
  evenness.has('b', 100);
  evenness.has('a', 100);
  assert.deepEqual(told(), ['b pause', 'b accept']);
  evenness.has('b', 200);
  assert.deepEqual(told(), []);
  evenness.accepts('b');
  assert.deepEqual(told(), []);
  evenness.has('b', 201);
  assert.deepEqual(told(), ['b pause']);
});

test('when one has gone, those that pause accept: it may have been the only one that did', () => {
  const { evenness, told } = scene('ab');
  evenness.has('b', 100);
  assert.deepEqual(told(), ['b pause']);
  evenness.forget('a');
  assert.deepEqual(told(), ['b accept']);
  evenness.forget('a');
  evenness.has('a', 100);
  assert.deepEqual(told(), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionCount } from '../../lib/cluster/worker/connection-count.ts';

function scene(t: { mock: { timers: { enable: (options: { apis: ['setTimeout'] }) => void } } }) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: number[] = [];
  const connectionCount = new ConnectionCount((open) => told.push(open));
  const change = (by: 1 | -1, times: number): void => {
    for (let i = 0; i < times; i++) connectionCount.change(by);
  };
  return { change, told };
}

test('a few are told soon, together', (t) => {
  const { change, told } = scene(t);
  change(1, 5);
  assert.deepEqual(told, []);
  t.mock.timers.tick(100);
  assert.deepEqual(told, [5]);
});

test('many are told while they come', (t) => {
  const { change, told } = scene(t);
  change(1, 40);
  assert.deepEqual(told, [16, 32]);
});

test('of those that come and go within a moment nothing is told', (t) => {
  const { change, told } = scene(t);
  for (let i = 0; i < 1000; i++) {
    change(1, 10);
    change(-1, 10);
    if (i % 10 === 0) t.mock.timers.tick(20);
  }
  assert.deepEqual(told, []);
});

test('in the end what is told is right', (t) => {
  const { change, told } = scene(t);
  change(1, 100);
  change(-1, 30);
  t.mock.timers.tick(20);
  t.mock.timers.tick(20);
  t.mock.timers.tick(20);
  assert.equal(told.at(-1), 70);
});

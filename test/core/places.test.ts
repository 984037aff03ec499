import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Place, Places } from '../../lib/core/places.ts';

test('so many places, for each backend', () => {
  const places = new Places(2);
  assert.ok(places.enter('a') && places.enter('a'));
  assert.equal(places.enter('a'), null);
  assert.ok(places.enter('b'));
});

test('a place that is given back can be taken again', () => {
  const places = new Places(1);
  places.enter('a')?.leave();
  assert.ok(places.enter('a'));
  assert.equal(places.enter('a'), null);
});

test('who waits gets a place in the order of coming', () => {
  const places = new Places(1);
  const first = places.enter('a');
  const turns: string[] = [];
  const given: Place[] = [];
  for (const name of ['x', 'y', 'z']) {
    const leaveQueue = places.wait('a', (place) => {
      turns.push(name);
      given.push(place);
    });
    if (name === 'y') leaveQueue();
  }
  first?.leave();
  assert.deepEqual(turns, ['x']);
  assert.equal(places.enter('a'), null);
  given[0]?.leave();
  assert.deepEqual(turns, ['x', 'z']);
  given[1]?.leave();
  assert.ok(places.enter('a'));
});

test('backends that nobody uses are forgotten, those in use are not', () => {
  const places = new Places(1);
  places.enter('used');
  for (let i = 0; i < 25_000; i++) places.enter(`unused ${i}`)?.leave();
  assert.equal(places.enter('used'), null);
});

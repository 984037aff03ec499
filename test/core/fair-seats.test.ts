import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairSeats } from '../../lib/core/limits/fair-seats.ts';

/** Members are named by site, client and number. */
function fill(seats: FairSeats<string>, site: string, client: string, count: number): (string | null)[] {
  return Array.from({ length: count }, (_, i) => seats.enter(`${site}${client}${i}`, site, client));
}

test('one client of one site alone may have all seats, and no more', () => {
  const seats = new FairSeats<string>(3);
  assert.deepEqual(fill(seats, 'a', 'x', 4), [null, null, null, 'ax3']);
  assert.equal(seats.size, 3);
});

test('another site takes seats of the one with the most, the newest first, until both have as many', () => {
  const seats = new FairSeats<string>(4);
  fill(seats, 'a', 'x', 4);
  assert.deepEqual(fill(seats, 'b', 'y', 3), ['ax3', 'ax2', 'by2']);
  assert.deepEqual(fill(seats, 'c', 'z', 2), ['ax1', 'cz1']);
});

test('another client of the same site takes seats of the client with the most', () => {
  const seats = new FairSeats<string>(4);
  fill(seats, 'a', 'x', 3);
  fill(seats, 'b', 'x', 1);
  assert.deepEqual(fill(seats, 'a', 'y', 2), ['ax2', 'ay1']);
});

test('of the site with the most it is the client with the most that loses one', () => {
  const seats = new FairSeats<string>(4);
  fill(seats, 'a', 'x', 1);
  fill(seats, 'a', 'y', 3);
  assert.deepEqual(fill(seats, 'b', 'z', 1), ['ay2']);
});

test('a seat that is given back is free, and one that is given back twice is no fault', () => {
  const seats = new FairSeats<string>(1);
  fill(seats, 'a', 'x', 1);
  seats.leave('ax0');
  seats.leave('ax0');
  assert.equal(seats.size, 0);
  assert.equal(seats.enter('by', 'b', 'y'), null);
  assert.equal(new FairSeats<string>(0).enter('a', 'a', 'x'), 'a');
});

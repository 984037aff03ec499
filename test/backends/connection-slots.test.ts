import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendSlots, type Place, Places } from '../../lib/backends/slots/connection-slots.ts';

const CLIENT = '192.0.2.1';

/** The slots of backends by name. */
class Slots {
  readonly places: Places;
  readonly #backends = new Map<string, BackendSlots>();

  constructor(limit: number) {
    this.places = new Places(limit);
  }

  of(name: string): BackendSlots {
    const slots = this.#backends.get(name) ?? new BackendSlots({ responseCount: 0, responded: () => {} });
    this.#backends.set(name, slots);
    return slots;
  }

  enter(name: string, client: string, now: number, limit?: number): Place | null {
    return this.places.enter(this.of(name), client, now, limit);
  }

  wait(name: string, client: string, now: number, onTurn: (place: Place) => void): () => void {
    return this.places.wait(this.of(name), client, now, onTurn);
  }

  relieve(now: number): boolean {
    return this.places.relieve(now);
  }
}

/** Takes as many slots as there are for a client. */
function fill(places: Slots, client: string, now = 0): Place[] {
  const taken: Place[] = [];
  for (;;) {
    const place = places.enter('a', client, now);
    if (place === null) return taken;
    taken.push(place);
  }
}

test('so many places, for each backend', () => {
  const places = new Slots(2);
  assert.equal(fill(places, CLIENT).length, 2);
  assert.equal(places.enter('a', 'another', 0), null);
  assert.ok(places.enter('b', CLIENT, 0));
});

test('a place that is given back can be taken again', () => {
  const places = new Slots(1);
  places.enter('a', CLIENT, 0)?.leave();
  assert.ok(places.enter('a', CLIENT, 0));
  assert.equal(places.enter('a', CLIENT, 0), null);
});

test('who waits gets a place in the order of coming', () => {
  const places = new Slots(1);
  const first = places.enter('a', CLIENT, 0);
  const turns: string[] = [];
  const given: Place[] = [];
  for (const name of ['x', 'y', 'z']) {
    const leaveQueue = places.wait('a', CLIENT, 0, (place) => {
      turns.push(name);
      given.push(place);
    });
    if (name === 'y') leaveQueue();
  }
  first?.leave();
  assert.deepEqual(turns, ['x']);
  assert.equal(places.enter('a', CLIENT, 0), null);
  given[0]?.leave();
  assert.deepEqual(turns, ['x', 'z']);
  given[1]?.leave();
  assert.ok(places.enter('a', CLIENT, 0));
});

test('clients have their turns one after the other, however many requests of one wait', () => {
  const places = new Slots(1);
  let taken = places.enter('a', 'greedy', 0);
  const turns: string[] = [];
  const join = (client: string, name: string): void => {
    places.wait('a', client, 0, (place) => {
      turns.push(name);
      taken = place;
    });
  };
  for (let i = 0; i < 5; i++) join('greedy', `greedy ${i}`);
  join('modest', 'modest');
  for (let i = 0; i < 3; i++) taken?.leave();
  assert.deepEqual(turns, ['greedy 0', 'modest', 'greedy 1']);
});

test('a client that is alone may have all places', () => {
  assert.equal(fill(new Slots(100), CLIENT).length, 100);
});

test('a client has three quarters of the places while others use the backend, and for a minute after that', () => {
  const places = new Slots(100);
  places.enter('a', 'another', 0)?.leave();
  const taken = fill(places, CLIENT, 1);
  assert.equal(taken.length, 75);
  const turns: Place[] = [];
  places.wait('a', CLIENT, 1, (place) => turns.push(place));
  assert.ok(places.enter('a', 'another', 2), 'places are free for others');
  taken[0]?.leave();
  assert.equal(turns.length, 1);
  places.wait('a', CLIENT, 3, (place) => turns.push(place));
  places.relieve(60_000);
  assert.equal(turns.length, 1);
  places.relieve(60_003);
  assert.equal(turns.length, 2, 'nobody else has come since');
});

test('a held place is taken from the client with the most, the last one first, when others have waited', () => {
  const places = new Slots(8);
  const given: string[] = [];
  const holdAll = (client: string, count: number): void => {
    for (let i = 0; i < count; i++) {
      const place = places.enter('a', client, 0);
      assert.ok(place);
      const hold = place.hold(() => {
        given.push(`${client} ${i}`);
        place.leave();
      });
      hold.begin(0);
    }
  };
  holdAll('some', 2);
  holdAll('most', 6);
  const turns: Place[] = [];
  const wait = (now: number): void => void places.wait('a', 'third', now, (place) => turns.push(place));
  wait(600);
  places.relieve(900);
  assert.deepEqual(given, [], 'neither has it been held for long, nor has somebody waited');
  places.relieve(1_100);
  assert.deepEqual([given, turns.length], [['most 5'], 1]);
  for (let i = 0; i < 8; i++) wait(1_100);
  assert.equal(places.relieve(1_600), true);
  // Neither a quarter of all places for one client, nor half of them for all, is too much.
  assert.deepEqual(given, ['most 5', 'most 4', 'most 3', 'most 2']);
});

test('a place that does not wait for its client is not taken from it', () => {
  const places = new Slots(2);
  for (const place of fill(places, CLIENT)) {
    const hold = place.hold(() => assert.fail('it does not hold it'));
    hold.begin(0);
    hold.stop();
  }
  places.wait('a', 'another', 0, () => {});
  assert.equal(places.relieve(10_000), true);
});

test('nothing is left of clients that have gone', () => {
  const places = new Slots(1);
  const first = places.enter('a', CLIENT, 0);
  let crowds = 0;
  places.places.onCrowd = () => crowds++;
  places.wait('a', 'another', 0, () => assert.fail('it has left'))();
  assert.equal(crowds, 1);
  assert.equal(places.relieve(0), false);
  first?.leave();
  assert.ok(places.enter('a', CLIENT, 0));
});

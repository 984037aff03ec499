import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackendSlots, type ConnectionSlot } from '../../lib/backends/slots/backend-slots.ts';
import { ConnectionSlots } from '../../lib/backends/slots/connection-slots.ts';

const SITE = 'site.test';
const CLIENT = '192.0.2.1';

/** The slots of backends by name. */
class Slots {
  readonly slots: ConnectionSlots;
  readonly #backends = new Map<string, BackendSlots>();

  constructor(limit: number) {
    this.slots = new ConnectionSlots(limit);
  }

  of(name: string): BackendSlots {
    const slots = this.#backends.get(name) ?? new BackendSlots({ responseCount: 0, responded: () => {} });
    this.#backends.set(name, slots);
    return slots;
  }

  enter(name: string, client: string, now: number, limit?: number): ConnectionSlot | null {
    return this.slots.enter(this.of(name), SITE, client, now, limit);
  }

  wait(name: string, client: string, now: number, onTurn: (slot: ConnectionSlot) => void): () => void {
    return this.slots.wait(this.of(name), SITE, client, now, onTurn);
  }

  relieve(now: number): boolean {
    return this.slots.relieve(now);
  }
}

/** Takes as many slots as there are for a client. */
function fill(slots: Slots, client: string, now = 0): ConnectionSlot[] {
  const taken: ConnectionSlot[] = [];
  for (;;) {
    const slot = slots.enter('a', client, now);
    if (slot === null) return taken;
    taken.push(slot);
  }
}

test('so many places, for each backend', () => {
  const slots = new Slots(2);
  assert.equal(fill(slots, CLIENT).length, 2);
  assert.equal(slots.enter('a', 'another', 0), null);
  assert.ok(slots.enter('b', CLIENT, 0));
});

test('a place that is given back can be taken again', () => {
  const slots = new Slots(1);
  slots.enter('a', CLIENT, 0)?.leave();
  assert.ok(slots.enter('a', CLIENT, 0));
  assert.equal(slots.enter('a', CLIENT, 0), null);
});

test('who waits gets a place in the order of coming', () => {
  const slots = new Slots(1);
  const first = slots.enter('a', CLIENT, 0);
  const turns: string[] = [];
  const given: ConnectionSlot[] = [];
  for (const name of ['x', 'y', 'z']) {
    const leaveQueue = slots.wait('a', CLIENT, 0, (slot) => {
      turns.push(name);
      given.push(slot);
    });
    if (name === 'y') leaveQueue();
  }
  first?.leave();
  assert.deepEqual(turns, ['x']);
  assert.equal(slots.enter('a', CLIENT, 0), null);
  given[0]?.leave();
  assert.deepEqual(turns, ['x', 'z']);
  given[1]?.leave();
  assert.ok(slots.enter('a', CLIENT, 0));
});

test('clients have their turns one after the other, however many requests of one wait', () => {
  const slots = new Slots(1);
  let taken = slots.enter('a', 'greedy', 0);
  const turns: string[] = [];
  const join = (client: string, name: string): void => {
    slots.wait('a', client, 0, (slot) => {
      turns.push(name);
      taken = slot;
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
  const slots = new Slots(100);
  slots.enter('a', 'another', 0)?.leave();
  const taken = fill(slots, CLIENT, 1);
  assert.equal(taken.length, 75);
  const turns: ConnectionSlot[] = [];
  slots.wait('a', CLIENT, 1, (slot) => turns.push(slot));
  assert.ok(slots.enter('a', 'another', 2), 'places are free for others');
  taken[0]?.leave();
  assert.equal(turns.length, 1);
  slots.wait('a', CLIENT, 3, (slot) => turns.push(slot));
  slots.relieve(60_000);
  assert.equal(turns.length, 1);
  slots.relieve(60_003);
  assert.equal(turns.length, 2, 'no other request has come since');
});

test('a held place is taken from the client with the most, the last one first, when others have waited', () => {
  const slots = new Slots(8);
  const given: string[] = [];
  const holdAll = (client: string, count: number): void => {
    for (let i = 0; i < count; i++) {
      const slot = slots.enter('a', client, 0);
      assert.ok(slot);
      const hold = slot.hold(() => {
        given.push(`${client} ${i}`);
        slot.leave();
      });
      hold.begin(0);
    }
  };
  holdAll('some', 2);
  holdAll('most', 6);
  const turns: ConnectionSlot[] = [];
  const wait = (now: number): void => void slots.wait('a', 'third', now, (slot) => turns.push(slot));
  wait(600);
  slots.relieve(900);
  assert.deepEqual(given, [], 'it was not held for long, and no request waited');
  slots.relieve(1_100);
  assert.deepEqual([given, turns.length], [['most 5'], 1]);
  for (let i = 0; i < 8; i++) wait(1_100);
  assert.equal(slots.relieve(1_600), true);
  // Neither a quarter of all places for one client, nor half of them for all, is too much.
  assert.deepEqual(given, ['most 5', 'most 4', 'most 3', 'most 2']);
});

test('a place that does not wait for its client is not taken from it', () => {
  const slots = new Slots(2);
  for (const slot of fill(slots, CLIENT)) {
    const hold = slot.hold(() => assert.fail('it does not hold it'));
    hold.begin(0);
    hold.stop();
  }
  slots.wait('a', 'another', 0, () => {});
  assert.equal(slots.relieve(10_000), true);
});

test('nothing is left of clients that have gone', () => {
  const slots = new Slots(1);
  const first = slots.enter('a', CLIENT, 0);
  let crowds = 0;
  slots.slots.onCrowd = () => crowds++;
  slots.wait('a', 'another', 0, () => assert.fail('it has left'))();
  assert.equal(crowds, 1);
  assert.equal(slots.relieve(0), false);
  first?.leave();
  assert.ok(slots.enter('a', CLIENT, 0));
});

/** Takes a slot of a backend for a site; the client is another one for each. */
class Tenants {
  readonly backend = new BackendSlots({ responseCount: 0, responded: () => {} });
  readonly slots: ConnectionSlots;
  #clients = 0;

  constructor(limit: number) {
    this.slots = new ConnectionSlots(limit);
  }

  enter(site: string, now = 0, client = `client ${this.#clients++}`): ConnectionSlot | null {
    return this.slots.enter(this.backend, site, client, now);
  }

  wait(site: string, onTurn: (slot: ConnectionSlot) => void, now = 0): () => void {
    return this.slots.wait(this.backend, site, `client ${this.#clients++}`, now, onTurn);
  }

  /** Takes as many slots as there are for a site. */
  fill(site: string, now = 0, client?: string): ConnectionSlot[] {
    const taken: ConnectionSlot[] = [];
    for (;;) {
      const slot = this.enter(site, now, client);
      if (slot === null) return taken;
      taken.push(slot);
    }
  }
}

test('a site that is alone may have all places of a backend; otherwise three quarters, however many clients it has', () => {
  const tenants = new Tenants(100);
  const alone = tenants.fill('a.test');
  assert.equal(alone.length, 100);
  for (const slot of alone) slot.leave();
  tenants.enter('b.test', 1)?.leave();
  assert.equal(tenants.fill('a.test', 2).length, 75);
  assert.ok(tenants.enter('b.test', 3));
  assert.equal(tenants.fill('b.test', 3).length, 24);
});

test('sites have their turns one after the other, however many clients of one wait', () => {
  const tenants = new Tenants(1);
  let taken = tenants.enter('a.test');
  const turns: string[] = [];
  const join = (site: string, name: string): void => {
    tenants.wait(site, (slot) => {
      turns.push(name);
      taken = slot;
    });
  };
  for (let i = 0; i < 5; i++) join('a.test', `a ${i}`);
  join('b.test', 'b 0');
  join('b.test', 'b 1');
  for (let i = 0; i < 5; i++) taken?.leave();
  assert.deepEqual(turns, ['a 0', 'b 0', 'a 1', 'b 1', 'a 2']);
});

test('a client has three quarters of the places for all sites together', () => {
  const tenants = new Tenants(100);
  tenants.enter('a.test', 0, 'another')?.leave();
  assert.equal(tenants.fill('a.test', 1, CLIENT).length, 75);
  assert.equal(tenants.enter('b.test', 1, CLIENT), null);
  assert.ok(tenants.enter('b.test', 1, 'another'));
});

test('a site that had all places before another came gives them up one by one', () => {
  const tenants = new Tenants(4);
  const taken = tenants.fill('a.test');
  const turns: string[] = [];
  tenants.wait('a.test', () => turns.push('a'), 1);
  assert.equal(tenants.enter('b.test', 1), null);
  tenants.wait('b.test', () => turns.push('b'), 1);
  taken[0]?.leave();
  assert.deepEqual(turns, ['b'], 'three of four are its share');
  taken[1]?.leave();
  assert.deepEqual(turns, ['b', 'a']);
});

test('nothing is left of sites that have gone, but of a few', () => {
  const tenants = new Tenants(2);
  for (let i = 0; i < 100; i++) tenants.enter(`${i}.test`)?.leave();
  const leave = tenants.wait('waits.test', () => {});
  leave();
  assert.deepEqual(tenants.backend.holders, { sites: 8, clients: 0 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairRoom } from '../../lib/core/limits/fair-room.ts';

/** The names that are kept, as one who asks the room would know. */
class Kept {
  readonly room: FairRoom;
  readonly names = new Map<string, string>();

  constructor(max: number) {
    this.room = new FairRoom(max);
  }

  add(name: string, holder: string): void {
    this.names.set(name, holder);
    const gone = this.room.enter(name, holder);
    if (gone !== null) assert.ok(this.names.delete(gone), `${gone} was kept`);
    assert.equal(this.room.size, this.names.size);
  }

  of(holder: string): readonly string[] {
    return [...this.names].filter(([, each]) => each === holder).map(([name]) => name);
  }
}

test('a holder alone has all of it, and loses its oldest', () => {
  const kept = new Kept(5);
  for (let i = 0; i < 100; i++) kept.add(`a${i}`, 'a');
  assert.deepEqual(kept.of('a'), ['a95', 'a96', 'a97', 'a98', 'a99']);
  kept.add('a95', 'a');
  kept.add('a100', 'a');
  assert.ok(kept.of('a').includes('a95'), 'one that comes again is the latest');
});

test('however many one enters, what others have stays, and a next one finds room', () => {
  const kept = new Kept(12);
  kept.add('b0', 'b');
  for (let i = 0; i < 100; i++) kept.add(`a${i}`, 'a');
  for (let i = 0; i < 100; i++) kept.add(`c${i}`, 'c');
  for (let i = 0; i < 100; i++) kept.add(`d${i}`, 'd');
  assert.deepEqual(kept.of('b'), ['b0']);
  for (const holder of ['a', 'c', 'd']) assert.ok(kept.of(holder).length >= 3, `${holder}: ${kept.of(holder).length}`);
  assert.equal(kept.names.size, 12);
});

test('where each holder has one name, the oldest goes', () => {
  const kept = new Kept(10);
  for (let i = 0; i < 100; i++) kept.add(`n${i}`, `h${i}`);
  assert.deepEqual(
    [...kept.names.keys()],
    Array.from({ length: 10 }, (_, i) => `n${i + 90}`),
  );
  kept.room.leave('n99');
  kept.names.delete('n99');
  kept.room.leave('n99');
  kept.add('n100', 'h100');
  assert.equal(kept.names.size, 10);
});

test('a name that changes its holder is held once', () => {
  const kept = new Kept(3);
  kept.add('n', 'a');
  kept.add('n', 'b');
  kept.add('x', 'b');
  kept.add('y', 'a');
  assert.equal(kept.room.size, 3);
  kept.room.clear();
  assert.equal(kept.room.drop(), null);
});

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { CloseReason } from '../../lib/core/limits/connection-limits.ts';
import { ConnectionLimit } from '../../lib/server/connection-limit.ts';
import type { TrackedConnection } from '../../lib/server/tracked-connection.ts';

/** A room whose connections have names, and are gone as soon as they are closed. */
function scene(connections: number, perClient = Infinity) {
  const closed: string[] = [];
  const told: CloseReason[] = [];
  const turns: string[] = [];
  const connectionLimit = new ConnectionLimit({ connections, perClient }, (reason) => told.push(reason));
  connectionLimit.add({ onFull: () => turns.push('full'), onFree: () => turns.push('free') });
  const enter = (name: string, writableLength = 0): TrackedConnection => {
    const socket = { writableLength, destroy: () => closed.push(name) } as unknown as Socket;
    return connectionLimit.enter(socket);
  };
  return { connectionLimit, enter, closed, told, turns };
}

test('idle is counted from the end of the last exchange', () => {
  const { enter, closed } = scene(2);
  const a = enter('a');
  enter('b');
  a.busy();
  a.idle();
  enter('c');
  assert.deepEqual(closed, ['b']);
});

test('a response that is still being written is not cut: its connection is spared once', () => {
  const { enter, closed } = scene(2);
  enter('a', 100);
  enter('b');
  enter('c');
  assert.deepEqual(closed, ['b']);
  enter('d');
  enter('e');
  assert.deepEqual(closed, ['b', 'c', 'a']);
});

test('doors shut when all are busy, and open when enough are idle or gone', () => {
  const { connectionLimit, enter, closed, turns } = scene(2);
  const [a, b] = [enter('a'), enter('b')];
  a.busy();
  assert.deepEqual(turns, []);
  b.busy();
  assert.deepEqual(turns, ['full']);
  a.idle();
  assert.deepEqual(turns, ['full', 'free']);
  assert.deepEqual(closed, []);
  connectionLimit.leave(a);
  connectionLimit.leave(b);
  assert.equal(connectionLimit.inside, 0);
});

test('a client that left is forgotten, and one that is evicted counts no more', () => {
  const { connectionLimit, enter, closed, told } = scene(Infinity, 1);
  for (const name of ['a', 'b', 'c']) assert.ok(connectionLimit.claim(enter(name), '192.0.2.1'));
  assert.deepEqual(closed, ['a', 'b']);
  const other = enter('d');
  assert.ok(connectionLimit.claim(other, '192.0.2.2'));
  other.busy();
  assert.equal(connectionLimit.claim(enter('e'), '192.0.2.2'), false);
  connectionLimit.leave(other);
  assert.ok(connectionLimit.claim(enter('f'), '192.0.2.2'));
  assert.deepEqual(told, ['client-idle', 'client-idle', 'client-refused']);
});

test('one that is being closed becomes neither busy nor idle', () => {
  const { enter, closed } = scene(1);
  const a = enter('a');
  enter('b');
  a.busy();
  a.idle();
  enter('c');
  assert.deepEqual(closed, ['a', 'b']);
});

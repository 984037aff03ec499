import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { BoundSocket } from '../../lib/cluster/master/bound-socket.ts';
import { type Place, Sockets } from '../../lib/cluster/master/sockets.ts';
import { dial } from '../support/client.ts';
import { freePort } from '../support/ports.ts';

const LOCAL = '127.0.0.1';
const ANY_PORT: Place = { address: LOCAL, port: 0 };

function make(t: TestContext): Sockets {
  const sockets = new Sockets();
  t.after(() => sockets.keep([]));
  return sockets;
}

test('a socket stays the same for a place, and several places with any free port have one each', (t) => {
  const sockets = make(t);
  const [first, second] = sockets.open([ANY_PORT, ANY_PORT]);
  assert.ok(first && second);
  assert.notEqual(first.port, second.port);
  assert.deepEqual(sockets.open([ANY_PORT]), [first]);
  sockets.keep([ANY_PORT]);
  assert.deepEqual([first.isOpen, second.isOpen], [true, false]);
});

test('a socket that is only bound takes no connection', async (t) => {
  const [socket] = make(t).open([ANY_PORT]);
  assert.ok(socket);
  await assert.rejects(dial(socket.port), { code: 'ECONNREFUSED' });
});

test('a place that is taken changes nothing', async (t) => {
  const holder = createServer().listen(0, LOCAL);
  t.after(() => holder.close());
  await once(holder, 'listening');
  const taken = (holder.address() as { port: number }).port;
  const sockets = make(t);
  const [kept] = sockets.open([ANY_PORT]);
  const port = await freePort();
  assert.throws(() => sockets.open([ANY_PORT, { address: LOCAL, port }, { address: LOCAL, port: taken }]), {
    message: `cannot listen on 127.0.0.1 port ${taken}: another program listens there (EADDRINUSE)`,
  });
  assert.equal(kept?.isOpen, true);
  // What was opened for it is closed again.
  BoundSocket.bind(LOCAL, port).close();
});

test('a socket that the program was started with is claimed by its name first, then by where it is', (t) => {
  const [one, other] = [BoundSocket.bind(LOCAL, 0), BoundSocket.bind('0.0.0.0', 0)];
  const sockets = make(t);
  sockets.adopt([
    { fd: one.fd, address: LOCAL, port: 0 },
    { fd: other.fd, address: null, port: null },
  ]);
  const places = [ANY_PORT, { address: LOCAL, port: other.port }];
  const [named, there] = sockets.open(places);
  assert.deepEqual([named?.port, there?.port], [one.port, other.port]);
  assert.deepEqual(sockets.dropSpare(), []);
  assert.deepEqual(
    sockets.toHandOver(places).map(({ address, port }) => ({ address, port })),
    places,
  );
});

test('a descriptor that is no socket is refused in words', (t) => {
  assert.throws(() => make(t).adopt([{ fd: 4_000, address: null, port: null }]), {
    message: 'descriptor 4000, which the program was started with, cannot be used',
  });
});

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AgentConnections, BackendStream } from '../../lib/backends/http1/backend-stream.ts';
import { startRawBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Makes a stream of a socket, and takes the socket from it. */
function released(socket: Socket): WeakRef<BackendStream> {
  const stream = new BackendStream(socket, new AgentConnections());
  stream.on('error', () => {});
  assert.equal(stream.release(), socket);
  return new WeakRef(stream);
}

test('the socket of a tunnel does not keep the stream of its request in memory', async (t) => {
  const { port } = await startRawBackend(t, () => {});
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  const stream = released(socket);
  await eventually(() => {
    collect();
    assert.equal(stream.deref(), undefined);
  });
  assert.equal(socket.destroyed, false);
});

test('an error of a socket that nothing has taken over yet is no crash', async (t) => {
  const { port } = await startRawBackend(t, () => {});
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  released(socket);
  socket.destroy(new Error('reset'));
  await new Promise((resolve) => socket.once('close', resolve));
});

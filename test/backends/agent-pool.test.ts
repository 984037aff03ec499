import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { Dialer } from '../../lib/backends/dialing/dialer.ts';
import type { Dialing } from '../../lib/backends/dialing/dialing.ts';
import { type ForBackend, AgentPool } from '../../lib/backends/http1/agent-pool.ts';
import { AgentConnections, BackendStream } from '../../lib/backends/http1/backend-stream.ts';
import { BackendState } from '../../lib/backends/state/backend-state.ts';
import type { Backend } from '../../lib/core/routing/types.ts';
import { says, startBackend, startRawBackend } from '../support/backends.ts';
import { deferred } from '../support/deferred.ts';
import { expecting } from '../support/agent-requests.ts';
import { eventually } from '../support/eventually.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('a connection counts from the moment it is being made', async (t) => {
  const { port } = await startBackend(t, says('ok'));
  const found = deferred<readonly string[]>();
  const names = { find: () => found.promise, shun: () => {}, hold: () => () => {} };
  const pools = new AgentPool({ maxSockets: 3, keepAlive: true, dialer: new Dialer({ verify: true, ca: [] }, names) });
  t.after(() => pools.close());
  const parsed = parseBackend(`http://a.test:${port}`, 0);
  assert.ok('backend' in parsed);
  const { backend } = parsed;
  const state = new BackendState('a.test');
  const dialings: Dialing[] = [];
  const ask = () => {
    const options: ForBackend & { agent: unknown } = {
      backend,
      connections: state.agent,
      agent: pools.agent,
      onDialing: (dialing) => dialings.push(dialing),
    };
    return expecting(request(options))
      .on('error', () => {})
      .end();
  };
  const requests = [ask(), ask(), ask()];
  assert.equal(state.open, 3);
  // One is called off while it waits for the name.
  requests[1]?.destroy();
  dialings[1]?.cancel();
  dialings[1]?.cancel();
  assert.equal(state.open, 2);
  found.resolve(['127.0.0.1']);
  for (const each of [requests[0], requests[2]]) if (each) (await once(each, 'response'))[0].resume();
  await eventually(() => assert.equal(pools.idle, 2));
  assert.equal(state.open, 2);
  for (const dialing of dialings) dialing.cancel();
  assert.equal(state.open, 2, 'calling off what is there changes nothing');
});

/** What is left in memory of a request that has become a tunnel. */
interface Tunnel {
  readonly socket: Socket;
  readonly left: readonly WeakRef<object>[];
}

async function openTunnel(pools: AgentPool, backend: Backend, connections: AgentConnections): Promise<Tunnel> {
  const options: ForBackend & { agent: unknown } = {
    backend,
    connections,
    agent: pools.agent,
    onDialing: () => {},
    headers: { connection: 'Upgrade', upgrade: 'websocket' },
  };
  const asked = request(options);
  asked.once('socket', (stream: Duplex) => {
    if (stream instanceof BackendStream) stream.expect(false, true);
  });
  const [, stream] = (await once(asked.end(), 'upgrade')) as [IncomingMessage, Duplex];
  assert.ok(stream instanceof BackendStream);
  return { socket: stream.release(), left: [new WeakRef(asked), new WeakRef(stream)] };
}

test('a tunnel to a backend with a name keeps neither the request nor its stream in memory', async (t) => {
  const { port } = await startRawBackend(t, (socket) =>
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    ),
  );
  const watched: (() => void)[] = [];
  const names = {
    find: () => Promise.resolve(['127.0.0.1']),
    shun: () => {},
    hold: (_name: string, _address: string, onMoved: () => void) => {
      watched.push(onMoved);
      return () => {};
    },
  };
  const pools = new AgentPool({ maxSockets: 3, keepAlive: true, dialer: new Dialer({ verify: true, ca: [] }, names) });
  t.after(() => pools.close());
  const parsed = parseBackend(`http://a.test:${port}`, 0);
  assert.ok('backend' in parsed);
  const { socket, left } = await openTunnel(pools, parsed.backend, new AgentConnections());
  t.after(() => socket.destroy());
  await eventually(() => {
    collect();
    assert.deepEqual(
      left.map((object) => object.deref()),
      [undefined, undefined],
    );
  });
  // The tunnel stays when the name leads elsewhere.
  assert.equal(watched.length, 1);
  watched[0]?.();
  assert.equal(socket.destroyed, false);
});

/** In a thread of its own: answers a head at once, and resets the connection. Says its port, and by `isReset` that it did. */
const RESETTING = `
  const { parentPort, workerData } = require('node:worker_threads');
  const isReset = new Int32Array(workerData);
  const server = require('node:net').createServer((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n', () => {
        socket.once('close', () => {
          Atomics.store(isReset, 0, 1);
          Atomics.notify(isReset, 0);
        });
        socket.resetAndDestroy();
      });
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test('a request that fails after its answer has ended is nobody’s mistake', async (t) => {
  const isReset = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(RESETTING, { eval: true, workerData: isReset.buffer });
  t.after(() => thread.terminate());
  const [port] = (await once(thread, 'message')) as [number];
  const names = { find: () => Promise.resolve([]), shun: () => {}, hold: () => () => {} };
  const pools = new AgentPool({ maxSockets: 1, keepAlive: true, dialer: new Dialer({ verify: true, ca: [] }, names) });
  t.after(() => pools.close());
  const parsed = parseBackend(`http://127.0.0.1:${port}`, 0);
  assert.ok('backend' in parsed);
  const state = new BackendState('127.0.0.1');
  const options: ForBackend & { agent: unknown } = {
    backend: parsed.backend,
    connections: state.agent,
    agent: pools.agent,
    method: 'PUT',
    headers: { 'Content-Length': 4 },
    onDialing: () => {},
  };
  // Newer Nodes tell the request, too, as they should.
  const put = expecting(request(options)).on('error', () => {});
  const [socket] = (await once(put, 'socket')) as [Socket];
  const answered = once(put, 'response') as Promise<[IncomingMessage]>;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  put.flushHeaders();
  // Nothing is read until then: the write is the first to hear of the reset, and fails once the answer has ended.
  Atomics.wait(isReset, 0, 0);
  put.end('body');
  const [answer] = await answered;
  assert.equal(answer.statusCode, 200);
  answer.resume();
  await closed;
  assert.equal(state.open, 0);
});

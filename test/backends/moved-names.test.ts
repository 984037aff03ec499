/** Kept connections to where a backend's name does not lead any more: of both lanes, and of HTTP/2. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import type { Backend } from '../../lib/core/routing/types.ts';
import { Dialer } from '../../lib/backends/dialing/dialer.ts';
import { Names } from '../../lib/backends/dialing/names.ts';
import type { BackendConnection, BackendUser } from '../../lib/backends/http1/backend-connection.ts';
import { RelayPool } from '../../lib/backends/http1/relay-pool.ts';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import type { BackendSession } from '../../lib/backends/http2/session.ts';
import { Http2Sessions } from '../../lib/backends/http2/sessions.ts';
import { type ForBackend, AgentPool } from '../../lib/backends/http1/agent-pool.ts';
import { BackendState } from '../../lib/backends/state/backend-state.ts';
import { BackendStates } from '../../lib/backends/state/backend-states.ts';
import { textOf } from '../support/backends.ts';
import { expecting } from '../support/agent-requests.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/router.ts';

interface Scene {
  readonly backend: Backend;
  readonly dialer: Dialer;
  /** Open connections to the server: by the address of it that each was made to. */
  readonly open: Set<Socket>;
  /** Has the name lead to 127.0.0.2 instead of 127.0.0.1: both are the server's. */
  readonly move: () => void;
}

async function begin(t: TestContext, server: Server, scheme: string): Promise<Scene> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket.on('error', () => {}));
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const hostsPath = join(temporaryFolder(t), 'hosts');
  writeFileSync(hostsPath, '127.0.0.1 app.test\n');
  const names = new Names({ hostsPath });
  const parsed = parseBackend(`${scheme}//app.test:${(server.address() as AddressInfo).port}`, 0);
  assert.ok('backend' in parsed);
  const move = (): void => {
    writeFileSync(hostsPath, '127.0.0.2 app.test\n');
    names.watch();
  };
  return { backend: parsed.backend, dialer: new Dialer({ verify: true, ca: [] }, names), open, move };
}

const now = (): number => performance.now();

test('the full lane closes an idle one at once, and a busy one when it has answered', async (t) => {
  const waiting: ServerResponse[] = [];
  const server = createServer(({ url, socket }, response) => {
    response.write(socket.localAddress ?? '');
    if (url === '/slow') waiting.push(response);
    else response.end();
  });
  const { backend, dialer, open, move } = await begin(t, server, 'http:');
  const pools = new AgentPool({ maxSockets: 10, keepAlive: true, dialer });
  t.after(() => pools.close());
  const state = new BackendState('app.test');
  const ask = async (path: string): Promise<string> => {
    const options: ForBackend & { agent: unknown } = {
      backend,
      connections: state.agent,
      agent: pools.agent,
      path,
      onDialing: () => {},
    };
    const [response] = (await once(expecting(request(options)).end(), 'response')) as [Parameters<typeof textOf>[0]];
    return await textOf(response);
  };
  const slow = ask('/slow');
  await eventually(() => assert.equal(waiting.length, 1));
  assert.equal(await ask('/'), '127.0.0.1');
  await eventually(() => assert.equal(pools.idle, 1));
  move();
  await eventually(() => assert.equal(open.size, 1));
  assert.equal(await ask('/'), '127.0.0.2');
  waiting[0]?.end();
  assert.equal(await slow, '127.0.0.1');
  await eventually(() =>
    assert.deepEqual(
      [...open].map(({ localAddress }) => localAddress),
      ['127.0.0.2'],
    ),
  );
  assert.equal(await ask('/'), '127.0.0.2');
  assert.equal(open.size, 1);
});

test('the fast lane closes an idle one at once, and a busy one when it has answered', async (t) => {
  const server = createServer(() => {});
  const { backend, dialer, open, move } = await begin(t, server, 'http:');
  const clock = new TimeLimits(now);
  const state = new BackendState('app.test');
  const pool = new RelayPool({
    maxSockets: 10,
    clock,
    states: [state],
    use: { opened: 0, reused: 0 },
    dialer,
    now,
  });
  t.after(() => pool.close());
  const connect = (): Promise<BackendConnection> =>
    new Promise((resolve) => {
      const user: BackendUser = {
        onConnected: () => resolve(connection),
        onBackendBytes: () => {},
        onBackendDrained: () => {},
        onBackendEnd: () => {},
        onBackendGone: () => {},
      };
      const connection = pool.open(backend, state, user);
    });
  const [idle, busy] = [await connect(), await connect()];
  await eventually(() => assert.equal(open.size, 2));
  pool.release(idle, 0, 60_000);
  move();
  await eventually(() => assert.equal(open.size, 1));
  assert.equal(state.open, 1);
  pool.release(busy, 0, 60_000);
  await eventually(() => assert.equal(open.size, 0));
  const next = await connect();
  assert.equal(next.socket?.remoteAddress, '127.0.0.2');
  pool.release(next, 0, 60_000);
  assert.equal(state.open, 1);
});

test('HTTP/2 begins no stream on one, and lets those under way finish', async (t) => {
  const server = createHttp2Server();
  const { backend, dialer, open, move } = await begin(t, server, 'h2c:');
  const sessions = new Http2Sessions(
    { maxSockets: 10, keepAlive: true, dialer, clock: new TimeLimits() },
    new BackendStates(Date.now),
  );
  t.after(() => sessions.close());
  const take = async (): Promise<BackendSession> => {
    const session = await new Promise<BackendSession>((resolve) => {
      sessions.of(backend).enter((each) => {
        each.enter();
        resolve(each);
      });
    });
    if (session.connecting) await once(session, 'ready');
    return session;
  };
  const old = await take();
  move();
  const next = await take();
  assert.notEqual(next, old);
  await eventually(() => {
    assert.deepEqual(new Set([...open].map(({ localAddress }) => localAddress)), new Set(['127.0.0.1', '127.0.0.2']));
  });
  old.leave();
  await eventually(() =>
    assert.deepEqual(
      [...open].map(({ localAddress }) => localAddress),
      ['127.0.0.2'],
    ),
  );
  next.leave();
  assert.equal(sessions.size, 1);
});

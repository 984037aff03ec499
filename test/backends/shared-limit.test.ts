/** One limit for the HTTP/1.1 connections of both lanes to one backend. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { Dialer } from '../../lib/backends/dialing/dialer.ts';
import { Names } from '../../lib/backends/dialing/names.ts';
import { AgentPool, type ForBackend } from '../../lib/backends/http1/agent-pool.ts';
import type { BackendConnection, BackendUser } from '../../lib/backends/http1/backend-connection.ts';
import { RelayPool } from '../../lib/backends/http1/relay-pool.ts';
import { BackendState } from '../../lib/backends/state/backend-state.ts';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { expecting } from '../support/agent-requests.ts';
import { says, startBackend, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';

const now = (): number => performance.now();

test('for one connection too many the one that has been idle for longest is closed, whichever lane has it', async (t) => {
  const server = await startBackend(t, says('ok'));
  const parsed = parseBackend(server.url, 0);
  assert.ok('backend' in parsed);
  const { backend } = parsed;
  const state = new BackendState('a.test');
  const dialer = new Dialer({ verify: true, ca: [] }, new Names());
  const maxSockets = 2;
  const clock = new TimeLimits(now);
  const relay = new RelayPool({
    maxSockets,
    clock,
    states: [state],
    use: { opened: 0, reused: 0 },
    dialer,
    now,
  });
  const agent = new AgentPool({ maxSockets, keepAlive: true, dialer });
  t.after(() => {
    relay.close();
    agent.close();
  });
  const connect = (): Promise<BackendConnection> =>
    new Promise((resolve, reject) => {
      const user: BackendUser = {
        onConnected: () => resolve(connection),
        onBackendBytes: () => {},
        onBackendDrained: () => {},
        onBackendEnd: () => {},
        onBackendGone: reject,
      };
      const connection = relay.open(backend, state, user);
    });
  const ask = async (): Promise<string> => {
    agent.makeRoom(state);
    const options: ForBackend & { agent: unknown } = {
      backend,
      connections: state.agent,
      agent: agent.agent,
      onDialing: () => {},
    };
    const [response] = (await once(expecting(request(options)).end(), 'response')) as [IncomingMessage];
    return await textOf(response);
  };
  const counts = (): number[] => [state.relay.open, state.relay.idle.length, state.agent.open, state.agent.idle.length];

  relay.release(await connect(), 0, 60_000);
  assert.equal(await ask(), 'ok');
  await eventually(() => assert.deepEqual(counts(), [1, 1, 1, 1]));

  // The full lane takes the idle connection that it has.
  assert.equal(await ask(), 'ok');
  await eventually(() => assert.deepEqual(counts(), [1, 1, 1, 1]));

  // The fast lane needs a second one, and the full lane's is the only one that is idle.
  assert.ok(relay.take(state, null, Infinity));
  const second = await connect();
  assert.deepEqual(counts(), [2, 0, 0, 0]);

  // And the other way round.
  relay.release(second, 0, 60_000);
  assert.equal(await ask(), 'ok');
  await eventually(() => assert.deepEqual(counts(), [1, 0, 1, 1]));
});

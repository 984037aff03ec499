import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import { Dialer } from '../../lib/backends/dialing/dialer.ts';
import { Names } from '../../lib/backends/dialing/names.ts';
import { type Timer, TimeLimits } from '../../lib/clock/time-limits.ts';
import type { BackendSession } from '../../lib/backends/http2/session.ts';
import { Http2Sessions } from '../../lib/backends/http2/sessions.ts';
import { BackendStates } from '../../lib/backends/state/backend-states.ts';
import { startRawBackend } from '../support/backends.ts';
import { deferred } from '../support/deferred.ts';
import { eventually } from '../support/eventually.ts';
import { FRAME, frame } from '../support/http2.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';

/** Rings when a test says so. */
class TestClock extends TimeLimits {
  readonly timers = new Map<Timer, number>();

  override set(timer: Timer, limitMs: number): void {
    this.timers.set(timer, limitMs);
  }

  override clear(timer: Timer): void {
    this.timers.delete(timer);
  }
}

async function begin(t: TestContext, keepAlive: boolean) {
  const { url } = await startHttp2Backend(t, (stream) => stream.respond({ ':status': 200 }, { endStream: true }));
  return beginAt(t, url, keepAlive);
}

function beginAt(t: TestContext, url: string, keepAlive: boolean) {
  const parsed = parseBackend(url, 0);
  assert.ok('backend' in parsed);
  const clock = new TestClock();
  const dialer = new Dialer({ verify: true, ca: [] }, new Names());
  const states = new BackendStates(Date.now);
  const sessions = new Http2Sessions({ maxSockets: 1, keepAlive, dialer, clock }, states);
  t.after(() => sessions.close());
  const take = (): Promise<BackendSession> =>
    new Promise((resolve) => {
      sessions.of(parsed.backend).enter((session) => {
        session.enter();
        resolve(session);
      });
    });
  return { clock, sessions, take, backend: parsed.backend };
}

test('a connection without streams is closed after a minute, and not before', async (t) => {
  const { clock, sessions, take } = await begin(t, true);
  const session = await take();
  assert.deepEqual([session.connecting, clock.timers.size], [true, 0]);
  session.leave();
  assert.deepEqual([...clock.timers.values()], [60_000]);
  assert.equal(await take(), session);
  assert.equal(clock.timers.size, 0);
  session.leave();
  for (const timer of clock.timers.keys()) timer.onTimeout();
  assert.equal(sessions.size, 0);
  assert.notEqual(await take(), session);
});

test('without server.httpKeepAlive it is closed at once', async (t) => {
  const { sessions, take } = await begin(t, false);
  const session = await take();
  session.leave();
  assert.equal(sessions.size, 0);
});

test('who waits for room gets it in turn, and who has left the queue does not', async (t) => {
  const { sessions, take, backend } = await begin(t, true);
  const session = await take();
  while (session.hasFreeStream) session.enter();
  const order: string[] = [];
  sessions.of(backend).enter(() => order.push('first'));
  const leave = sessions.of(backend).enter(() => order.push('second'));
  sessions.of(backend).enter((given) => {
    given.enter();
    order.push('third');
  });
  assert.deepEqual([order, sessions.size], [[], 1]);
  leave();
  session.leave();
  session.leave();
  await eventually(() => assert.deepEqual(order, ['first', 'third']));
});

/** A backend that closes nothing. */
async function beginDeaf(t: TestContext, greeting: Buffer) {
  const { promise: heard, resolve: onHeard } = deferred<Socket>();
  const { url } = await startRawBackend(t, (socket) => {
    socket.on('error', () => {});
    socket.write(greeting);
    socket.once('data', () => onHeard(socket));
    socket.resume();
  });
  return { ...beginAt(t, url.replace('http:', 'h2c:'), false), heard };
}

/** Who has no descriptor for a connection any more answers with a reset. */
async function isCut(socket: Socket): Promise<void> {
  await eventually(() => {
    socket.write(frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
    assert.ok(socket.destroyed);
  }, 20_000);
}

test('a connection to a backend that says nothing is cut when nobody needs it', async (t) => {
  const { take, heard } = await beginDeaf(t, Buffer.alloc(0));
  const session = await take();
  const socket = await heard;
  assert.ok(session.connecting);
  session.leave();
  await isCut(socket);
});

test('a connection that a backend does not close is cut, a while after it was given up', async (t) => {
  const { take, heard } = await beginDeaf(t, frame(FRAME.settings, 0, 0));
  const session = await take();
  const socket = await heard;
  if (session.connecting) await once(session, 'ready');
  session.leave();
  await once(socket, 'end');
  await isCut(socket);
});

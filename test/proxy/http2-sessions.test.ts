import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseBackend } from '../../lib/core/backend-url.ts';
import { Dialer } from '../../lib/dial/dialer.ts';
import { Names } from '../../lib/dial/names.ts';
import { type Alarm, AlarmClock } from '../../lib/proxy/alarms.ts';
import type { BackendSession } from '../../lib/proxy/http2-session.ts';
import { Http2Sessions } from '../../lib/proxy/http2-sessions.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp2Backend } from '../support/http2-backends.ts';

/** Rings when a test says so. */
class TestClock extends AlarmClock {
  readonly alarms = new Map<Alarm, number>();

  override set(alarm: Alarm, limitMs: number): void {
    this.alarms.set(alarm, limitMs);
  }

  override clear(alarm: Alarm): void {
    this.alarms.delete(alarm);
  }
}

async function begin(t: TestContext, keepAlive: boolean) {
  const { url } = await startHttp2Backend(t, (stream) => stream.respond({ ':status': 200 }, { endStream: true }));
  const parsed = parseBackend(url, 0);
  assert.ok('backend' in parsed);
  const clock = new TestClock();
  const dialer = new Dialer({ verify: true, ca: [] }, new Names());
  const sessions = new Http2Sessions({ maxSockets: 1, keepAlive, dialer, clock });
  t.after(() => sessions.close());
  const take = (): Promise<BackendSession> =>
    new Promise((resolve) => {
      sessions.enter(parsed.backend, (session) => {
        session.enter();
        resolve(session);
      });
    });
  return { clock, sessions, take, backend: parsed.backend };
}

test('a connection without streams is closed after a minute, and not before', async (t) => {
  const { clock, sessions, take } = await begin(t, true);
  const session = await take();
  assert.deepEqual([session.connecting, clock.alarms.size], [true, 0]);
  session.leave();
  assert.deepEqual([...clock.alarms.values()], [60_000]);
  assert.equal(await take(), session);
  assert.equal(clock.alarms.size, 0);
  session.leave();
  for (const alarm of clock.alarms.keys()) alarm.ring();
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
  while (session.hasRoom) session.enter();
  const order: string[] = [];
  sessions.enter(backend, () => order.push('first'));
  const leave = sessions.enter(backend, () => order.push('second'));
  sessions.enter(backend, (given) => {
    given.enter();
    order.push('third');
  });
  assert.deepEqual([order, sessions.size], [[], 1]);
  leave();
  session.leave();
  session.leave();
  await eventually(() => assert.deepEqual(order, ['first', 'third']));
});

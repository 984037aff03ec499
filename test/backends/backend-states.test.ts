import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionSlots } from '../../lib/backends/slots/connection-slots.ts';
import { BackendState } from '../../lib/backends/state/backend-state.ts';
import { BackendStates } from '../../lib/backends/state/backend-states.ts';
import { parseBackend } from '../../lib/core/routing/backend-url.ts';
import type { Backend } from '../../lib/core/routing/types.ts';

const CLIENT = '192.0.2.1';
const SITE = 'site.test';

function backendAt(href: string, id = 0): Backend {
  const parsed = parseBackend(href, id);
  assert.ok('backend' in parsed, href);
  return parsed.backend;
}

function numbered(i: number): Backend {
  return backendAt(`http://10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
}

test('one record for a server, however many lists and spellings name it', () => {
  const states = new BackendStates(Date.now);
  const state = states.of(backendAt('http://10.0.0.1'));
  assert.equal(states.of(backendAt('http://10.0.0.1:80/path', 3)), state);
  assert.notEqual(states.of(backendAt('https://10.0.0.1:80')), state);
  assert.notEqual(states.of(backendAt('h2c://10.0.0.1:80')), state);
  assert.equal(states.size, 3);
});

test('the load of a backend is its record; asking for that makes none', () => {
  const states = new BackendStates(Date.now);
  const backend = backendAt('http://10.0.0.1');
  assert.deepEqual(states.loadOf(backend), {
    inFlight: 0,
    waiting: 0,
    open: 0,
    idle: 0,
    latencyMs: 0,
    peakMs: 0,
    peakAt: 0,
    isDead: false,
  });
  assert.equal(states.size, 0);
  const state = states.of(backend);
  assert.equal(states.loadOf(backend), state);
});

test('a backend lives since it was first seen, or since it was last seen dead', () => {
  const states = new BackendStates(Date.now);
  const backend = backendAt('http://10.0.0.1');
  assert.equal(states.aliveSince(backend, false, 5), 5);
  assert.equal(states.aliveSince(backend, false, 9), 5);
  assert.equal(states.aliveSince(backend, true, 10), 10, 'marked by another router');
  assert.equal(states.aliveSince(backend, false, 20), 10);
  const state = states.of(backend);
  state.deaths++;
  assert.equal(states.aliveSince(backend, false, 30), 30, 'not yet heard of since this worker found it dead');
  state.deaths--;
  assert.equal(states.aliveSince(backend, false, 40), 30);
  assert.equal(states.aliveSince(backendAt('file:///srv/app'), false, 50), -Infinity);
  assert.equal(states.size, 1);
});

test('requests in flight have a slot, and others wait', () => {
  const state = new BackendState('a');
  const slots = new ConnectionSlots(1);
  const slot = slots.enter(state.slots, SITE, CLIENT, 0);
  assert.equal(slots.enter(state.slots, SITE, CLIENT, 0), null);
  const leaveQueue = slots.wait(state.slots, SITE, CLIENT, 0, () => assert.fail('it has left'));
  slots.wait(state.slots, SITE, CLIENT, 0, (turn) => turn.leave());
  assert.deepEqual([state.inFlight, state.waiting], [1, 2]);
  leaveQueue();
  leaveQueue();
  assert.deepEqual([state.inFlight, state.waiting], [1, 1]);
  slot?.leave();
  assert.deepEqual([state.inFlight, state.waiting], [0, 0]);
  state.tunnels++;
  assert.deepEqual([state.inFlight, state.open], [1, 1]);
});

test('responses are counted by class, and their latency averaged', () => {
  const state = new BackendState('a');
  for (const status of [101, 200, 204, 302, 404, 500, 599, 600, 999]) state.responded(status, 0, 100);
  assert.deepEqual(state.byClass, [1, 2, 1, 1, 2]);
  assert.equal(state.responseCount, 9);
  assert.equal(state.latencyMs, 100);
  for (let i = 0; i < 11; i++) state.responded(200, 0, 200);
  assert.ok(Math.abs(state.latencyMs - 150) < 2, `half of it is of the last 11: ${state.latencyMs}`);
});

test('the last ten failures are kept, with their time, reason and code', () => {
  const states = new BackendStates(() => 1_000_000);
  const backend = backendAt('http://10.0.0.1');
  for (let i = 0; i < 12; i++) {
    const cause = Object.assign(new Error(`refused ${i} ${'x'.repeat(1_000)}`), { code: 'ECONNREFUSED' });
    states.failed(backend, { type: 'unreachable', cause });
  }
  states.failed(backend, { type: 'answered', status: 502, retryAfter: false });
  states.failed(backend, { type: 'silent', cause: new Error('too late'), hasRespondedToOthers: false });
  states.cut(backend, new Error('broken off'));
  const { failures } = states.of(backend);
  assert.equal(failures.length, 10);
  assert.match(failures[0]?.reason ?? '', /^refused 5 x{190}$/);
  assert.equal(failures[0]?.code, 'ECONNREFUSED');
  assert.deepEqual(failures.slice(-3), [
    { at: 1_000_000, type: 'answered', reason: 'it responded with status 502', code: '502' },
    { at: 1_000_000, type: 'silent', reason: 'too late', code: null },
    { at: 1_000_000, type: 'cut', reason: 'broken off', code: null },
  ]);
});

test('nothing is written down of what is no server', () => {
  const states = new BackendStates(Date.now);
  states.failed(backendAt('redirect://example.com/'), { type: 'answered', status: 502, retryAfter: false });
  assert.equal(states.size, 0);
});

test('records that are not used are forgotten past 10,000, the oldest first; those in use are not', () => {
  const states = new BackendStates(Date.now);
  const slots = new ConnectionSlots(1);
  const used = states.of(numbered(0));
  slots.enter(used.slots, SITE, CLIENT, 0);
  const waitedFor = states.of(numbered(1));
  waitedFor.deaths++;
  const connected = states.of(numbered(2));
  connected.relay.open++;
  for (let i = 3; i < 10_000; i++) slots.enter(states.of(numbered(i)).slots, SITE, CLIENT, i)?.leave();
  assert.equal(states.size, 10_000);
  const old = states.of(numbered(3));
  slots.enter(old.slots, SITE, CLIENT, 10_000)?.leave();
  for (let i = 10_000; i < 25_000; i++) {
    slots.enter(states.of(numbered(i)).slots, SITE, CLIENT, i)?.leave();
    assert.ok(states.size <= 10_000);
    if (i === 10_000) {
      assert.equal(states.of(numbered(3)), old, 'it was used since');
      assert.equal(
        [...states].some(({ server }) => server === 'http:10.0.0.4:80'),
        false,
      );
    }
  }
  assert.equal(states.of(numbered(0)), used);
  assert.equal(states.of(numbered(1)), waitedFor);
  assert.equal(states.of(numbered(2)), connected);
  assert.notEqual(states.of(numbered(3)), old);
});

test('with more than 10,000 in use all of them stay', () => {
  const states = new BackendStates(Date.now);
  for (let i = 0; i < 12_500; i++) states.of(numbered(i)).deaths++;
  assert.equal(states.size, 12_500);
  for (const state of states) state.deaths--;
  for (let i = 12_500; i < 15_000; i++) states.of(numbered(i));
  assert.ok(states.size <= 13_000, `${states.size}`);
});

test('a snapshot is plain data', () => {
  const states = new BackendStates(
    () => 5,
    () => 2_000,
  );
  const state = states.of(backendAt('http://10.0.0.1'));
  state.responded(200, 0, 12.5);
  state.responded(404, 0, 12.5);
  states.failed(backendAt('http://10.0.0.1'), { type: 'broken', cause: new Error('reset') });
  const durations = Array.from({ length: 16 }, (_, bucket) => (bucket === 5 ? 2 : 0));
  const snapshot = states.snapshot();
  assert.deepEqual(snapshot, [
    {
      server: 'http:10.0.0.1:80',
      inFlight: 0,
      waiting: 0,
      open: 0,
      idle: 0,
      latencyMs: 12.5,
      isDead: false,
      responses: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 1, '5xx': 0 },
      failed: 1,
      recent: { seconds: 2, requests: 3, errors: 1, durations },
      failures: [{ at: 5, type: 'broken', reason: 'reset', code: null }],
    },
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
});

test('a snapshot of some servers has these alone, and makes no record', () => {
  const states = new BackendStates(Date.now);
  for (const href of ['http://10.0.0.1', 'http://10.0.0.2']) states.of(backendAt(href));
  const snapshot = states.snapshot(['http:10.0.0.2:80', 'http:10.0.0.3:80']);
  assert.deepEqual(
    snapshot.map(({ server }) => server),
    ['http:10.0.0.2:80'],
  );
  assert.equal(states.size, 2);
});

test('a snapshot may have others, those with the most responses', () => {
  const states = new BackendStates(Date.now);
  for (let i = 1; i <= 5; i++) {
    const state = states.of(backendAt(`http://10.0.0.${i}`));
    for (let count = 0; count < i % 4; count++) state.responded(200, 0, 1);
  }
  const servers = (more: number): readonly string[] =>
    states.snapshot(['http:10.0.0.1:80'], more).map(({ server }) => server);
  assert.deepEqual(servers(0), ['http:10.0.0.1:80']);
  assert.deepEqual(servers(2), ['http:10.0.0.1:80', 'http:10.0.0.3:80', 'http:10.0.0.2:80']);
  assert.equal(servers(10).length, 5);
});

test('a failed attempt and a response that is broken off are errors; a response of 502 is one alone', () => {
  const states = new BackendStates(Date.now, () => 10_000);
  const backend = backendAt('http://10.0.0.1');
  states.of(backend).responded(502, 9_900, 10_000);
  states.failed(backend, { type: 'answered', status: 502, retryAfter: false });
  states.failed(backend, { type: 'unreachable', cause: new Error('refused') });
  states.of(backend).responded(200, 9_900, 10_000);
  states.cut(backend, new Error('broken off'));
  const [snapshot] = states.snapshot();
  assert.equal(snapshot?.failed, 2);
  assert.equal(snapshot.recent.requests, 3);
  assert.equal(snapshot.recent.errors, 3);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetProgress } from '../../lib/deploys/progress.ts';
import { type BackendUse, GONE_MS, type SeenBeat, SILENT_MS } from '../../lib/store/fleet.ts';

const [OLD, NEW] = ['http://old', 'http://new'];

interface Said {
  readonly router?: string;
  readonly slot?: number;
  readonly pid?: number;
  readonly agoMs?: number;
  readonly token?: string | null;
  readonly isUsed?: boolean;
  readonly backends?: readonly BackendUse[];
}

function beat(said: Said): SeenBeat {
  const { router = 'r', slot = 0, pid = 1, agoMs = 100, token = 't', isUsed = true, backends = [] } = said;
  const report = { key: 'x.io', token: token ?? '', isUsed, backends };
  return {
    agoMs,
    beat: {
      router,
      slot,
      pid,
      generation: 1,
      master: 9,
      host: 'edge',
      version: '1.0.0',
      startedAt: 0,
      isDraining: false,
      requestsPerSecond: 0,
      connections: 0,
      exchanges: 0,
      queued: 0,
      permits: 0,
      permitsInUse: 0,
      sharedRates: 0,
      lagMs: 0,
      skewMs: 0,
      deploys: token === null ? [] : [report],
    },
  };
}

const use = (url: string, inFlight: number, requests = 0, errors = 0): BackendUse => {
  return { url, inFlight, requests, errors };
};

test('a router is ready when all its workers use the list', () => {
  const progress = new FleetProgress('x.io', [OLD], [NEW]);
  const one = progress.take([beat({}), beat({ slot: 1, isUsed: false }), beat({ router: 's' })], 't');
  assert.deepEqual([one.routers, one.ready, one.missing.length, one.isReported], [2, 1, 1, true]);
  assert.match(one.missing[0] ?? '', /edge \(master 9\), worker 1: still uses another list/);
  const all = progress.take([beat({}), beat({ slot: 1 }), beat({ router: 's' })], 't');
  assert.deepEqual([all.ready, all.missing], [2, []]);
});

test('a report about an earlier list does not count', () => {
  const progress = new FleetProgress('x.io', [OLD], [NEW]);
  const { isReported, missing } = progress.take([beat({ token: 'former' }), beat({ slot: 1, token: null })], 't');
  assert.deepEqual([isReported, missing.length], [false, 2]);
});

test('a worker that falls silent is missed, and one that leaves is not', () => {
  const progress = new FleetProgress('x.io', [OLD], [NEW]);
  progress.take([beat({}), beat({ slot: 1 })], 't');
  const silent = progress.take([beat({ agoMs: SILENT_MS + 1 })], 't');
  assert.deepEqual([silent.routers, silent.ready], [1, 0]);
  assert.match(silent.missing.join(), /no heartbeat for 4 s/);
  progress.take([beat({ agoMs: GONE_MS - 500 })], 't');
  const lost = progress.take([], 't');
  assert.match(lost.missing.join(), /no heartbeat for more than 10 s/);
});

test('a successor takes the place of a worker that died', () => {
  const progress = new FleetProgress('x.io', [OLD], [NEW]);
  progress.take([beat({ agoMs: GONE_MS - 500 })], 't');
  assert.deepEqual(progress.take([beat({ pid: 2 })], 't').missing, []);
});

test('requests in flight at old backends are those of all workers', () => {
  const progress = new FleetProgress('x.io', [OLD, 'http://idle'], [NEW]);
  const beats = [beat({ backends: [use(OLD, 2), use(NEW, 5)] }), beat({ slot: 1, backends: [use(OLD, 1)] })];
  assert.deepEqual(
    progress.take(beats, 't').inFlight,
    new Map([
      [OLD, 3],
      ['http://idle', 0],
    ]),
  );
});

test('errors are those of new backends since the deploy began', () => {
  const progress = new FleetProgress('x.io', [OLD], [NEW, 'http://newer']);
  progress.take([beat({ backends: [use(NEW, 0, 100, 90)] })], 't');
  const backends = [use(OLD, 0, 50, 50), use(NEW, 0, 110, 92), use('http://newer', 0, 4, 1)];
  const { requests, errors } = progress.take([beat({ backends })], 't');
  assert.deepEqual([requests, errors], [14, 3]);
  // A successor counts from 0, and its predecessor's requests are lost.
  const after = progress.take([beat({ pid: 2, backends: [use(NEW, 0, 6, 1)] })], 't');
  assert.deepEqual([after.requests, after.errors], [6, 1]);
});

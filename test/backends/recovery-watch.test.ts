import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend } from '../../lib/core/routing/types.ts';
import { RecoveryWatch } from '../../lib/backends/recovery-watch.ts';
import { BackendStates } from '../../lib/backends/state/backend-states.ts';

const backend = (id: number, hostname = '10.0.0.1'): Backend => ({
  id,
  href: `http://${hostname}`,
  protocol: 'http:',
  hostname,
  port: 80,
  socketPath: null,
  redirect: null,
  path: '',
});

const at = (frontend: string, key = frontend) => ({ frontend, key });

test('a backend that was dead and answers has returned, once, after so long', () => {
  const recoveryWatch = new RecoveryWatch(new BackendStates(Date.now));
  recoveryWatch.died(at('x.io'), backend(1), 1_000);
  assert.equal(recoveryWatch.waiting, 1);
  assert.equal(recoveryWatch.returned('x.io', backend(1), 2_000, 2_500), 1_500);
  assert.equal(recoveryWatch.waiting, 0);
  assert.equal(recoveryWatch.returned('x.io', backend(1), 3_000, 3_500), null);
});

test('no other client has', () => {
  const recoveryWatch = new RecoveryWatch(new BackendStates(Date.now));
  recoveryWatch.died(at('x.io'), backend(1), 1_000);
  assert.equal(recoveryWatch.returned('y.io', backend(1), 2_000, 2_500), null);
  assert.equal(recoveryWatch.returned('x.io', backend(0), 2_000, 2_500), null);
  assert.equal(recoveryWatch.waiting, 1);
});

test('an answer to what was asked before the last death says nothing', () => {
  const recoveryWatch = new RecoveryWatch(new BackendStates(Date.now));
  recoveryWatch.died(at('x.io'), backend(1), 1_000);
  recoveryWatch.died(at('x.io'), backend(1), 3_000);
  assert.equal(recoveryWatch.waiting, 1);
  assert.equal(recoveryWatch.returned('x.io', backend(1), 2_999, 4_000), null);
  // It has been dead since the first one.
  assert.equal(recoveryWatch.returned('x.io', backend(1), 3_000, 4_000), 3_000);
});

test('another backend at its position has not returned, and is not waited for any more', () => {
  const recoveryWatch = new RecoveryWatch(new BackendStates(Date.now));
  recoveryWatch.died(at('x.io'), backend(1), 1_000);
  assert.equal(recoveryWatch.returned('x.io', backend(1, '10.0.0.2'), 2_000, 2_500), null);
  assert.equal(recoveryWatch.waiting, 0);
  recoveryWatch.died(at('x.io'), backend(1), 1_000);
  recoveryWatch.died(at('x.io'), backend(1, '10.0.0.2'), 5_000);
  assert.equal(recoveryWatch.waiting, 1);
  assert.equal(recoveryWatch.returned('x.io', backend(1, '10.0.0.2'), 6_000, 6_000), 1_000);
});

test('a thousand are waited for at most, and a next site finds room', () => {
  const recoveryWatch = new RecoveryWatch(new BackendStates(Date.now));
  for (let i = 0; i < 1_500; i++) recoveryWatch.died(at(`${i % 750}.io`), backend(i), i);
  assert.ok(recoveryWatch.waiting >= 990 && recoveryWatch.waiting <= 1_000, `${recoveryWatch.waiting}`);
  assert.equal(recoveryWatch.returned('749.io', backend(1_499), 2_000, 2_000), 501);
  recoveryWatch.died(at('next.io'), backend(0), 2_000);
  assert.equal(recoveryWatch.returned('next.io', backend(0), 3_000, 3_000), 1_000);
  for (let i = 0; i < 1_500; i++) recoveryWatch.returned(`${i % 750}.io`, backend(i), 2_000, 2_000);
  assert.equal(recoveryWatch.waiting, 0);
});

test("hosts that clients make up under a wildcard push out their own site's oldest, and no other's", () => {
  const recoveryWatch = new RecoveryWatch(new BackendStates(Date.now));
  recoveryWatch.died(at('other.io'), backend(0), 0);
  for (let i = 0; i < 5_000; i++) recoveryWatch.died(at(`made-up-${i}.wild.io`, '*.wild.io'), backend(0), i);
  assert.ok(recoveryWatch.waiting <= 1_000, `${recoveryWatch.waiting}`);
  assert.equal(recoveryWatch.returned('other.io', backend(0), 6_000, 6_000), 6_000);
  assert.equal(recoveryWatch.returned('made-up-0.wild.io', backend(0), 6_000, 6_000), null);
  assert.equal(recoveryWatch.returned('made-up-4999.wild.io', backend(0), 6_000, 6_000), 1_001);
});

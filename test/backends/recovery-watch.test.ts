import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend } from '../../lib/core/routing/types.ts';
import { Recoveries } from '../../lib/backends/recovery-watch.ts';
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
  const recoveries = new Recoveries(new BackendStates(Date.now));
  recoveries.died(at('x.io'), backend(1), 1_000);
  assert.equal(recoveries.waiting, 1);
  assert.equal(recoveries.returned('x.io', backend(1), 2_000, 2_500), 1_500);
  assert.equal(recoveries.waiting, 0);
  assert.equal(recoveries.returned('x.io', backend(1), 3_000, 3_500), null);
});

test('nobody else has', () => {
  const recoveries = new Recoveries(new BackendStates(Date.now));
  recoveries.died(at('x.io'), backend(1), 1_000);
  assert.equal(recoveries.returned('y.io', backend(1), 2_000, 2_500), null);
  assert.equal(recoveries.returned('x.io', backend(0), 2_000, 2_500), null);
  assert.equal(recoveries.waiting, 1);
});

test('an answer to what was asked before the last death says nothing', () => {
  const recoveries = new Recoveries(new BackendStates(Date.now));
  recoveries.died(at('x.io'), backend(1), 1_000);
  recoveries.died(at('x.io'), backend(1), 3_000);
  assert.equal(recoveries.waiting, 1);
  assert.equal(recoveries.returned('x.io', backend(1), 2_999, 4_000), null);
  // It has been dead since the first one.
  assert.equal(recoveries.returned('x.io', backend(1), 3_000, 4_000), 3_000);
});

test('another backend in its place has not returned, and nobody waits any more', () => {
  const recoveries = new Recoveries(new BackendStates(Date.now));
  recoveries.died(at('x.io'), backend(1), 1_000);
  assert.equal(recoveries.returned('x.io', backend(1, '10.0.0.2'), 2_000, 2_500), null);
  assert.equal(recoveries.waiting, 0);
  recoveries.died(at('x.io'), backend(1), 1_000);
  recoveries.died(at('x.io'), backend(1, '10.0.0.2'), 5_000);
  assert.equal(recoveries.waiting, 1);
  assert.equal(recoveries.returned('x.io', backend(1, '10.0.0.2'), 6_000, 6_000), 1_000);
});

test('a thousand are waited for at most, and a next site finds room', () => {
  const recoveries = new Recoveries(new BackendStates(Date.now));
  for (let i = 0; i < 1_500; i++) recoveries.died(at(`${i % 750}.io`), backend(i), i);
  assert.ok(recoveries.waiting >= 990 && recoveries.waiting <= 1_000, `${recoveries.waiting}`);
  assert.equal(recoveries.returned('749.io', backend(1_499), 2_000, 2_000), 501);
  recoveries.died(at('next.io'), backend(0), 2_000);
  assert.equal(recoveries.returned('next.io', backend(0), 3_000, 3_000), 1_000);
  for (let i = 0; i < 1_500; i++) recoveries.returned(`${i % 750}.io`, backend(i), 2_000, 2_000);
  assert.equal(recoveries.waiting, 0);
});

test("hosts that clients make up under a wildcard push out their own site's oldest, and no other's", () => {
  const recoveries = new Recoveries(new BackendStates(Date.now));
  recoveries.died(at('other.io'), backend(0), 0);
  for (let i = 0; i < 5_000; i++) recoveries.died(at(`made-up-${i}.wild.io`, '*.wild.io'), backend(0), i);
  assert.ok(recoveries.waiting <= 1_000, `${recoveries.waiting}`);
  assert.equal(recoveries.returned('other.io', backend(0), 6_000, 6_000), 6_000);
  assert.equal(recoveries.returned('made-up-0.wild.io', backend(0), 6_000, 6_000), null);
  assert.equal(recoveries.returned('made-up-4999.wild.io', backend(0), 6_000, 6_000), 1_001);
});

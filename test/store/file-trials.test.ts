/** Trials, and backends that wait for their first good check, with a routes file: workers and their master. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend, Route } from '../../lib/core/routing/types.ts';
import type { CheckReport } from '../../lib/store/checks.ts';
import type { FileStore } from '../../lib/store/file/store.ts';
import type { RouteEntry } from '../../lib/store/route-table.ts';
import { eventually } from '../support/eventually.ts';
import { startFileWorkers } from '../support/file-workers.ts';
import { feed } from '../support/routes.ts';
import { die, find } from './contract.ts';

const [A, B, C] = ['http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3'] as const;
const LIST: RouteEntry = ['x.io', ['x', A, B, C]];
/** The time of a mark, s. */
const TTL = 0.05;

const DEAD = { dead: [1], onTrial: [] };
const ON_TRIAL = { dead: [1], onTrial: [1] };
const ALIVE = { dead: [], onTrial: [] };

function states(route: Route | null) {
  const dead = [...(route?.dead ?? [])].toSorted((a, b) => a - b);
  return { dead, onTrial: [...(route?.onTrial.keys() ?? [])] };
}

const look = async (store: FileStore) => states(await find(store, 'x.io'));

function scene(
  entries: readonly RouteEntry[] = [LIST],
  how: { readonly hasTrials?: boolean; readonly hasChecks?: boolean } = {},
) {
  const { stores, marks } = startFileWorkers(2, how);
  const [one, two] = stores;
  assert.ok(one && two);
  const set = (routes: readonly RouteEntry[]): void => {
    for (const store of stores) feed(store, routes);
  };
  set(entries);
  return { one, two, marks, set };
}

async function backendOf(store: FileStore): Promise<Backend> {
  const found = (await find(store, 'x.io'))?.backends[1];
  assert.ok(found);
  return found;
}

/** All workers see that the time of the backend is over. */
async function untilOnTrial(...stores: readonly FileStore[]): Promise<void> {
  for (const store of stores) await eventually(async () => assert.deepEqual(await look(store), ON_TRIAL));
}

test('after its time a backend is on trial for all workers; one of them tries it, and when it passes all use it', async () => {
  const { one, two } = scene();
  assert.equal(await die(one, 'x.io', 1, TTL), 'marked');
  assert.deepEqual([await look(one), await look(two)], [DEAD, DEAD]);
  await untilOnTrial(one, two);
  const backend = await backendOf(one);
  assert.equal(await two.trials.take('x.io', backend, 5_000), 0);
  const wait = await one.trials.take('x.io', backend, 5_000);
  assert.ok(wait > 0 && wait <= 5_000, String(wait));
  await two.trials.pass('x.io', backend);
  assert.deepEqual([await look(one), await look(two)], [ALIVE, ALIVE]);
});

test('when its trial fails, a backend is dead for twice the time', async () => {
  const { one, two } = scene();
  await die(one, 'x.io', 1, TTL);
  await untilOnTrial(one, two);
  const from = performance.now();
  await die(two, 'x.io', 1, TTL);
  assert.deepEqual([await look(one), await look(two)], [DEAD, DEAD]);
  await untilOnTrial(one);
  assert.ok(performance.now() - from >= 2 * TTL * 1_000 - 1);
});

test('a failure of a request that was sent before the mark makes no trial wait longer', async () => {
  const { one } = scene();
  const before = await find(one, 'x.io');
  const backend = before?.backends[1];
  assert.ok(before && backend);
  await die(one, 'x.io', 1, TTL);
  await untilOnTrial(one);
  assert.equal(await one.markDead({ route: before, backend }, TTL), 'marked');
  assert.deepEqual(await look(one), ON_TRIAL);
});

test('new routes keep what is known of a URL at its position, and of no other', async () => {
  const { one, set } = scene();
  await die(one, 'x.io', 1, TTL);
  await untilOnTrial(one);
  set([['x.io', ['x', C, B]]]);
  assert.deepEqual(await look(one), ON_TRIAL);
  set([['x.io', ['x', B, C]]]);
  assert.deepEqual(await look(one), ALIVE);
  set([['x.io', ['x', B]]]);
  assert.deepEqual(await look(one), ALIVE);
});

test('without trials a backend lives again after its time, even if others have marked it for longer', async () => {
  const { one } = scene([LIST], { hasTrials: false });
  await die(one, 'x.io', 1, TTL);
  assert.deepEqual(await look(one), DEAD);
  await eventually(async () => assert.deepEqual(await look(one), ALIVE));
  const until = Date.now() + 60_000;
  const trial = { deaths: 3, plainUntil: Date.now() - 1, forgottenAt: until + 60_000 };
  one.bury({ frontend: 'x.io', site: 'x.io', id: 1, url: B, until, trial });
  assert.deepEqual(await look(one), ALIVE);
});

test('in a list with active checks there is no trial, and checks that begin end one', async () => {
  const checked: RouteEntry[] = [LIST, ['healthcheck:x.io', ['path', '/']]];
  const { one, two, set } = scene(checked);
  await die(one, 'x.io', 1, TTL);
  await eventually(async () => assert.deepEqual(await look(one), ALIVE));
  set([LIST]);
  await die(one, 'x.io', 1, TTL);
  await untilOnTrial(one, two);
  set(checked);
  const { due } = await one.checks.turn([], 10);
  assert.deepEqual(
    due.map(({ dead, marks }) => [dead, marks]),
    [[['1'], ['1', B]]],
  );
  await one.checks.turn([report(B, 'clear', false)], 0);
  assert.deepEqual([await look(one), await look(two)], [ALIVE, ALIVE]);
});

test('where the router makes no checks, a list with checks has trials', async () => {
  const { one, two } = scene([LIST, ['healthcheck:x.io', ['path', '/']]], { hasChecks: false });
  await die(one, 'x.io', 1, TTL);
  await untilOnTrial(one, two);
});

function report(url: string, action: CheckReport['action'], isGood = true): CheckReport {
  const life = { ttlMs: 30_000, renewMs: 10_000 };
  return { key: 'x.io', url, entry: url, result: '', isGood, action, life, keepMs: 1_000, unusable: [] };
}

/** A list whose backends wait for their first good check. */
function firstScene(list: readonly string[]) {
  const check: RouteEntry = ['healthcheck:x.io', ['first', '1', 'interval', '1']];
  const parts = scene([['x.io', list], check]);
  return {
    ...parts,
    /** A worker has checked these. */
    passed: async (...urls: readonly string[]) =>
      parts.one.checks.turn(
        urls.map((url) => report(url, 'none')),
        10,
      ),
    change: (changed: readonly string[], fields = check[1]) =>
      parts.set([
        ['x.io', changed],
        ['healthcheck:x.io', fields],
      ]),
    deadFor: async (store: FileStore) => (await look(store)).dead,
  };
}

test('with `first`, backends without a good check get no traffic in all workers, once another one has had one', async () => {
  const { one, two, passed, deadFor } = firstScene(['x', A, B, C]);
  assert.deepEqual(await deadFor(two), [], 'no other one lives');
  await passed(A, C);
  assert.deepEqual([await deadFor(one), await deadFor(two)], [[1], [1]]);
  assert.equal(await die(one, 'x.io', 0, 30), 'marked');
  assert.equal(await die(one, 'x.io', 2, 30), 'marked');
  assert.deepEqual(await deadFor(two), [0, 2], 'it is no worse than an error');
  await passed(B);
  assert.deepEqual(await deadFor(two), [0, 2]);
});

test('with `first`, a backend that is new or comes back waits, and entries that are no servers do not', async () => {
  const { two, passed, change, deadFor } = firstScene(['x', A]);
  await passed(A);
  change(['x', A, B, 'redirect://other.io/']);
  assert.deepEqual(await deadFor(two), [1], 'from the first request on');
  await passed(B);
  assert.deepEqual(await deadFor(two), []);
  change(['x', A]);
  await untilTaken(passed);
  change(['x', A, B]);
  assert.deepEqual(await deadFor(two), [1]);
});

test('without the rule, without checks, and without the list, no backend waits any more', async () => {
  const { one, two, passed, change, set, deadFor } = firstScene(['x', A, B]);
  await passed(A);
  assert.deepEqual(await deadFor(two), [1]);
  change(['x', A, B], ['first', '0', 'interval', '1']);
  await untilTaken(passed);
  assert.deepEqual(await deadFor(two), []);
  change(['x', A, B]);
  await passed(A);
  assert.deepEqual(await deadFor(two), [1]);
  set([['x.io', ['x', A, B]]]);
  await one.checks.turn([], 10);
  assert.deepEqual(await deadFor(two), []);
});

/** The list has been due again. */
async function untilTaken(turn: () => Promise<{ readonly due: readonly unknown[] }>): Promise<void> {
  await eventually(async () => assert.equal((await turn()).due.length, 1));
}

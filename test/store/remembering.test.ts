import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_MARKS, readList, routeOf } from '../../lib/core/routing/backend.ts';
import { RouterError } from '../../lib/core/errors.ts';
import { candidates } from '../../lib/core/routing/hostname.ts';
import type { Route } from '../../lib/core/routing/types.ts';
import { AgeLimit, type Freshness, Watch } from '../../lib/store/cache/freshness.ts';
import { MemoryStore } from '../support/memory-store.ts';
import type { Reading, RouteSource } from '../../lib/store/reading.ts';
import { RememberingStore } from '../../lib/store/cache/remembering.ts';
import type { SavedRoute } from '../../lib/store/cache/snapshot.ts';
import { StoreCounts } from '../../lib/store/store-counts.ts';
import { Turn } from '../../lib/store/turn.ts';
import { eventually } from '../support/eventually.ts';
import { die, find } from './contract.ts';

const LIST = ['x', 'http://10.0.0.1', 'http://10.0.0.2'];

test('a route that was found is not asked for again', async () => {
  const { inner, store } = scene();
  inner.set('x.io', LIST);
  const route = await find(store, 'x.io');
  inner.remove('x.io');
  assert.equal(await find(store, 'x.io'), route);
  assert.equal(inner.finds, 1);
});

test("hosts that clients make up under one wildcard push no other wildcard's out of the memory", async () => {
  const { inner, store } = scene({ max: 10 });
  inner.set('*.other.io', LIST);
  inner.set('*.wild.io', LIST);
  await find(store, 'a.other.io');
  for (let i = 0; i < 100; i++) await find(store, `made-up-${i}.wild.io`);
  const { finds } = inner;
  await find(store, 'a.other.io');
  await find(store, 'made-up-99.wild.io');
  assert.equal(inner.finds, finds, 'both are remembered');
  await find(store, 'made-up-0.wild.io');
  assert.equal(inner.finds, finds + 1, 'the oldest of the site with the most is not');
});

test('a route is asked for again after its time', async () => {
  const { inner, store } = scene({ lruMs: 50 });
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  inner.remove('x.io');
  await eventually(async () => assert.equal(await find(store, 'x.io'), null));
});

test('a host without a route, or with an identifier only, is asked for each time', async () => {
  const { inner, store } = scene();
  assert.equal(await find(store, 'x.io'), null);
  inner.set('x.io', ['x']);
  assert.equal((await find(store, 'x.io'))?.size, 0);
  inner.set('x.io', LIST);
  assert.equal((await find(store, 'x.io'))?.size, 2);
});

/** Asks for so many hosts that nothing is known of. @returns how many lookups that caused, and the errors */
async function flood(
  { inner, store }: ReturnType<typeof scene>,
  count: number,
  client: (i: number) => string,
  domain = '',
) {
  const before = inner.finds;
  const asked = Array.from({ length: count }, (_, i) =>
    store.find(candidates(`made-up-${madeUp++}${domain}.io`), '/', { clientKey: client(i) }),
  );
  const errors: unknown[] = [];
  for (const result of await Promise.allSettled(asked)) if (result.status === 'rejected') errors.push(result.reason);
  assert.ok(errors.every((error) => error instanceof RouterError && error.code === 'unknown-hosts'));
  return { lookups: inner.finds - before, errors: errors.length };
}
let madeUp = 0;

test('made-up hosts cause a bounded number of lookups, and leave half of them to other clients', async () => {
  const parts = scene();
  const { inner, store } = parts;
  for (const host of ['seen.io', 'new.io', 'other.io', 'more.io', 'last.io']) inner.set(host, LIST);
  await find(store, 'seen.io');
  const ask = (host: string, clientKey: string) => store.find(candidates(host), '/', { clientKey });
  assert.equal((await flood(parts, 1_000, () => 'a')).errors, 0);
  assert.ok(await ask('new.io', 'a'), 'a new host is found while made-up ones come');
  const flooded = flood(parts, 20_000, () => 'a');
  // At once: the allowance grows.
  const refused = await Promise.allSettled(Array.from({ length: 1_000 }, () => ask('other.io', 'a')));
  assert.ok(
    refused.some(({ status }) => status === 'rejected'),
    'its half is spent',
  );
  const one = await flooded;
  assert.ok(one.lookups < 5_000, `${one.lookups} lookups`);
  assert.ok(one.errors > 15_000);
  assert.ok(await ask('more.io', 'b'), 'the other clients have the other half');
  assert.ok(await ask('seen.io', 'a'), 'known hosts are served');
  const all = await flood(parts, 20_000, (i) => `client ${i}`);
  assert.ok(all.lookups < 10_000, `${all.lookups} lookups`);
  assert.ok(await find(store, 'last.io'), 'a lookup without a client');
});

test('made-up hosts of a wildcard cause a bounded number of lookups for each client', async () => {
  const parts = scene();
  parts.inner.set('*.wild.io', LIST);
  const one = await flood(parts, 20_000, () => 'a', '.wild');
  assert.ok(one.lookups < 5_000, `${one.lookups} lookups`);
  for (let i = 0; i < 10; i++) {
    assert.equal((await flood(parts, 1_000, (j) => `client ${j}`, '.wild')).errors, 0);
  }
});

test('while the store does not reply, made-up hosts of one client are asked for within its half, and others are not refused', async () => {
  const parts = scene({ maxStaleMs: 60_000 });
  const { inner, store } = parts;
  inner.failure = new RouterError('store-unavailable', 'down');
  const before = inner.finds;
  const ask = (i: number, clientKey: string) =>
    store.find(candidates(`down-${i}.io`), '/', { clientKey }).catch((error: RouterError) => error.code);
  const codes: unknown[] = [];
  // A few at a time: what is under way counts for all.
  for (let i = 0; i < 10_000; i += 100)
    codes.push(...(await Promise.all(Array.from({ length: 100 }, (_, j) => ask(i + j, 'a')))));
  assert.ok(codes.includes('unknown-hosts') && inner.finds - before < 9_000, `${inner.finds - before}`);
  assert.equal(await ask(0, 'b'), 'store-unavailable');
});

test('a death marked here is seen at once', async () => {
  const { inner, store } = scene();
  inner.set('x.io', LIST);
  inner.set('y.io', LIST);
  await find(store, 'y.io');
  await die(store, 'x.io', 1, 30);
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([1]));
  const { finds } = inner;
  await find(store, 'y.io');
  assert.equal(inner.finds, finds, 'other frontends stay known');
});

test('a lookup that was under way when a backend died is not kept', async () => {
  const { inner, store } = scene();
  inner.set('x.io', LIST);
  const gate = inner.hold();
  const early = find(store, 'x.io');
  inner.let();
  await die(store, 'x.io', 1, 30);
  gate.end();
  assert.deepEqual((await early)?.dead, new Set());
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([1]));
});

test('while the source is silent a known route serves for a while; an unknown host does not', async () => {
  const { inner, store } = scene({ lruMs: 0, maxStaleMs: 1_000 });
  inner.set('x.io', LIST);
  const route = await find(store, 'x.io');
  assert.equal(await find(store, 'nobody.io'), null);
  inner.failure = new RouterError('store-unavailable', 'down');
  assert.equal(await find(store, 'x.io'), route);
  await assert.rejects(find(store, 'y.io'), { code: 'store-unavailable' });
  await assert.rejects(find(store, 'nobody.io'), { code: 'store-unavailable' }, 'not found is no answer either');
  await eventually(() => assert.rejects(find(store, 'x.io'), { code: 'store-unavailable' }));
});

test('a read that brings what was known makes it new: it serves as long as if it had just been found', async () => {
  const { inner, store } = scene({ lruMs: 0, max: 2 });
  const readAt = () => performance.now() - (store.recollect('x.io', '/')?.ageMs ?? Infinity);
  for (const host of ['x.io', 'y.io']) inner.set(host, LIST);
  for (const host of ['x.io', 'y.io', 'x.io']) await find(store, host);
  const first = readAt();
  await eventually(() => assert.ok(performance.now() - first > 50));
  assert.equal((await find(store, 'x.io'))?.size, 2);
  assert.ok(readAt() - first > 40);
  inner.set('z.io', LIST);
  await find(store, 'z.io');
  inner.failure = new RouterError('store-unavailable', 'down');
  assert.equal((await find(store, 'x.io'))?.size, 2);
  await assert.rejects(find(store, 'y.io'), { code: 'store-unavailable' }, 'it was not asked for as lately');
});

test('who has died since is known from the next read on, and who lives again', async () => {
  const { inner, store } = scene({ lruMs: 0 });
  inner.set('x.io', [...LIST, 'http://10.0.0.3']);
  const deadNow = async () => {
    await find(store, 'x.io');
    return store.recollect('x.io', '/')?.route?.dead;
  };
  assert.deepEqual(await deadNow(), new Set());
  await die(inner, 'x.io', 1, 30);
  assert.deepEqual(await deadNow(), new Set([1]));
  await die(inner, 'x.io', 2, 30);
  assert.deepEqual(await deadNow(), new Set([1, 2]));
});

test('a source that answers badly is not silent: what was known does not serve', async () => {
  const { inner, store } = scene({ lruMs: 0 });
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  inner.failure = new RouterError('route-broken', 'broken');
  await assert.rejects(find(store, 'x.io'), { code: 'route-broken' });
});

test('a dead mark that was read counts no longer than it would in the source', async () => {
  const { inner, store } = scene({ lruMs: 0, deadMs: 1_000 });
  inner.set('x.io', LIST);
  await die(inner, 'x.io', 1, 30);
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([1]));
  inner.failure = new RouterError('store-unavailable', 'down');
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([1]));
  await eventually(async () => assert.deepEqual((await find(store, 'x.io'))?.dead, new Set()));
});

test('a death that cannot be filed is told, counts here, and is filed when that is possible', async () => {
  const { inner, store } = scene({ lruMs: 0 });
  inner.set('x.io', LIST);
  inner.set('y.io', LIST);
  await find(store, 'x.io');
  await find(store, 'y.io');
  inner.failure = new RouterError('store-unavailable', 'down');
  await assert.rejects(die(store, 'x.io', 0, 30), { code: 'store-unavailable' });
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([0]));
  assert.deepEqual((await find(store, 'y.io'))?.dead, new Set(), 'for its host alone');
  inner.failure = null;
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([0]), 'before it is filed');
  await eventually(async () => assert.deepEqual((await find(inner, 'x.io'))?.dead, new Set([0])));
  const ids = inner.filed.map(({ ttlSeconds }) => ttlSeconds);
  assert.equal(ids.length, 1);
  assert.ok(ids[0] !== undefined && ids[0] > 20 && ids[0] < 30, 'for the time that is left');
});

test('a death that was filed late counts on, whatever was read before', async () => {
  const { inner, store } = scene({ lruMs: 60_000 });
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  inner.failure = new RouterError('store-unavailable', 'down');
  await assert.rejects(die(store, 'x.io', 0, 30), { code: 'store-unavailable' });
  inner.failure = null;
  // Read anew, and remembered, before the source knows of it.
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([0]));
  assert.deepEqual(inner.filed, []);
  await eventually(() => assert.equal(store.ownMarks('x.io').length, 0));
  assert.equal(inner.filed.length, 1);
  assert.deepEqual((await find(store, 'x.io'))?.dead, new Set([0]));
});

test('a death whose time is over before it could be filed is forgotten', async () => {
  const { inner, store } = scene({ lruMs: 0 });
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  inner.failure = new RouterError('store-unavailable', 'down');
  await assert.rejects(die(store, 'x.io', 0, 0.1));
  await eventually(async () => assert.deepEqual((await find(store, 'x.io'))?.dead, new Set()));
  inner.failure = null;
  assert.deepEqual(inner.filed, []);
});

test('no more routes are kept than asked for', async () => {
  const { inner, store } = scene({ max: 2 });
  for (const host of ['a.io', 'b.io', 'c.io']) {
    inner.set(host, LIST);
    await find(store, host);
  }
  const { finds } = inner;
  await find(store, 'c.io');
  assert.equal(inner.finds, finds);
  await find(store, 'a.io');
  assert.equal(inner.finds, finds + 1);
});

test('whoever makes up names pushes no real host out', async () => {
  const { inner, store } = scene({ max: 2 });
  inner.set('*.wild.io', LIST);
  for (const host of ['a.io', 'b.io']) inner.set(host, LIST);
  for (const host of ['a.io', 'b.io']) await find(store, host);
  for (let i = 0; i < 10; i++) {
    await find(store, `${i}.wild.io`);
    await find(store, `${i}.nowhere.io`);
  }
  const { finds } = inner;
  for (const host of ['a.io', 'b.io']) await find(store, host);
  assert.equal(inner.finds, finds);
});

test('watched: what was read is not asked for again, unknown hosts neither, until it changes', async () => {
  const { inner, store, watch } = watched();
  watch.begin();
  inner.set('x.io', LIST);
  for (let i = 0; i < 3; i++) {
    assert.equal((await find(store, 'x.io'))?.size, 2);
    assert.equal(await find(store, 'y.io'), null);
  }
  assert.equal(inner.finds, 2);
  assert.equal(store.peek('x.io', '/')?.size, 2);
  assert.equal(store.peek('y.io', '/'), null);
  assert.equal(store.peek('z.io', '/'), undefined);
  inner.remove('x.io');
  store.doubt('x.io');
  assert.equal(await find(store, 'x.io'), null);
});

test('routes by path that were known before serve while the store is silent, those of the longest prefix first', async () => {
  const { inner, store } = scene({ maxStaleMs: 60_000 });
  const list = readList([...LIST], () => {});
  for (const [key, name] of [
    ['x.io', 'all'],
    ['x.io/api', 'api'],
    ['y.io/api', 'only'],
  ] as const) {
    store.recall(routeOf(key, key, { ...list, name }, NO_MARKS), 1_000);
  }
  inner.failure = new RouterError('store-unavailable', 'gone');
  const name = async (host: string, path: string) => (await store.find(candidates(host), path))?.name;
  assert.deepEqual([await name('x.io', '/api/v2/x'), await name('x.io', '/apix')], ['api', 'all']);
  assert.equal(await name('y.io', '/api'), 'only');
  await assert.rejects(name('y.io', '/'), { code: 'store-unavailable' });
});

test('watched: a wildcard that changes puts in doubt whoever has no list of its own', async () => {
  const { inner, store, watch } = watched();
  watch.begin();
  inner.set('own.io', LIST);
  inner.set('*.io', LIST);
  for (const host of ['own.io', 'wild.io', 'none.com']) await find(store, host);
  watch.wildcardChanged();
  assert.notEqual(store.peek('own.io', '/'), undefined);
  assert.equal(store.peek('wild.io', '/'), undefined);
  assert.equal(store.peek('none.com', '/'), undefined);
});

test('watched: what was read before a watch began, or the last one broke, is asked for again', async () => {
  const { inner, store, watch } = watched();
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  await find(store, 'x.io');
  assert.equal(inner.finds, 2, 'nobody watches');
  watch.begin();
  assert.equal(store.peek('x.io', '/'), undefined);
  await find(store, 'x.io');
  assert.notEqual(store.peek('x.io', '/'), undefined);
  watch.end(performance.now());
  assert.equal(store.peek('x.io', '/'), undefined);
  watch.begin();
  assert.equal(store.peek('x.io', '/'), undefined);
});

test('watched: a change of everything puts all in doubt, and begins no watch where there is none', async () => {
  const { inner, store, watch } = watched();
  watch.begin();
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  watch.allChanged();
  assert.equal(store.peek('x.io', '/'), undefined);
  await find(store, 'x.io');
  assert.notEqual(store.peek('x.io', '/'), undefined);
  watch.end(performance.now());
  watch.allChanged();
  await find(store, 'x.io');
  assert.equal(store.peek('x.io', '/'), undefined);
});

test('watched: a read that a change overtakes, or the end of the watch, is not kept', async () => {
  const overtaking: ((scene: ReturnType<typeof watched>) => void)[] = [
    ({ store }) => store.doubt('x.io'),
    ({ watch }) => watch.end(performance.now()),
    ({ watch }) => watch.begin(),
  ];
  for (const overtake of overtaking) {
    const parts = watched();
    const { inner, store, watch } = parts;
    watch.begin();
    inner.set('x.io', LIST);
    const gate = inner.hold();
    const early = find(store, 'x.io');
    inner.let();
    overtake(parts);
    gate.end();
    assert.equal((await early)?.size, 2);
    assert.equal(store.peek('x.io', '/'), undefined);
  }
});

test('watched: a change overtakes all reads of its host, also one that was sent before another wildcard changed', async () => {
  const { inner, store, watch } = watched();
  watch.begin();
  inner.set('x.io', LIST);
  const gates = [inner.hold()];
  const early = [find(store, 'x.io')];
  for (let i = 0; i < 2; i++) {
    watch.wildcardChanged();
    gates.push(inner.hold());
    early.push(find(store, 'x.io'));
  }
  inner.let();
  // The second ends by itself: the others are under way still.
  gates[1]?.end();
  await early[1];
  store.doubt('x.io');
  // The oldest comes last: what it brings stays.
  for (const i of [2, 0]) {
    gates[i]?.end();
    assert.equal((await early[i])?.size, 2);
  }
  assert.equal(store.peek('x.io', '/'), undefined);
  await find(store, 'x.io');
  assert.notEqual(store.peek('x.io', '/'), undefined);
});

test('watched: a key that expires is asked for again then, whatever nobody said', async () => {
  const { inner, store, watch } = watched();
  watch.begin();
  inner.set('x.io', LIST);
  inner.expiresMs = 1_000;
  await find(store, 'x.io');
  assert.notEqual(store.peek('x.io', '/'), undefined);
  await eventually(() => assert.equal(store.peek('x.io', '/'), undefined));
});

test('watched: what was right until the watch broke is stale from then on, not from when it was read', async () => {
  const watch = new Watch(60_000);
  const { inner, store } = scene({ freshness: watch, maxStaleMs: 300 });
  watch.begin();
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  await new Promise((resolve) => setTimeout(resolve, 400));
  watch.end(performance.now());
  inner.failure = new RouterError('store-unavailable', 'down');
  assert.equal((await find(store, 'x.io'))?.size, 2);
  await eventually(() => assert.rejects(find(store, 'x.io')));
});

test('what was known before the start serves while the source is silent, and gives way to what is read', async () => {
  const { inner, store } = scene({ lruMs: 0, maxStaleMs: 60_000 });
  inner.set('x.io', LIST);
  const route = await find(inner, 'x.io');
  assert.ok(route);
  store.recall(route, 59_000);
  store.recall({ ...route, frontend: 'old.io' }, 61_000);
  inner.failure = new RouterError('store-unavailable', 'down');
  assert.equal((await find(store, 'x.io'))?.size, 2);
  await assert.rejects(find(store, 'old.io'));
  inner.failure = null;
  inner.remove('x.io');
  assert.equal(await find(store, 'x.io'), null);
});

test('what is read anew is passed on, dead marks are not worth it', async () => {
  const learnt: string[] = [];
  const { inner, store } = scene({
    lruMs: 0,
    learn: (frontend, route) => learnt.push(`${frontend} ${route?.name ?? 'is gone'}`),
  });
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  await die(store, 'x.io', 1, 30);
  await find(store, 'x.io');
  await find(store, 'y.io');
  inner.remove('x.io');
  await find(store, 'x.io');
  assert.deepEqual(learnt, ['x.io x', 'y.io is gone', 'x.io is gone']);
});

function saved(frontend: string, at: number): SavedRoute {
  return [frontend, frontend, [frontend, 'http://10.0.0.1'], at];
}

test('while the source is silent others are asked once for what is not known here, and what was read here later stays', async () => {
  const asked: string[] = [];
  const others = new Map<string, SavedRoute[]>();
  const { inner, store } = scene({
    lruMs: 0,
    recall: async (host) => {
      asked.push(host);
      return others.get(host) ?? [];
    },
  });
  const now = Date.now();
  others.set('x.io', [saved('x.io', now), saved('x.io/api', now)]);
  others.set('old.io', [saved('old.io', now - 61_000)]);
  others.set('gone.io', [saved('gone.io', now - 1_000)]);
  assert.equal(await find(store, 'gone.io'), null);
  assert.deepEqual(asked, [], 'as long as it answers it is believed');
  inner.failure = new RouterError('store-unavailable', 'down');
  assert.equal((await store.find(['x.io'], '/'))?.name, 'x.io');
  assert.equal((await store.find(['x.io'], '/api/v1'))?.name, 'x.io/api');
  await assert.rejects(find(store, 'old.io'));
  await assert.rejects(find(store, 'gone.io'), 'it was read later that there is none');
  await assert.rejects(find(store, 'made-up.io'));
  await assert.rejects(find(store, 'made-up.io'));
  assert.deepEqual(asked, ['x.io', 'old.io', 'gone.io', 'made-up.io']);
  inner.failure = null;
  assert.equal(await find(store, 'x.io'), null, 'what others know never stands in for an answer');
});

const NO_PAGES = { find: async () => null };

interface SceneOptions {
  readonly max?: number;
  readonly lruMs?: number;
  readonly maxStaleMs?: number;
  readonly deadMs?: number;
  readonly freshness?: Freshness;
  readonly recall?: (host: string) => Promise<readonly SavedRoute[]>;
  readonly learn?: (frontend: string, route: Route | null) => void;
}

function scene({ max = 100, lruMs = 60_000, maxStaleMs = 60_000, deadMs = 30_000, ...more }: SceneOptions = {}) {
  const inner = new ObservedStore();
  const freshness = more.freshness ?? new AgeLimit(lruMs);
  const { learn = null, recall = null } = more;
  const counts = new StoreCounts();
  const parts = {
    source: inner,
    counts,
    freshness,
    max,
    maxStaleMs,
    deadMs,
    learn,
    recall,
    believe: () => {},
    pages: NO_PAGES,
    endsToo: async () => {},
  };
  return { inner, counts, store: new RememberingStore(parts) };
}

function watched() {
  const watch = new Watch(60_000);
  return { watch, ...scene({ freshness: watch }) };
}

/** Counts lookups, and can fail or hold them. */
class ObservedStore extends MemoryStore implements RouteSource {
  finds = 0;
  expiresMs = Infinity;
  failure: RouterError | null = null;
  readonly filed: { readonly ttlSeconds: number }[] = [];
  #held: Promise<void> | null = null;

  async read(keys: readonly string[], path: string): Promise<Reading> {
    this.finds++;
    if (this.failure !== null) throw this.failure;
    const held = this.#held;
    const { expiresMs } = this;
    const own = await this.find(keys, path);
    await held;
    return { own, prefixes: null, under: [], expiresMs };
  }

  override async markDead(...args: Parameters<MemoryStore['markDead']>) {
    if (this.failure !== null) throw this.failure;
    this.filed.push({ ttlSeconds: args[1] });
    return await super.markDead(...args);
  }

  /** Answers given from now on arrive when the turn ends. */
  hold(): Turn {
    const turn = new Turn();
    this.#held = turn.promise;
    return turn;
  }

  /** Answers given from now on arrive at once again. */
  let(): void {
    this.#held = null;
  }
}

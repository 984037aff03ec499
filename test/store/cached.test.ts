import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouterError } from '../../lib/core/errors.ts';
import { CachedStore } from '../../lib/store/cached.ts';
import { MemoryStore } from '../../lib/store/memory.ts';
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

test('a route is asked for again after its time', async () => {
  const { inner, store } = scene({ ttl: 0.05 });
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

test('while the store is down a known route still serves, however old; an unknown host does not', async () => {
  const { inner, store } = scene({ ttl: 0.001 });
  inner.set('x.io', LIST);
  const route = await find(store, 'x.io');
  await new Promise((resolve) => setTimeout(resolve, 20));
  inner.failure = new RouterError('store-unavailable', 'down');
  assert.equal(await find(store, 'x.io'), route);
  assert.equal(await find(store, 'x.io'), route);
  await assert.rejects(find(store, 'y.io'), { code: 'store-unavailable' });
  inner.failure = new RouterError('route-broken', 'broken');
  await assert.rejects(find(store, 'x.io'), { code: 'route-broken' });
});

test('no more routes are kept than asked for', async () => {
  const { inner, store } = scene({ size: 2 });
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

test('a death that cannot be filed is still reported', async () => {
  const { inner, store } = scene();
  inner.set('x.io', LIST);
  await find(store, 'x.io');
  inner.failure = new RouterError('store-unavailable', 'down');
  await assert.rejects(die(store, 'x.io', 0, 30), { code: 'store-unavailable' });
});

function scene({ size = 100, ttl = 60 } = {}) {
  const inner = new ObservedStore();
  return { inner, store: new CachedStore(inner, size, ttl) };
}

/** Counts lookups, and can fail or hold them. */
class ObservedStore extends MemoryStore {
  finds = 0;
  failure: RouterError | null = null;
  #held: Promise<void> | null = null;

  override async find(candidates: readonly string[]) {
    this.finds++;
    if (this.failure !== null) throw this.failure;
    const held = this.#held;
    const route = await super.find(candidates);
    await held;
    return route;
  }

  override async markDead(...args: Parameters<MemoryStore['markDead']>) {
    if (this.failure !== null) throw this.failure;
    await super.markDead(...args);
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

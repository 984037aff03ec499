/** A router with a store of one's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frontend, LookupStore, RouterEvent } from '../../lib/library/index.ts';
import { refusingUrl, says, startBackend } from '../support/backends.ts';
import { ask } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { openRouter, portOf } from '../support/library.ts';

/** A store with these frontends, which counts its lookups. */
function storeOf(frontends: ReadonlyMap<string, Frontend>): LookupStore & { lookups: number } {
  return {
    lookups: 0,
    async find(keys) {
      this.lookups++;
      return keys.map((key) => frontends.get(key)).find((found) => found !== undefined) ?? null;
    },
  };
}

for (const fastLane of [true, false]) {
  test(`each request is looked up, by host and wildcard, with the ${fastLane ? 'fast' : 'full'} lane`, async (t) => {
    const backend = await startBackend(t, says('hello'));
    const store = storeOf(new Map([['*.site.test', { key: '*.site.test', list: ['site', backend.url] }]]));
    const router = await openRouter(t, { store, config: { server: { fastLane } } });
    const port = portOf(router);
    assert.equal((await ask({ port, host: 'www.site.test' })).body, 'hello');
    assert.equal((await ask({ port, host: 'api.site.test' })).body, 'hello');
    assert.equal((await ask({ port, host: 'other.test' })).status, 400);
    assert.equal(store.lookups, 3);
    const { answer, route, keys } = await router.explain('www.site.test');
    assert.equal(answer.kind, 'backend');
    assert.equal(route?.name, 'site');
    assert.deepEqual(keys.map(({ key }) => key).slice(0, 2), ['www.site.test', '*.site.test']);
    assert.match(await router.metrics(), /^hipache_store_errors_total 0$/m);
  });
}

test('what is known at once needs no other lookup', async (t) => {
  const backend = await startBackend(t, says('hello'));
  const frontend: Frontend = { key: 'site.test', list: ['site', backend.url], options: { 'response:x': 'no' } };
  const store = {
    ...storeOf(new Map()),
    peek: ([host]: readonly string[]) => (host === 'site.test' ? frontend : null),
  };
  const router = await openRouter(t, { store });
  assert.equal((await ask({ port: portOf(router) })).body, 'hello');
  assert.equal((await ask({ port: portOf(router), host: 'other.test' })).status, 400);
  assert.equal(store.lookups, 0);
});

test('options, header fields, paths and error pages of a store count', async (t) => {
  const backend = await startBackend(t, (request, response) => response.end(request.url));
  const store: LookupStore = {
    find: async ([host], path) => {
      if (host === 'closed.test')
        return { key: 'closed.test', list: ['closed', backend.url], options: { state: 'maintenance' } };
      if (!path.startsWith('/api')) return null;
      const options = { strip: '1' };
      return { key: `${host}/api`, list: ['api', backend.url], options, headers: { 'response:X-From': 'store' } };
    },
    page: async ([host], status) => `<p>${host} ${status}</p>`,
  };
  const router = await openRouter(t, { store });
  const port = portOf(router);
  const { body, headers } = await ask({ port, path: '/api/x?y' });
  assert.deepEqual([body, headers['x-from']], ['/x?y', 'store']);
  const closed = await ask({ port, host: 'closed.test' });
  assert.deepEqual([closed.status, closed.body], [503, '<p>closed.test 503</p>']);
});

test('a dead backend of a store is skipped', async (t) => {
  const backend = await startBackend(t, says('alive'));
  const dead = refusingUrl();
  const store = storeOf(new Map([['site.test', { key: 'site.test', list: ['site', dead, backend.url] }]]));
  const events: RouterEvent[] = [];
  const router = await openRouter(t, { store, onEvent: (event) => events.push(event) });
  await eventually(async () => {
    assert.equal((await ask({ port: portOf(router) })).body, 'alive');
    assert.ok(events.some(({ event, backend: url }) => event === 'backend-dead' && url === dead));
  });
  assert.deepEqual(
    (await router.explain('site.test')).route?.backends.map(({ state }) => state),
    ['dead', 'alive'],
  );
});

test('a store that fails, is slow or returns nonsense costs its own request only', async (t) => {
  const backend = await startBackend(t, says('hello'));
  let closings = 0;
  const store: LookupStore = {
    find: ([host]) => {
      switch (host) {
        case 'fails.test':
          return Promise.reject(new Error('no database'));
        case 'throws.test':
          throw new Error('a bug');
        case 'slow.test':
          return new Promise(() => {});
        case 'odd.test':
          return Promise.resolve({ key: 'odd.test', list: [] });
        default:
          return Promise.resolve({ key: 'site.test', list: ['site', backend.url, 'nonsense'] });
      }
    },
    close: async () => void closings++,
  };
  const events: RouterEvent[] = [];
  const router = await openRouter(t, {
    store,
    config: { server: { storeTimeout: 0.2 } },
    onEvent: (event) => events.push(event),
  });
  const port = portOf(router);
  const hosts = ['fails.test', 'throws.test', 'slow.test', 'odd.test', 'site.test'];
  const answers = await Promise.all(hosts.map((host) => ask({ port, host })));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [503, 503, 503, 502, 200],
  );
  await assert.rejects(router.explain('slow.test'), { message: 'the store did not reply within 3 s' });
  await assert.rejects(router.explain('fails.test'), { message: 'no database' });
  assert.match(events.find(({ event }) => event === 'route-fault')?.msg ?? '', /site\.test: backend "nonsense"/);
  await Promise.all([router.close(), router.close()]);
  assert.equal(closings, 1);
});

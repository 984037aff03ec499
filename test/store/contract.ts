/** What every store promises, run by each of them. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { candidates } from '../../lib/core/routing/hostname.ts';
import { NO_SITE, type SiteHash } from '../../lib/core/routing/site.ts';
import type { Route } from '../../lib/core/routing/types.ts';
import type { Marking, RouteStore } from '../../lib/store/store.ts';
import { eventually } from '../support/eventually.ts';

/** An empty store, and a way to put routes where it looks for them. */
export interface Subject {
  readonly store: RouteStore;
  readonly set: (key: string, list: readonly string[]) => Promise<void>;
  readonly remove: (key: string) => Promise<void>;
  readonly setPrefixes: (key: string, names: readonly string[]) => Promise<void>;
  readonly setHash: (kind: SiteHash | 'errors', key: string, fields: Readonly<Record<string, string>>) => Promise<void>;
}

/** @param open makes an empty store and closes it after the test */
export function storeContract(storeName: string, open: (t: TestContext) => Promise<Subject>): void {
  const promise = (what: string, check: (subject: Subject) => Promise<void>): void => {
    void test(`${storeName}: ${what}`, async (t) => {
      const subject = await open(t);
      await subject.store.ready();
      await check(subject);
    });
  };

  promise('a host nobody set has no route', async ({ store }) => {
    assert.equal(await find(store, 'www.x.io'), null);
    assert.equal(await store.find([], '/'), null);
  });

  promise('a route says what it was asked for, what it matched and whom it leads to', async ({ store, set }) => {
    await set('www.x.io', ['my site', 'http://10.0.0.1:8080', 'https://[2001:db8::1]']);
    const route = await find(store, 'www.x.io');
    assert.deepEqual(route, {
      frontend: 'www.x.io',
      key: 'www.x.io',
      prefix: '',
      name: 'my site',
      backends: [
        {
          id: 0,
          href: 'http://10.0.0.1:8080',
          protocol: 'http:',
          hostname: '10.0.0.1',
          port: 8080,
          socketPath: null,
          redirect: null,
          path: '',
        },
        {
          id: 1,
          href: 'https://[2001:db8::1]',
          protocol: 'https:',
          hostname: '2001:db8::1',
          port: 443,
          socketPath: null,
          redirect: null,
          path: '',
        },
      ],
      size: 2,
      dead: new Set(),
      deadByRouters: new Set(),
      onTrial: new Map(),
      site: NO_SITE,
    });
    assert.ok(Object.isFrozen(route) && Object.isFrozen(route?.backends));
  });

  promise('what is told without asking is what would be found', async ({ store, set }) => {
    await set('*.x.io', ['x', 'http://10.0.0.1']);
    for (const host of ['a.x.io', 'a.y.io']) {
      const found = await find(store, host);
      const peeked = store.peek(host, '/');
      if (peeked !== undefined) assert.deepEqual(peeked, found);
    }
  });

  promise('the exact host comes before wildcards, the longer wildcard before the shorter', async ({ store, set }) => {
    await set('*', ['any', 'http://10.0.0.1']);
    assert.equal((await find(store, 'a.b.x.io'))?.key, '*');
    await set('*.x.io', ['short', 'http://10.0.0.2']);
    assert.equal((await find(store, 'a.b.x.io'))?.key, '*.x.io');
    await set('*.b.x.io', ['long', 'http://10.0.0.3']);
    assert.equal((await find(store, 'a.b.x.io'))?.key, '*.b.x.io');
    await set('a.b.x.io', ['exact', 'http://10.0.0.4']);
    assert.equal((await find(store, 'a.b.x.io'))?.key, 'a.b.x.io');
    assert.equal((await find(store, 'a.b.x.io'))?.frontend, 'a.b.x.io');
  });

  promise('an identifier alone gives way to a wildcard that names a backend', async ({ store, set }) => {
    await set('www.x.io', ['bare']);
    await set('*.x.io', ['bare too']);
    await set('*', ['any', 'http://10.0.0.1']);
    assert.equal((await find(store, 'www.x.io'))?.name, 'any');
  });

  promise('where nobody names a backend, the most specific identifier is the route', async ({ store, set }) => {
    await set('www.x.io', ['bare']);
    await set('*', ['any']);
    const route = await find(store, 'www.x.io');
    assert.equal(route?.name, 'bare');
    assert.equal(route?.size, 0);
    assert.deepEqual(route?.backends, []);
  });

  promise('a URL that cannot be used is left out, and the others keep their ids', async ({ store, set }) => {
    await set('www.x.io', ['x', 'garbage', 'http://10.0.0.1', 'ftp://10.0.0.2', '', ' http://10.0.0.3\n']);
    const route = await find(store, 'www.x.io');
    assert.deepEqual(idsOf(route), [1, 4]);
    assert.equal(route?.size, 5);
  });

  promise('a list of unusable URLs still is the route: a wildcard does not take over', async ({ store, set }) => {
    await set('www.x.io', ['x', 'garbage']);
    await set('*', ['any', 'http://10.0.0.1']);
    const route = await find(store, 'www.x.io');
    assert.equal(route?.name, 'x');
    assert.equal(route?.size, 1);
    assert.deepEqual(route?.backends, []);
  });

  promise('a dead backend is hidden, for its host alone, however often it is marked', async ({ store, set }) => {
    await set('www.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
    await set('www.y.io', ['y', 'http://10.0.0.1', 'http://10.0.0.2']);
    await die(store, 'www.x.io', 1, 30);
    await die(store, 'www.x.io', 1, 30);
    assert.deepEqual((await find(store, 'www.x.io'))?.dead, new Set([1]));
    assert.deepEqual((await find(store, 'www.x.io'))?.deadByRouters, new Set([1]));
    assert.deepEqual((await find(store, 'www.y.io'))?.dead, new Set());
  });

  promise('the last living backend of a site is not hidden', async ({ store, set }) => {
    await set('www.x.io', ['x', 'http://10.0.0.1', 'garbage', 'http://10.0.0.2', 'http://10.0.0.3']);
    assert.equal(await die(store, 'www.x.io', 3, 30), 'marked');
    assert.equal(await die(store, 'www.x.io', 0, 30), 'marked');
    assert.equal(await die(store, 'www.x.io', 2, 30), 'last');
    assert.deepEqual((await find(store, 'www.x.io'))?.dead, new Set([0, 3]));
    assert.equal(await die(store, 'www.x.io', 0, 30), 'marked', 'a mark may be renewed');
  });

  promise('of two backends that are found dead at the same time one stays', async ({ store, set }) => {
    await set('www.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
    const markings = await Promise.all([0, 1, 0, 1].map((id) => die(store, 'www.x.io', id, 30)));
    assert.ok(markings.includes('marked') && markings.includes('last'), markings.join());
    assert.equal((await find(store, 'www.x.io'))?.dead.size, 1);
  });

  promise('a mark counts only while the URL it was for is at its place', async ({ store, set }) => {
    const [one, two, three] = ['http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3'];
    const dead = async () => (await find(store, 'www.x.io'))?.dead;
    await set('www.x.io', ['x', one, two, three]);
    await die(store, 'www.x.io', 0, 30);
    assert.deepEqual(await dead(), new Set([0]));
    await set('www.x.io', ['x', two, three]);
    assert.deepEqual(await dead(), new Set());
    await set('www.x.io', ['x', one, three]);
    assert.deepEqual(await dead(), new Set([0]), 'it is back');
    await set('www.x.io', ['x', two]);
    assert.deepEqual(await dead(), new Set());
  });

  promise('a death is filed under the host asked for, though a wildcard matched', async ({ store, set }) => {
    await set('*.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
    await die(store, 'a.x.io', 0, 30);
    assert.deepEqual((await find(store, 'a.x.io'))?.dead, new Set([0]));
    assert.deepEqual((await find(store, 'b.x.io'))?.dead, new Set());
  });

  promise('a dead backend lives again after its time, or is on trial', async ({ store, set }) => {
    await set('www.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
    await die(store, 'www.x.io', 0, 3);
    assert.deepEqual((await find(store, 'www.x.io'))?.dead, new Set([0]));
    await eventually(async () => {
      const { dead, onTrial } = (await find(store, 'www.x.io')) ?? {};
      assert.deepEqual(
        [...(dead ?? [0])].filter((id) => !onTrial?.has(id)),
        [],
      );
    });
  });

  promise('a backend that passes the trial after its time lives at once', async ({ store, set }) => {
    await set('www.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
    await die(store, 'www.x.io', 0, 1);
    const { onTrial, backends } = await eventually(async () => {
      const route = await find(store, 'www.x.io');
      assert.ok(route && (!route.dead.has(0) || route.onTrial.has(0)));
      return route;
    });
    // Without scripts in Redis there are no trials.
    if (backends[0] !== undefined && onTrial.has(0)) {
      assert.equal(await store.trials.take('www.x.io', backends[0], 1_000), 0);
      await store.trials.pass('www.x.io', backends[0]);
    }
    await eventually(async () => assert.deepEqual((await find(store, 'www.x.io'))?.dead, new Set()));
  });

  promise('a route is a snapshot: what happens later does not change it', async ({ store, set }) => {
    await set('www.x.io', ['x', 'http://10.0.0.1', 'http://10.0.0.2']);
    const before = await find(store, 'www.x.io');
    await die(store, 'www.x.io', 0, 30);
    await set('www.x.io', ['x', 'http://10.0.0.9']);
    assert.deepEqual(before?.dead, new Set());
    assert.deepEqual(idsOf(before), [0, 1]);
  });

  promise('a route that was changed or removed is seen at once', async ({ store, set, remove }) => {
    await set('www.x.io', ['x', 'http://10.0.0.1']);
    await find(store, 'www.x.io');
    await set('www.x.io', ['x', 'http://10.0.0.2', 'http://10.0.0.1']);
    assert.deepEqual(
      (await find(store, 'www.x.io'))?.backends.map(({ href }) => href),
      ['http://10.0.0.2', 'http://10.0.0.1'],
    );
    await remove('www.x.io');
    assert.equal(await find(store, 'www.x.io'), null);
  });

  promise('names that mean something to JavaScript are names like any other', async ({ store, set }) => {
    for (const host of ['__proto__', 'constructor', 'tostring']) {
      assert.equal(await store.find([host], '/'), null);
      await set(host, [host, 'http://10.0.0.1', 'http://10.0.0.2']);
      await die(store, host, 1, 30);
      assert.equal((await find(store, host))?.name, host);
      assert.deepEqual((await find(store, host))?.dead, new Set([1]));
    }
  });

  promise('an identifier may be any text', async ({ store, set }) => {
    const name = 'Büro 北京 🐘 "quoted"\t\n';
    await set('www.x.io', [name, 'http://10.0.0.1']);
    assert.equal((await find(store, 'www.x.io'))?.name, name);
  });

  promise('many lookups at once each get their own answer', async ({ store, set }) => {
    const hosts = Array.from({ length: 200 }, (_, i) => `h${i}.x.io`);
    for (const host of hosts) await set(host, [host, 'http://10.0.0.1']);
    const routes = await Promise.all(hosts.map((host) => find(store, host)));
    assert.deepEqual(
      routes.map((route) => route?.name),
      hosts,
    );
  });

  promise('a path goes to the longest of its prefixes, by whole segments', async (subject) => {
    await subject.set('www.x.io', ['all', 'http://10.0.0.1']);
    await subject.set('www.x.io/api', ['api', 'http://10.0.0.2', 'http://10.0.0.3']);
    await subject.set('www.x.io/api/v2', ['v2', 'http://10.0.0.4']);
    await subject.setPrefixes('www.x.io', ['/api', '/api/v2']);
    for (const [path, name] of [
      ['/', 'all'],
      ['/apix', 'all'],
      ['/API', 'all'],
      ['//api', 'all'],
      ['/%61pi', 'all'],
      ['/x/api', 'all'],
      ['*', 'all'],
      ['/?/api', 'all'],
      ['/api', 'api'],
      ['/api?/v2', 'api'],
      ['/api/', 'api'],
      ['/api/v2x', 'api'],
      ['/api//v2', 'api'],
      ['/api/v2', 'v2'],
      ['/api/v2/', 'v2'],
      ['/api/v2/a/b/c?d=/e', 'v2'],
      [`/api/${'a/'.repeat(500)}`, 'api'],
    ] as const) {
      assert.equal((await subject.store.find(candidates('www.x.io'), path))?.name, name, path);
    }
    const route = await subject.store.find(candidates('www.x.io'), '/api/a');
    const { frontend, key, prefix, dead } = route ?? {};
    const place = 'www.x.io/api';
    assert.deepEqual({ frontend, key, prefix, dead }, { frontend: place, key: place, prefix: '/api', dead: new Set() });
  });

  promise('a death under a prefix is filed under it', async (subject) => {
    const { store } = subject;
    await subject.set('*.x.io', ['all', 'http://10.0.0.1', 'http://10.0.0.2']);
    await subject.set('*.x.io/api', ['api', 'http://10.0.0.1', 'http://10.0.0.2']);
    await subject.setPrefixes('*.x.io', ['/api']);
    const dead = async (host: string, path: string) => (await store.find(candidates(host), path))?.dead;
    const route = await store.find(candidates('a.x.io'), '/api/b');
    assert.equal(route?.frontend, 'a.x.io/api');
    assert.equal(route.key, '*.x.io/api');
    const [, backend] = route.backends;
    assert.ok(backend);
    await store.markDead({ route, backend }, 30);
    assert.deepEqual(await dead('a.x.io', '/api/c'), new Set([1]));
    assert.deepEqual(await dead('a.x.io', '/'), new Set());
    assert.deepEqual(await dead('b.x.io', '/api'), new Set());
  });

  promise('a prefix whose list names no backend gives way to a shorter one, then to the host', async (subject) => {
    const { store } = subject;
    await subject.set('www.x.io', ['all', 'http://10.0.0.1']);
    await subject.set('www.x.io/a', ['a', 'http://10.0.0.2']);
    await subject.set('www.x.io/a/b', ['bare']);
    await subject.setPrefixes('www.x.io', ['/a', '/a/b', '/c']);
    const name = async (path: string) => (await store.find(candidates('www.x.io'), path))?.name;
    assert.deepEqual([await name('/a/b/c'), await name('/c')], ['a', 'all']);
    await subject.set('www.x.io/a/b', ['b', 'http://10.0.0.3']);
    assert.equal(await name('/a/b/c'), 'b');
    await subject.remove('www.x.io/a/b');
    assert.equal(await name('/a/b/c'), 'a');
  });

  promise('a host with prefixes and no list of its own has the rest from a wildcard', async (subject) => {
    const { store } = subject;
    const name = async (host: string, path: string) => (await store.find(candidates(host), path))?.name;
    await subject.set('www.x.io/api', ['api', 'http://10.0.0.2']);
    await subject.setPrefixes('www.x.io', ['/api']);
    assert.deepEqual([await name('www.x.io', '/api'), await name('www.x.io', '/')], ['api', undefined]);
    await subject.set('*.x.io', ['wild', 'http://10.0.0.1']);
    await subject.set('*.x.io/static', ['static', 'http://10.0.0.3']);
    await subject.setPrefixes('*.x.io', ['/static']);
    assert.deepEqual([await name('www.x.io', '/api'), await name('www.x.io', '/')], ['api', 'wild']);
    // Those of the first key with prefixes.
    assert.equal(await name('www.x.io', '/static'), 'wild');
    assert.deepEqual([await name('a.x.io', '/static/x'), await name('a.x.io', '/')], ['static', 'wild']);
    await subject.set('a.x.io', ['own', 'http://10.0.0.4']);
    assert.equal(await name('a.x.io', '/static/x'), 'own');
  });

  promise('options are those of the key, then those of all', async (subject) => {
    const { store } = subject;
    const site = async (host: string, path: string) => (await store.find(candidates(host), path))?.site;
    await subject.set('www.x.io', ['all', 'http://10.0.0.1']);
    await subject.set('www.x.io/api', ['api', 'http://10.0.0.2']);
    await subject.set('*', ['any', 'http://10.0.0.3']);
    await subject.setPrefixes('www.x.io', ['/api']);
    assert.equal(await site('www.x.io', '/'), NO_SITE);
    assert.equal(await site('www.x.io', '/api'), NO_SITE);
    await subject.setHash('options', '*', { hsts: '10', pauseMax: '5', state: 'odd' });
    await subject.setHash('options', 'www.x.io', { hsts: '20', prepend: '/v1', mapBack: '1', 'no such': 'thing' });
    await subject.setHash('options', 'www.x.io/api', { strip: '1', pauseMax: 'never' });
    const any = await site('a.y.io', '/api');
    assert.deepEqual([...(any?.fields ?? [])], Object.entries({ hsts: '10', pauseMax: '5' }));
    const own = await site('www.x.io', '/');
    assert.deepEqual(Object.fromEntries(own?.fields ?? []), {
      hsts: '20',
      pauseMax: '5',
      prepend: '/v1',
      mapBack: '1',
    });
    assert.equal(own?.targetFor('/a', ''), '/v1/a');
    const api = await site('www.x.io', '/api');
    assert.deepEqual(Object.fromEntries(api?.fields ?? []), { hsts: '20', pauseMax: '5', mapBack: '1', strip: '1' });
    assert.equal(api?.targetFor('/api/a', '/api'), '/a');
    await subject.setHash('options', 'www.x.io', { hsts: '30' });
    assert.equal((await site('www.x.io', '/api'))?.fields.get('hsts'), '30');
    await subject.setHash('options', '*', {});
    await subject.setHash('options', 'www.x.io', {});
    assert.equal(await site('www.x.io', '/'), NO_SITE);
    assert.equal((await site('www.x.io', '/api'))?.fields.get('hsts'), undefined);
  });

  promise('header fields are those of the key, then those of all, each name once', async (subject) => {
    const { store, setHash } = subject;
    const fields = async (host: string, path: string) => {
      const route = await store.find(candidates(host), path);
      return Object.fromEntries(route?.site.fields ?? []);
    };
    await subject.set('www.x.io', ['all', 'http://10.0.0.1']);
    await subject.set('www.x.io/api', ['api', 'http://10.0.0.2', 'http://10.0.0.4']);
    await subject.set('*', ['any', 'http://10.0.0.3']);
    await subject.setPrefixes('www.x.io', ['/api']);
    assert.deepEqual(await fields('www.x.io', '/api'), {});
    await setHash('headers', '*', { 'response:X-A': 'all', 'request:X-B': 'all', 'request:Host': 'x', hsts: '1' });
    assert.deepEqual(await fields('a.y.io', '/'), { 'response:X-A': 'all', 'request:X-B': 'all' });
    assert.deepEqual(await fields('www.x.io', '/'), { 'response:X-A': 'all', 'request:X-B': 'all' });
    await setHash('headers', 'www.x.io', { 'response:x-a': 'host', 'request:X-C': '' });
    await setHash('options', 'www.x.io', { hsts: '9', 'response:X-D': 'no option' });
    const host = { 'request:X-B': 'all', 'response:x-a': 'host', 'request:X-C': '', hsts: '9' };
    assert.deepEqual(await fields('www.x.io', '/'), host);
    assert.deepEqual(await fields('www.x.io', '/api/a'), host);
    await setHash('headers', 'www.x.io/api', { 'request:X-C': 'grüß', 'request:X-B': 'prefix' });
    assert.deepEqual(await fields('www.x.io', '/api/a'), { ...host, 'request:X-B': 'prefix' });
    assert.deepEqual(await fields('www.x.io', '/'), host);
    const many = Array.from({ length: 33 }, (_, i) => [`response:X-${i}`, '1']);
    await setHash('headers', 'www.x.io', Object.fromEntries(many));
    assert.deepEqual(await fields('www.x.io', '/'), { hsts: '9', 'response:X-A': 'all', 'request:X-B': 'all' });
    await setHash('headers', 'www.x.io', { 'response:X-A': 'a'.repeat(4096), 'response:X-B': 'b'.repeat(4096) });
    assert.deepEqual(await fields('www.x.io', '/'), { hsts: '9', 'response:X-A': 'all', 'request:X-B': 'all' });
    await setHash('headers', '*', {});
    await setHash('headers', 'www.x.io', {});
    await setHash('options', 'www.x.io', {});
    assert.equal((await find(store, 'www.x.io'))?.site, NO_SITE);
  });

  promise('weights are those of the key, then of its host, then of all, by URL', async (subject) => {
    const { store, setHash } = subject;
    const [a, b] = ['http://10.0.0.1', 'http://10.0.0.2'] as const;
    const seen = async (host: string, path: string) => {
      const route = await store.find(candidates(host), path);
      return (
        route && [
          Object.fromEntries(route.site.fields),
          route.site.balance?.candidates(route.backends, route, null).length,
        ]
      );
    };
    await subject.set('www.x.io', ['all', a, b]);
    await subject.set('www.x.io/api', ['api', a, b]);
    await subject.set('*', ['any', a, b]);
    await subject.setPrefixes('www.x.io', ['/api']);
    assert.deepEqual(await seen('www.x.io', '/api'), [{}, undefined]);
    await setHash('weights', '*', { [a]: '0', 'http://10.0.0.9': 'x', hsts: '1' });
    for (const [host, path] of [
      ['a.y.io', '/'],
      ['www.x.io', '/'],
      ['www.x.io', '/api'],
    ] as const) {
      assert.deepEqual(await seen(host, path), [{ [a]: '0' }, 1], host + path);
    }
    await setHash('weights', 'www.x.io', { [a]: '5 eu', [b]: '7' });
    assert.deepEqual(await seen('www.x.io', '/'), [{ [a]: '5 eu', [b]: '7' }, 2]);
    await setHash('weights', 'www.x.io/api', { [b]: 'backup' });
    assert.deepEqual(await seen('www.x.io', '/api/a'), [{ [a]: '5 eu', [b]: 'backup' }, 1]);
    const many = Array.from({ length: 1_001 }, (_, i) => [`http://10.1.${i >> 8}.${i & 255}`, '1']);
    await setHash('weights', 'www.x.io', Object.fromEntries(many));
    assert.deepEqual(await seen('www.x.io', '/'), [{ [a]: '0' }, 1]);
    for (const key of ['*', 'www.x.io', 'www.x.io/api']) await setHash('weights', key, {});
    assert.equal((await find(store, 'www.x.io'))?.site, NO_SITE);
  });

  promise('a prefix with header fields and nothing else has its dead backends, too', async (subject) => {
    const { store, setHash } = subject;
    await subject.set('www.x.io/api', ['api', 'http://10.0.0.2', 'http://10.0.0.4']);
    await subject.setPrefixes('www.x.io', ['/api']);
    await setHash('headers', 'www.x.io/api', { 'response:X-A': '1' });
    const route = await store.find(candidates('www.x.io'), '/api');
    const [backend] = route?.backends ?? [];
    assert.ok(route && backend);
    assert.deepEqual(route.dead, new Set());
    await store.markDead({ route, backend }, 30);
    const marked = await store.find(candidates('www.x.io'), '/api');
    assert.deepEqual([marked?.dead, marked?.site.fields.get('response:X-A')], [new Set([0]), '1']);
  });

  promise('a host that names no backend has options all the same', async (subject) => {
    await subject.set('www.x.io', ['bare']);
    await subject.setHash('options', 'www.x.io', { state: 'maintenance' });
    assert.equal((await find(subject.store, 'www.x.io'))?.site.fields.get('state'), 'maintenance');
  });

  promise('options of all reach a prefix where the rest is the list of all', async (subject) => {
    const { store, set, setPrefixes, setHash } = subject;
    await setHash('options', '*', { hsts: '1' });
    await set('*', ['all', 'http://a']);
    await setPrefixes('*.io', ['/api']);
    await set('*.io/api', ['api', 'http://b']);
    await eventually(async () => {
      assert.equal((await store.find(candidates('x.io'), '/api'))?.site.fields.get('hsts'), '1');
    });
    assert.equal((await find(store, 'x.io'))?.site.fields.get('hsts'), '1');
  });

  promise('prefixes of a wildcard count behind an identifier alone', async (subject) => {
    const { store, set, setPrefixes } = subject;
    await set('x.io', ['bare']);
    await setPrefixes('*.io', ['/api']);
    await set('*.io/api', ['api', 'http://b']);
    await eventually(async () => {
      assert.equal((await store.find(candidates('x.io'), '/api'))?.key, '*.io/api');
    });
    assert.equal((await find(store, 'x.io'))?.key, 'x.io');
  });

  promise('an error page is that of the first key that has one', async ({ store, setHash }) => {
    assert.equal(await store.page(['www.x.io/api', 'www.x.io', '*'], 503), null);
    await setHash('errors', '*', { '503': 'all', '502': 'x'.repeat(64 * 1024 + 1) });
    await setHash('errors', 'www.x.io', { '503': '<h1>grüß</h1>' });
    assert.equal(await store.page(['www.x.io/api', 'www.x.io', '*'], 503), '<h1>grüß</h1>');
    assert.equal(await store.page(['www.y.io', '*'], 503), 'all');
    assert.equal(await store.page(['www.y.io', '*'], 502), null, 'one that is too large is none');
    await setHash('errors', 'www.x.io', { '503': 'another' });
    assert.equal(await store.page(['www.x.io', '*'], 503), 'another');
  });

  promise('a closed store says so, and can be closed again', async ({ store, set }) => {
    await set('www.x.io', ['x', 'http://10.0.0.1']);
    await store.close();
    await assert.rejects(find(store, 'www.x.io'), { name: 'RouterError', code: 'store-unavailable', status: 503 });
    await store.close();
  });
}

/** Looks a host up as the router does. */
export function find(store: RouteStore, host: string): Promise<Route | null> {
  return store.find(candidates(host), '/');
}

/** Marks the backend with this id dead, as the router does. */
export async function die(store: RouteStore, host: string, id: number, ttlSeconds: number): Promise<Marking> {
  const route = await find(store, host);
  const backend = route?.backends.find((one) => one.id === id);
  if (!route || !backend) throw new Error(`no backend ${id} of ${host}`);
  return await store.markDead({ route, backend }, ttlSeconds);
}

function idsOf(route: Route | null): readonly number[] {
  return route?.backends.map(({ id }) => id) ?? [];
}

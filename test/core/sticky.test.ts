/** `sticky`: who comes back to which backend, and what the cookie says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsCookie, NO_VALUES, stickyCookie } from '../../lib/core/balance/sticky.ts';
import { cookiesIn } from '../../lib/core/http/trait.ts';
import { NO_MARKS } from '../../lib/core/routing/backend.ts';
import { choose } from '../../lib/core/routing/selection.ts';
import { routeWith, Scene, TRAITS, urlsOf } from '../support/balancing.ts';

const URLS = urlsOf(4);
const STICKY = { sticky: 'home' };
const valueOf = (i: number, key = 'x.io'): string => `${key} ${URLS[i]}`;

test('a client with the cookie of a living backend comes back to it, whatever the balance', () => {
  for (const balance of ['random', 'roundrobin', 'leastconn', 'hash:ip']) {
    const scene = new Scene();
    scene.loads.push({}, {}, { inFlight: 1_000 });
    const route = routeWith(URLS, { ...STICKY, balance });
    for (let i = 0; i < 50; i++) assert.equal(scene.choose(route, { cookies: [valueOf(2)] }), 2);
    assert.notEqual(scene.choose(routeWith(URLS, { balance }), { cookies: [valueOf(2)] }), undefined);
  }
});

test('it comes back to one that is draining, and to a backup', () => {
  const route = routeWith(URLS, STICKY, NO_MARKS, { [URLS[0] ?? '']: '0', [URLS[1] ?? '']: 'backup' });
  const scene = new Scene();
  for (let i = 0; i < 50; i++) {
    assert.equal(scene.choose(route, { cookies: [valueOf(0)] }), 0);
    assert.equal(scene.choose(route, { cookies: [valueOf(1)] }), 1);
    assert.ok(scene.choose(route) > 1);
  }
});

test('a cookie of a backend that is dead, was tried or is gone, or of another site, leads nowhere', () => {
  const marks = { dead: new Set([1]), deadByRouters: new Set<number>() };
  const route = routeWith(URLS, STICKY, marks);
  const counts = (cookies: readonly string[], tried: readonly number[] = []): number =>
    new Set(Array.from({ length: 100 }, (_, i) => new Scene(i).choose(route, { cookies }, tried))).size;
  assert.equal(counts([valueOf(2)]), 1);
  assert.equal(counts([valueOf(1)]), 3);
  assert.equal(counts([valueOf(2)], [2]), 2);
  assert.equal(counts(['x.io http://10.9.9.9']), 3);
  assert.equal(counts([valueOf(2, 'y.io')]), 3);
  assert.equal(counts([valueOf(1), '', valueOf(2)]), 1, 'one of several');
});

test('while the secret is not known there is no cookie', () => {
  const route = routeWith(URLS, STICKY);
  const { balance } = route.site;
  const backend = choose(route, new Set(), Object.assign(new Scene(), { sticky: NO_VALUES }), TRAITS);
  assert.ok(balance && backend);
  assert.equal(needsCookie(balance, backend, 'x.io', [], NO_VALUES), false);
  const { sticky } = new Scene();
  assert.equal(needsCookie(balance, backend, 'x.io', [], sticky), true);
  assert.equal(needsCookie(balance, backend, 'x.io', [valueOf(backend.id)], sticky), false);
});

test('the cookie is for the route alone, out of reach of scripts and of other sites', () => {
  const rule = { name: 'home', seconds: null };
  assert.equal(stickyCookie(rule, 'abc', '', false), 'home=abc; Path=/; HttpOnly; SameSite=Lax');
  assert.equal(
    stickyCookie({ ...rule, seconds: 60 }, 'abc', '/api', true),
    'home=abc; Path=/api; Max-Age=60; HttpOnly; SameSite=Lax; Secure',
  );
  assert.match(stickyCookie(rule, 'abc', '/a;Domain=evil.test', false), /; Path=\/; HttpOnly/);
});

test('cookies are found by name, a few of them', () => {
  assert.deepEqual(cookiesIn('a=1; home=x;home=y ; myhome=z; home; =v;home=', 'home', 4), ['x', 'y', '']);
  assert.deepEqual(cookiesIn('home=1; '.repeat(10_000), 'home', 4).length, 4);
  assert.deepEqual(cookiesIn('', 'home', 4), []);
  assert.deepEqual(cookiesIn('Home=1', 'home', 4), []);
});

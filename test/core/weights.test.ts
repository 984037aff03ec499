/** `weights:<key>`: shares, drains and backups, in every way to balance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWeight } from '../../lib/core/balance/weights.ts';
import { buildRoute, NO_MARKS } from '../../lib/core/routing/backend.ts';
import { fieldFault, layerOf, makeSite } from '../../lib/sites/site.ts';
import { chiSquare, type Fields, routeWith, Scene, urlsOf } from '../support/balancing.ts';

const URLS = urlsOf(4);
const RUNS = 20_000;

const dead = (...ids: readonly number[]) => ({ dead: new Set(ids), deadByRouters: new Set<number>() });
const layer = (fields: Fields) => layerOf({ weights: new Map(Object.entries(fields)) });

/** Weights of the first, the second and so on. */
const weights = (...texts: readonly string[]): Fields =>
  Object.fromEntries(texts.map((text, i) => [URLS[i] ?? '', text]));

for (const [text, share, isBackup, zone] of [
  ['100', 100, false, null],
  [' 0 ', 0, false, null],
  ['1000', 1000, false, null],
  ['backup', 100, true, null],
  ['100 eu-1', 100, false, 'eu-1'],
  ['backup  rack.2_b', 100, true, 'rack.2_b'],
] as const) {
  test(`${JSON.stringify(text)} is a weight`, () => {
    assert.deepEqual(readWeight(text), { share, isBackup, zone });
  });
}

for (const text of ['', '-1', '1001', '1.5', 'backups', '100 eu 1', '100 eu/1', `1 ${'z'.repeat(64)}`, '٣']) {
  test(`${JSON.stringify(text.slice(0, 20))} is none`, () => {
    assert.equal(typeof readWeight(text), 'string');
    assert.notEqual(fieldFault('http://10.0.0.1', text, 'weights'), null);
  });
}

test('a weight belongs to the URL of a backend', () => {
  for (const url of ['http://10.0.0.1', ' h2c://a:8080/x ', 'http://[unix:/run/a.sock]/', 'redirect+https://a/ 301']) {
    assert.equal(fieldFault(url, '1', 'weights'), null, url);
  }
  for (const url of ['10.0.0.1:80', 'ftp://10.0.0.1', 'http://', 'http://a b', '0', 'balance', 'response:X-A']) {
    assert.notEqual(fieldFault(url, '1', 'weights'), null, url);
  }
  assert.notEqual(fieldFault('http://10.0.0.1', '1'), null, 'not among the options');
  const site = makeSite({ host: layerOf({ options: new Map([['http://10.0.0.1', '1']]) }) });
  assert.equal(site.balance, null);
});

for (const balance of ['random', 'p2c', 'leastconn', 'latency', 'roundrobin', 'hash:ip']) {
  test(`${balance}: requests are in proportion to the weights; 100 is the usual one`, () => {
    const route = routeWith(URLS, { balance }, NO_MARKS, weights('400', '200', '50'));
    const counts = countOf(route);
    assert.ok(chiSquare(counts, [400, 200, 50, 100]) < 6, counts.join(' '));
  });

  test(`${balance}: a backend with 0 gets no new client, a backup only when no other lives`, () => {
    const given = weights('0', 'backup', 'backup', '100');
    const counts = countOf(routeWith(URLS, { balance }, NO_MARKS, given));
    assert.deepEqual(counts, [0, 0, 0, RUNS]);
    const [drained = 0, one = 0, other = 0] = countOf(routeWith(URLS, { balance }, dead(3), given));
    assert.ok(drained === 0 && one > 0 && other > 0, `${drained} ${one} ${other}`);
    const last = countOf(routeWith(URLS, { balance }, dead(1, 2, 3), given));
    assert.deepEqual(last, [RUNS, 0, 0, 0], 'better than an error');
  });

  test(`${balance}: where all are draining, all are equal`, () => {
    const counts = countOf(routeWith(URLS, { balance }, NO_MARKS, weights('0', '0', '0', '0')));
    assert.ok(chiSquare(counts, [1, 1, 1, 1]) < 6, counts.join(' '));
  });
}

test('a URL that is in a list twice counts twice', () => {
  for (const balance of ['random', 'roundrobin', 'hash:ip']) {
    const [a = '', b = ''] = URLS;
    const counts = countOf(routeWith([a, b, a], { balance }, NO_MARKS, weights('50', '100')));
    assert.ok(chiSquare([(counts[0] ?? 0) + (counts[2] ?? 0), counts[1] ?? 0], [1, 1]) < 12, counts.join(' '));
  }
});

test('roundrobin: the turns of a heavy backend are spread out', () => {
  const scene = new Scene();
  const route = routeWith(URLS.slice(0, 2), { balance: 'roundrobin' }, NO_MARKS, weights('300', '100'));
  const ids = Array.from({ length: 400 }, () => scene.choose(route)).join('');
  assert.doesNotMatch(ids, /0000|11/);
});

test('leastconn and p2c: what counts is the load for the weight', () => {
  for (const balance of ['leastconn', 'p2c']) {
    const route = routeWith(URLS.slice(0, 2), { balance }, NO_MARKS, weights('300', '100'));
    const scene = new Scene();
    scene.loads.push({ inFlight: 5 }, { inFlight: 2 });
    assert.deepEqual(scene.count(route, 100), [100, 0]);
    scene.loads[0] = { inFlight: 7 };
    assert.deepEqual(scene.count(route, 100), [0, 100]);
  }
});

test('hash: of a backend whose weight is halved, about half of the keys move, and no others', () => {
  const before = routeWith(URLS, { balance: 'hash:ip' });
  const after = routeWith(URLS, { balance: 'hash:ip' }, NO_MARKS, weights('50'));
  const scene = new Scene();
  let own = 0;
  let moved = 0;
  for (let i = 0; i < 10_000; i++) {
    const clientIp = `10.0.${i >> 8}.${i & 255}`;
    const from = scene.choose(before, { clientIp });
    const to = scene.choose(after, { clientIp });
    if (from === 0) own++;
    if (from === to) continue;
    assert.equal(from, 0);
    moved++;
  }
  // From 1/4 to 1/7.
  assert.ok(Math.abs(moved / own - (1 / 4 - 1 / 7) * 4) < 0.05, `${moved} of ${own}`);
});

test('a retry goes to a backup when it is the only one left, and to one that is draining after that', () => {
  const route = routeWith(URLS.slice(0, 3), {}, NO_MARKS, weights('0', 'backup', '100'));
  const scene = new Scene();
  assert.deepEqual(
    [
      scene.choose(route),
      scene.choose(route, {}, [2]),
      scene.choose(route, {}, [1, 2]),
      scene.choose(route, {}, [0, 1, 2]),
    ],
    [2, 1, 0, -1],
  );
});

test('weights are those of the prefix, then of the host, then of all, URL by URL', () => {
  const [a = '', b = '', c = ''] = URLS;
  const site = makeSite({
    all: layer({ [a]: '0', [b]: '0', [c]: '0' }),
    host: layer({ [b]: '5', [c]: 'x' }),
    prefix: layer({ [` ${a} `]: '7' }),
  });
  assert.deepEqual(
    [...site.fields],
    [
      [b, '5'],
      [c, '0'],
      [` ${a} `, '7'],
    ],
  );
  const again = makeSite({ prefix: site.fields });
  assert.deepEqual([again.fields, again.balance?.text], [site.fields, 'in proportion to their weights']);
  const list = buildRoute('x.io', 'x.io', ['x', a, b, c], NO_MARKS, () => {});
  assert.equal(again.balance?.candidates(list.backends, list, null).length, 2);
});

test('a router prefers its own zone while half of that zone lives', () => {
  const scene = new Scene();
  scene.zone = 'eu';
  const given = weights('100 eu', '300 eu', '100 us', 'backup eu');
  const seen = (...ids: readonly number[]): readonly number[] =>
    scene.count(routeWith(URLS, {}, dead(...ids), given), 4_000).map((count) => Math.round(count / 100));
  const [one = 0, two = 0, ...others] = seen();
  assert.ok(one > 5 && two > 25 && one + two >= 39, `${one} ${two}`);
  assert.deepEqual(others, [0, 0]);
  assert.deepEqual(seen(0), [0, 40, 0, 0]);
  assert.deepEqual(seen(0, 1), [0, 0, 40, 0], 'another zone precedes a backup');
  assert.deepEqual(seen(0, 1, 2), [0, 0, 0, 40]);
  scene.zone = 'mars';
  assert.ok(
    seen()
      .slice(0, 3)
      .every((count) => count > 0),
  );
});

test('of three backends in a zone one is less than half: it does not get the load of all', () => {
  const scene = new Scene();
  scene.zone = 'eu';
  const counts = scene.count(routeWith(URLS, {}, dead(0, 1), weights('100 eu', '100 eu', '100 eu')), 1_000);
  assert.ok(
    counts.slice(2).every((count) => count > 300),
    counts.join(' '),
  );
});

/** How often each is chosen, by many clients. */
function countOf(route: ReturnType<typeof routeWith>): readonly number[] {
  const scene = new Scene();
  const counts = Array<number>(route.backends.length).fill(0);
  for (let i = 0; i < RUNS; i++) {
    const id = scene.choose(route, { clientIp: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` });
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

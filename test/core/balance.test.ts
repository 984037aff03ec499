/** The ways to balance: shares, loads, turns and hashes, with chance and time of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peakAfter } from '../../lib/core/balance/latency.ts';
import { hashOf } from '../../lib/core/balance/rendezvous.ts';
import { RecentTurns } from '../../lib/core/balance/turns.ts';
import { chiSquare, routeWith, Scene, urlsOf } from '../support/balancing.ts';

const EQUAL = [1, 1, 1, 1, 1];
const RUNS = 20_000;

for (const balance of ['random', 'p2c', 'leastconn', 'latency']) {
  test(`${balance}: backends without load are chosen equally often`, () => {
    const counts = new Scene().count(routeWith(urlsOf(5), { balance }), RUNS);
    assert.ok(chiSquare(counts, EQUAL) < 6, counts.join(' '));
  });
}

test('roundrobin: each has its turn before any has another', () => {
  const scene = new Scene();
  const route = routeWith(urlsOf(5), { balance: 'roundrobin' });
  const rounds = Array.from({ length: 20 }, () => Array.from({ length: 5 }, () => scene.choose(route)));
  for (const round of rounds) assert.deepEqual(new Set(round), new Set([0, 1, 2, 3, 4]));
});

test('roundrobin: workers do not all begin with the same backend', () => {
  const route = routeWith(urlsOf(5), { balance: 'roundrobin' });
  const counts = [0, 0, 0, 0, 0];
  for (let seed = 0; seed < 2_000; seed++) {
    const first = new Scene(seed).choose(route);
    counts[first] = (counts[first] ?? 0) + 1;
  }
  assert.ok(chiSquare(counts, EQUAL) < 6, counts.join(' '));
});

test('roundrobin: the turns of a dead backend are shared by the others', () => {
  const scene = new Scene();
  const marks = { dead: new Set([1]), deadByRouters: new Set<number>() };
  const route = routeWith(urlsOf(5), { balance: 'roundrobin' }, marks);
  assert.deepEqual(scene.count(route, 400), [100, 0, 100, 100, 100]);
});

test('roundrobin: the turns of lists that are not used are forgotten, so that the memory is bounded', () => {
  const turns = new RecentTurns(100);
  const [first, ...others] = Array.from({ length: 100 }, (_, i) => ({
    ...routeWith(urlsOf(5), { balance: 'roundrobin' }),
    key: `s${i}.io`,
  }));
  assert.ok(first);
  const credits = turns.of(first, () => 0);
  assert.equal(
    turns.of(first, () => 0),
    credits,
  );
  for (const each of others) turns.of(each, () => 0);
  assert.notEqual(
    turns.of(first, () => 0),
    credits,
  );
});

test('p2c: the busiest backend gets nothing, and each other one less the busier it is', () => {
  const scene = new Scene();
  scene.loads.push({ inFlight: 0 }, { inFlight: 1 }, { inFlight: 1, waiting: 1 }, { inFlight: 3 });
  const [first = 0, second = 0, third = 0, last = 0] = scene.count(routeWith(urlsOf(4), { balance: 'p2c' }), RUNS);
  assert.equal(last, 0);
  assert.ok(first > second && second > third && third > 0, `${first} ${second} ${third}`);
  // Of the six pairs, three have the first one.
  assert.ok(chiSquare([first, second, third], [3, 2, 1]) < 6);
});

test('leastconn: only those with the fewest requests are chosen, WebSockets and waiting ones included', () => {
  const scene = new Scene();
  scene.loads.push({ inFlight: 2 }, { inFlight: 1 }, { inFlight: 0, waiting: 1 }, { inFlight: 3 });
  const counts = scene.count(routeWith(urlsOf(4), { balance: 'leastconn' }), RUNS);
  assert.ok(chiSquare(counts, [0, 1, 1, 0]) < 12, counts.join(' '));
});

const CLIENTS = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);

test('hash: keys are spread over the backends as chance would do it', () => {
  const scene = new Scene();
  const route = routeWith(urlsOf(5), { balance: 'hash:ip' });
  const counts = [0, 0, 0, 0, 0];
  for (const clientIp of CLIENTS) {
    const id = scene.choose(route, { clientIp });
    counts[id] = (counts[id] ?? 0) + 1;
  }
  assert.ok(chiSquare(counts, EQUAL) < 6, counts.join(' '));
});

for (const [what, marks] of [
  ['dies', { dead: new Set([7]), deadByRouters: new Set<number>() }],
  ['is taken from the list', null],
] as const) {
  test(`hash: when one of ten ${what}, its keys alone move, to all others, about a tenth of all`, () => {
    const scene = new Scene();
    const urls = urlsOf(10);
    const before = routeWith(urls, { balance: 'hash:ip' });
    const after =
      marks === null
        ? routeWith(
            urls.filter((_, i) => i !== 7),
            { balance: 'hash:ip' },
          )
        : routeWith(urls, { balance: 'hash:ip' }, marks);
    const heirs = new Set<string>();
    let moved = 0;
    for (const clientIp of CLIENTS) {
      const from = before.backends[scene.choose(before, { clientIp })]?.href ?? '';
      const to = after.backends[scene.choose(after, { clientIp })]?.href ?? '';
      if (from === to) continue;
      moved++;
      assert.equal(from, urls[7]);
      heirs.add(to);
    }
    assert.ok(moved > 0 && moved <= (1.5 / 10) * CLIENTS.length, `${moved} moved`);
    assert.equal(heirs.size, 9);
  });
}

test('hash: the order of the list does not count, and a new backend takes keys from all', () => {
  const scene = new Scene();
  const urls = urlsOf(9);
  const before = routeWith(urls, { balance: 'hash:path' });
  const after = routeWith(['http://10.9.9.9', ...urls.toReversed()], { balance: 'hash:path' });
  let moved = 0;
  for (const path of CLIENTS) {
    const from = before.backends[scene.choose(before, { path })]?.href;
    const to = after.backends[scene.choose(after, { path })]?.href;
    if (from === to) continue;
    moved++;
    assert.equal(to, 'http://10.9.9.9');
  }
  assert.ok(moved > 0 && moved <= (1.5 / 10) * CLIENTS.length, `${moved} moved`);
});

test('hash: the next best of a key is the same for each of its requests', () => {
  const scene = new Scene();
  const route = routeWith(urlsOf(5), { balance: 'hash:ip' });
  for (const clientIp of CLIENTS.slice(0, 100)) {
    const first = scene.choose(route, { clientIp });
    const second = scene.choose(route, { clientIp }, [first]);
    assert.notEqual(second, first);
    assert.equal(scene.choose(route, { clientIp }, [first]), second);
    const marks = { dead: new Set([first]), deadByRouters: new Set<number>() };
    assert.equal(scene.choose(routeWith(urlsOf(5), { balance: 'hash:ip' }, marks), { clientIp }), second);
  }
});

test('hash: the query does not count for the path; an IPv6 client is its /64', () => {
  const scene = new Scene();
  const byPath = routeWith(urlsOf(50), { balance: 'hash:path' });
  assert.equal(scene.choose(byPath, { path: '/a?b=c' }), scene.choose(byPath, { path: '/a' }));
  const byAddress = routeWith(urlsOf(50), { balance: 'hash:ip' });
  const chosen = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:db8:1:3::1'].map((clientIp) =>
    scene.choose(byAddress, { clientIp }),
  );
  assert.equal(chosen[0], chosen[1]);
  assert.notEqual(chosen[0], chosen[2]);
});

test('hash: requests without the field or cookie are balanced by chance', () => {
  for (const balance of ['hash:header:X-User', 'hash:cookie:user']) {
    const route = routeWith(urlsOf(5), { balance });
    const counts = new Scene().count(route, RUNS);
    assert.ok(chiSquare(counts, EQUAL) < 6, counts.join(' '));
    const scene = new Scene();
    const ids = new Set(Array.from({ length: 20 }, () => scene.choose(route, { affinity: 'anna' })));
    assert.equal(ids.size, 1);
  }
});

test('hash: it is the same in all versions of the router', () => {
  // Routers of two versions serve side by side during an upgrade.
  assert.deepEqual(['', 'a', 'http://10.0.0.1:8080'].map(hashOf), [-1421968373, 444641715, -2131286409]);
  const scene = new Scene();
  const route = routeWith(urlsOf(8), { balance: 'hash:ip' });
  const ids = CLIENTS.slice(0, 12).map((clientIp) => scene.choose(route, { clientIp }));
  assert.deepEqual(ids, [1, 7, 3, 1, 3, 1, 4, 3, 3, 5, 7, 2]);
});

test('latency: the slow backend gets less, and gets requests again when time has passed', () => {
  const scene = new Scene();
  const route = routeWith(urlsOf(2), { balance: 'latency' });
  scene.loads.push({ peakMs: 1_000, peakAt: 0 }, { peakMs: 10, peakAt: 0 });
  assert.deepEqual(scene.count(route, 100), [0, 100]);
  // The fast one has responses all the time, the slow one has none.
  scene.time = 60_000;
  scene.loads[1] = { peakMs: 10, peakAt: 60_000 };
  assert.deepEqual(scene.count(route, 100), [100, 0]);
});

test('latency: requests in flight count, so that a fast backend is not overrun', () => {
  const scene = new Scene();
  const route = routeWith(urlsOf(2), { balance: 'latency' });
  scene.loads.push({ peakMs: 30 }, { peakMs: 10, inFlight: 3 });
  assert.deepEqual(scene.count(route, 100), [100, 0]);
  scene.loads[1] = { peakMs: 10, inFlight: 1 };
  assert.deepEqual(scene.count(route, 100), [0, 100]);
});

test('latency: one request finds out about a new backend, and others wait for its response', () => {
  const scene = new Scene();
  const route = routeWith(urlsOf(2), { balance: 'latency' });
  scene.loads.push({ peakMs: 0 }, { peakMs: 10 });
  assert.equal(scene.choose(route), 0);
  scene.loads[0] = { peakMs: 0, inFlight: 1 };
  assert.deepEqual(scene.count(route, 100), [0, 100]);
});

test('latency: a slow response counts at once, fast ones lower it slowly', () => {
  assert.equal(peakAfter(10, 5, 500), 500);
  const soon = peakAfter(500, 100, 10);
  const late = peakAfter(500, 60_000, 10);
  assert.ok(soon > 450 && soon < 500, `${soon}`);
  assert.ok(late < 15, `${late}`);
});

/** `eject`: which backends are rested, and for how long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ejection, Outliers } from '../../lib/backends/outliers.ts';
import { failureOf, isOutlier, mostResting, WindowCounts } from '../../lib/core/health/outlier.ts';
import type { RestingBackends } from '../../lib/core/routing/choice.ts';
import type { Outcome, Route } from '../../lib/core/routing/types.ts';
import { fieldFault, makeSite } from '../../lib/sites/site.ts';
import { routeWith, Scene, urlsOf } from '../support/balancing.ts';

const RULE = { kind: '5xx', share: 0.5, windowMs: 10_000, least: 10 } as const;
const answered = (status: number, retryAfter = false): Outcome => ({ type: 'answered', status, retryAfter });
const GOOD = answered(200);
const BAD = answered(500);

const ruleOf = (text: string) => makeSite({ host: new Map([['eject', text]]) }).eject;

const others = (requests: number, failures: number) => ({ requests, failures });

test('the field is a kind, a share, a window and a minimum', () => {
  assert.deepEqual(ruleOf('5xx:50% 10s'), RULE);
  assert.deepEqual(ruleOf('gateway:5%  600s  min:20'), { kind: 'gateway', share: 0.05, windowMs: 600_000, least: 20 });
  assert.equal(ruleOf('off'), null);
  for (const text of ['', '5xx', '5xx:50%', '5xx:0% 10s', '5xx:101% 10s', '5xx:50% 0s', '5xx:50% 601s', '4xx:50% 10s'])
    assert.notEqual(fieldFault('eject', text), null, text);
  for (const text of ['5xx:50 10s', '5xx:50% 10', '5xx:50% 10s min:0', '5xx:50% 10s 20', '5xx:-5% 10s'])
    assert.notEqual(fieldFault('eject', text), null, text);
});

test('responses and connections that fail count; what shows nothing about the backend does not', () => {
  const cause = new Error('x');
  const failed = (outcome: Outcome) => failureOf(RULE, outcome);
  assert.deepEqual(
    [200, 404, 500, 502, 599, 600].map((status) => failed(answered(status))),
    [false, false, true, true, true, false],
  );
  assert.equal(failed(answered(503, true)), false);
  assert.equal(failureOf({ ...RULE, kind: 'gateway' }, BAD), false);
  assert.equal(failureOf({ ...RULE, kind: 'gateway' }, answered(504)), true);
  assert.equal(failed({ type: 'upgraded' }), false);
  assert.equal(failed({ type: 'unreachable', cause }), true);
  assert.equal(failed({ type: 'silent', cause, hasRespondedToOthers: true }), true);
  for (const type of ['crowded', 'unfit', 'dropped'] as const) assert.equal(failed({ type, cause }), null);
  assert.equal(failed({ type: 'abandoned' }), null);
});

test('an outlier fails often enough, and far more often than the others', () => {
  assert.ok(isOutlier({ requests: 10, failures: 5 }, others(30, 0), RULE));
  assert.ok(!isOutlier({ requests: 9, failures: 9 }, others(30, 0), RULE), 'too few');
  assert.ok(!isOutlier({ requests: 10, failures: 4 }, others(30, 0), RULE), 'too seldom');
  assert.ok(isOutlier({ requests: 10, failures: 8 }, others(30, 12), RULE));
  assert.ok(!isOutlier({ requests: 10, failures: 8 }, others(30, 13), RULE), 'the others fail, too');
  assert.ok(isOutlier({ requests: 10, failures: 8 }, others(0, 0), RULE), 'the others have no requests');
  assert.deepEqual([1, 2, 3, 4, 5].map(mostResting), [0, 1, 1, 2, 2]);
});

test('a window forgets what is older, however long nothing came', () => {
  const counts = new WindowCounts();
  for (let slice = 100; slice < 110; slice++) counts.add(slice % 2 === 0, slice);
  assert.deepEqual(counts.total(109), { requests: 10, failures: 5 });
  assert.deepEqual(counts.total(110), { requests: 9, failures: 4 });
  assert.deepEqual(counts.total(118), { requests: 1, failures: 0 });
  assert.deepEqual(counts.total(1_000_000), { requests: 0, failures: 0 });
  counts.add(true, 1_000_000);
  assert.deepEqual(counts.total(1_000_000), { requests: 1, failures: 1 });
});

class OutlierScene extends Scene {
  readonly ejections: Ejection[] = [];
  readonly #outliers = new Outliers(
    () => this.time,
    (ejection) => this.ejections.push(ejection),
  );
  override readonly outliers: RestingBackends = this.#outliers;

  /** Requests that the router's own choice leads to backends, of which those with these ids fail. */
  run(route: Route, bad: readonly number[], times = 200): readonly number[] {
    const counts = route.backends.map(() => 0);
    for (let i = 0; i < times; i++) {
      const id = this.choose(route);
      counts[id] = (counts[id] ?? 0) + 1;
      const backend = route.backends[id];
      assert.ok(backend && route.site.eject);
      this.#outliers.ended({ route, backend }, bad.includes(id) ? BAD : GOOD, route.site.eject);
    }
    return counts;
  }
}

const EJECT = { eject: '5xx:50% 10s' };

test('a backend that fails is rested for a window, then for twice as long each time', () => {
  const route = routeWith(urlsOf(3), EJECT);
  const scene = new OutlierScene();
  assert.equal(scene.run(route, [1])[1], 10, 'the minimum of requests');
  const rests: number[] = [];
  for (let i = 0; i < 6; i++) {
    const { restSeconds = 0 } = scene.ejections.at(-1) ?? {};
    rests.push(restSeconds);
    scene.time += restSeconds * 1_000 - 1;
    assert.equal(scene.run(route, [1])[1], 0);
    scene.time += 1;
    assert.equal(scene.run(route, [1])[1], 10);
  }
  assert.deepEqual(rests, [10, 20, 40, 80, 100, 100]);
  // Well for so long: the next rest is a short one again.
  scene.time += 100_000 + 100_000;
  scene.run(route, [1]);
  assert.equal(scene.ejections.at(-1)?.restSeconds, 10);
});

test('at most half of a site rests, and no site is without a backend', () => {
  const scene = new OutlierScene();
  const half = routeWith(urlsOf(5), EJECT);
  scene.run(half, [0, 1, 2], 1_000);
  assert.ok(scene.ejections.length <= 2, `${scene.ejections.length}`);
  const two = routeWith(urlsOf(2), EJECT);
  scene.run(two, [0]);
  assert.deepEqual(scene.run(two, [0]), [0, 200]);
  const marked = { ...two, dead: new Set([1]) };
  assert.deepEqual(scene.run(marked, []), [200, 0], 'the others are dead');
  assert.equal(scene.choose(two, {}, [1]), 0, 'the others have failed');
  const sole = new OutlierScene();
  assert.deepEqual(sole.run(routeWith(urlsOf(1), EJECT), [0]), [200]);
  assert.equal(sole.ejections.length, 0);
});

test('where all fail alike none is rested', () => {
  const scene = new OutlierScene();
  scene.run(routeWith(urlsOf(4), EJECT), [0, 1, 2, 3], 1_000);
  // The first failures, before the others have any, may look like an outlier's.
  assert.ok(scene.ejections.length <= 1, `${scene.ejections.length}`);
});

test('a client whose sticky backend is rested gets another one', () => {
  const scene = new OutlierScene();
  const route = routeWith(urlsOf(3), { ...EJECT, sticky: 'sid' });
  scene.run(route, [1]);
  assert.notEqual(scene.choose(route, { cookies: [`x.io ${urlsOf(3)[1]}`] }), 1);
  assert.equal(scene.choose(route, { cookies: [`x.io ${urlsOf(3)[2]}`] }), 2);
});

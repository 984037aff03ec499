import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRemoved, MOST_TIMES, restTimes, trialWaitMs, withTrials } from '../../lib/core/health/trial.ts';
import { NO_MARKS, readList } from '../../lib/core/routing/backend.ts';
import type { TrialChoice } from '../../lib/core/routing/choice.ts';
import type { Backend } from '../../lib/core/routing/types.ts';
import { routeWith, Scene, TRAITS, urlsOf } from '../support/balancing.ts';

const URLS = urlsOf(3);
const [A = '', B = '', C = ''] = URLS;
const LIST = readList(['x', ...URLS], () => assert.fail());
const NOW = 50_000;

/** Marked by a router 10 s ago, for 30 s. */
const MARKED = { sinceMs: 10_000, markLeftMs: 20_000, leftMs: 20_000 };
/** For the third time; Redis has forgotten the mark itself. */
const RESTING = { sinceMs: 40_000, markLeftMs: -10_000, leftMs: 80_000 };
const DUE = { sinceMs: 31_000, markLeftMs: -1_000, leftMs: -1_000 };

function tried(dead: readonly number[], byRouters: readonly number[], records: [string, typeof MARKED][], list = LIST) {
  const marks = { dead: new Set(dead), deadByRouters: new Set(byRouters) };
  const { marks: found, removed } = withTrials(marks, list, new Map(records), NOW, 0);
  const { onTrial = new Map<number, number>() } = found;
  return { dead: [...found.dead], byRouters: [...found.deadByRouters], onTrial: [...onTrial], removed };
}

test('a backend is dead until its time is over, however long Redis has its mark, and then on trial', () => {
  const marked = { dead: [1], byRouters: [1], onTrial: [], removed: [] };
  assert.deepEqual(tried([1], [1], [[B, MARKED]]), marked);
  assert.deepEqual(tried([], [], [[B, RESTING]]), marked);
  const due = { ...marked, onTrial: [[1, NOW - 1_000]] };
  assert.deepEqual(tried([], [], [[B, DUE]]), due);
  // Another backend's mark has extended the set's TTL.
  assert.deepEqual(tried([1], [1], [[B, DUE]]), due);
});

test('marks of checkers and operators count as they are: no trial ends them', () => {
  assert.deepEqual(tried([1], [], [[B, DUE]]), { dead: [1], byRouters: [], onTrial: [], removed: [] });
});

test('a mark that someone has removed ends the time of its backend, and its record is void', () => {
  assert.deepEqual(tried([], [], [[B, MARKED]]), { dead: [], byRouters: [], onTrial: [], removed: [B] });
  assert.ok(!isRemoved({ ...MARKED, sinceMs: 500 }, 1_000), 'the mark may be read a moment before its record');
  assert.ok(!isRemoved({ ...MARKED, markLeftMs: 50 }, 0), 'the mark may have expired a moment before');
});

test('a URL that stands twice has one record', () => {
  const twice = readList(['x', A, B, B], () => assert.fail());
  assert.deepEqual(tried([1], [1], [[B, MARKED]], twice), { dead: [1], byRouters: [1], onTrial: [], removed: [] });
  assert.deepEqual(tried([], [], [[B, DUE]], twice).dead, [1, 2]);
});

test('a sole backend has no trial, and a URL that is not in the list has none', () => {
  const sole = readList(['x', B], () => assert.fail());
  assert.deepEqual(tried([], [], [[B, DUE]], sole).dead, []);
  assert.deepEqual(tried([], [], [['http://10.9.9.9', DUE]]).dead, []);
});

test('no site is without a backend because trials have failed', () => {
  const all: [string, typeof MARKED][] = URLS.map((url) => [url, RESTING]);
  assert.deepEqual(
    tried([], [], all).onTrial.map(([id]) => id),
    [0, 1, 2],
  );
  // Those with a mark would be dead without trials, too.
  const two = tried(
    [0],
    [0],
    [
      [A, MARKED],
      [B, RESTING],
      [C, RESTING],
    ],
  );
  assert.deepEqual(
    two.onTrial.map(([id]) => id),
    [1, 2],
  );
});

test('each failed trial doubles the time of the mark, to ten times', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 100].map(restTimes), [1, 2, 4, 8, MOST_TIMES, MOST_TIMES, MOST_TIMES]);
});

function waitMs(method: string, hasBody = false): number {
  return trialWaitMs({ ...TRAITS, method, hasBody });
}

test('GET and HEAD are trials at once, what may be sent twice after a second, anything after two', () => {
  assert.deepEqual(
    ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST'].map((method) => waitMs(method)),
    [0, 0, 1000, 1000, 2000],
  );
  assert.equal(waitMs('GET', true), 2000);
});

/** Gives the trial of the first backend that may have one. */
class Granting implements TrialChoice {
  readonly asked: number[][] = [];
  next(_: unknown, among: readonly Backend[]): Backend | null {
    this.asked.push(among.map(({ id }) => id));
    return among[0] ?? null;
  }
  begun(): void {}
  left(): void {}
}

class TrialScene extends Scene {
  override readonly trials = new Granting();
}

const onTrial = (...ids: number[]) => ({
  dead: new Set(ids),
  deadByRouters: new Set(ids),
  onTrial: new Map(ids.map((id) => [id, 0])),
});

test('a backend on trial gets a request only as its trial', () => {
  const route = routeWith(URLS, {}, onTrial(2));
  const scene = new TrialScene();
  assert.equal(scene.choose(route), 2);
  assert.equal(new Scene().count(route, 100)[2], 0);
  // A request that has failed elsewhere is no trial.
  assert.notEqual(scene.choose(route, {}, [0]), 2);
  assert.equal(scene.trials.asked.length, 1);
  assert.equal(scene.choose(routeWith(URLS, {}, NO_MARKS)) < 3 && scene.trials.asked.length, 1);
});

test('without a living backend those on trial serve, one after the other', () => {
  const route = routeWith(URLS, {}, { ...onTrial(1, 2), dead: new Set([0, 1, 2]) });
  const scene = new TrialScene();
  assert.deepEqual(scene.count(route, 100)[0], 0);
  assert.equal(scene.choose(route, {}, [1]), 2);
  assert.equal(scene.choose(route, {}, [1, 2]), -1);
  assert.equal(scene.trials.asked.length, 0);
});

test('when all living ones have failed, each one on trial is tried', () => {
  const route = routeWith(URLS, {}, onTrial(1, 2));
  const scene = new Scene();
  const second = scene.choose(route, {}, [0]);
  assert.ok(second === 1 || second === 2);
  assert.equal(scene.choose(route, {}, [0, second]), 3 - second);
  assert.equal(scene.choose(route, {}, [0, 1, 2]), -1);
});

test('a client stays at its sticky backend, and a draining backend or a backup gets no trial', () => {
  const scene = new TrialScene();
  const sticky = routeWith(URLS, { sticky: 'sid' }, onTrial(2));
  assert.notEqual(scene.choose(sticky, { cookies: [`x.io ${A}`] }), 2);
  assert.equal(scene.choose(sticky), 2);
  for (const weight of ['0', 'backup'])
    assert.notEqual(scene.choose(routeWith(URLS, {}, onTrial(2), { [C]: weight })), 2);
});

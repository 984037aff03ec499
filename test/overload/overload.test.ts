/** An overloaded worker, with a lag that the test sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoopLag } from '../../lib/overload/loop-lag.ts';
import { Overload, type OverloadNotice } from '../../lib/overload/overload.ts';

class Scene {
  lagMs: number | null = 0;
  now = 0;
  readonly notices: OverloadNotice[] = [];
  readonly overload = new Overload({
    lag: { take: () => this.lagMs, close: () => {} },
    limitMs: 100,
    now: () => this.now,
    notify: (notice) => this.notices.push(notice),
  });

  /** A second with so many requests of each site. @returns how many of each were refused */
  second(requests: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
    const refused = Object.fromEntries(
      Object.entries(requests).map(([key, times]) => {
        let count = 0;
        for (let i = 0; i < times; i++) if (this.overload.refuses(key)) count++;
        return [key, count];
      }),
    );
    this.now += 1000;
    this.overload.turn();
    return refused;
  }
}

const LOAD = { 'big.test': 500, 'small.test': 20, 'big.test/api': 500 };

test('while it lags, the busiest site loses more each second, with its paths, and a small one nothing', () => {
  const scene = new Scene();
  assert.deepEqual(scene.second(LOAD), { 'big.test': 0, 'small.test': 0, 'big.test/api': 0 });
  scene.lagMs = 100;
  scene.second(LOAD);
  const first = scene.second(LOAD);
  const second = scene.second(LOAD);
  assert.ok((first['big.test'] ?? 0) >= 50 && (first['big.test/api'] ?? 0) >= 50, JSON.stringify(first));
  assert.ok((second['big.test'] ?? 0) > (first['big.test'] ?? 0));
  for (let i = 0; i < 20; i++) assert.equal(scene.second(LOAD)['small.test'], 0);
  const last = scene.second(LOAD);
  assert.ok((last['big.test'] ?? 0) >= 445 && (last['big.test'] ?? 0) < 500, 'never all');
});

test('when the lag is gone it refuses less and less, then nothing, and each episode is reported once', () => {
  const scene = new Scene();
  scene.second(LOAD);
  scene.lagMs = 250;
  for (let i = 0; i < 3; i++) scene.second(LOAD);
  scene.lagMs = 0;
  let refused = Infinity;
  for (let i = 0; i < 20; i++) {
    const now = scene.second(LOAD)['big.test'] ?? 0;
    assert.ok(now <= refused + 1, `${now} after ${refused}`);
    refused = now;
  }
  assert.equal(refused, 0);
  const [begin, end, ...others] = scene.notices;
  assert.deepEqual(begin, { type: 'overloaded', lagMs: 250, sites: ['big.test'] });
  assert.ok(end?.type === 'overload-over' && end.refused > 100 && end.seconds > 3, JSON.stringify(end));
  assert.equal(others.length, 0);
});

test('bytes cost, too: a site with few requests for large bodies loses before one with many small ones', () => {
  const scene = new Scene();
  scene.lagMs = 100;
  for (let i = 0; i < 3; i++) {
    scene.second({ 'downloads.test': 20, 'many.test': 100 });
    for (let n = 0; n < 20; n++) scene.overload.sent('downloads.test', 1_000_000);
  }
  const refused = scene.second({ 'downloads.test': 20, 'many.test': 100 });
  assert.ok((refused['downloads.test'] ?? 0) > 0, JSON.stringify(refused));
  assert.equal(refused['many.test'], 0);
});

test('without a measurement it stays as it is, and sites without requests are forgotten', () => {
  const scene = new Scene();
  scene.lagMs = null;
  for (let i = 0; i < 3; i++) assert.equal(scene.second(LOAD)['big.test'], 0);
  scene.lagMs = 100;
  scene.second(LOAD);
  scene.lagMs = null;
  for (let i = 0; i < 3; i++) assert.ok((scene.second(LOAD)['big.test'] ?? 0) > 0);
  for (let i = 0; i < 30; i++) scene.second({});
  assert.equal(scene.second(LOAD)['big.test'], 0, 'nothing is left of it');
});

test('a worker counts 20,000 sites, and never refuses one beyond that', () => {
  const scene = new Scene();
  for (let i = 0; i < 20_000; i++) scene.overload.refuses(`s${i}.test`);
  scene.lagMs = 1_000;
  for (let i = 0; i < 1_000; i++) assert.equal(scene.overload.refuses('late.test'), false);
  scene.overload.turn();
  for (let i = 0; i < 1_000; i++) assert.equal(scene.overload.refuses('late.test'), false);
});

/** Keeps this process busy. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const turnOfLoop = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

test('the lag is that of most turns of the event loop: one pause, however long, is none', async (t) => {
  const lag = new LoopLag();
  t.after(() => lag.close());
  const measured = async (pauses: readonly number[]): Promise<number | null> => {
    for (const ms of pauses) {
      block(ms);
      await turnOfLoop();
    }
    return lag.take();
  };
  assert.equal(await measured([300]), null);
  const late = await measured([150, 150, 150, 150]);
  assert.ok(late !== null && late > 100 && late < 1_000, `${late} ms`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const idle = await measured([300]);
  assert.ok(idle !== null && idle < 100, `${idle} ms`);
});

/** The bandwidth of responses and sites in one worker. */
import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import { firstPaid, mayPass, paidAfter } from '../../lib/core/limits/byte-bucket.ts';
import { Bandwidths } from '../../lib/rates/bandwidths.ts';
import type { PacedFlow } from '../../lib/rates/paced-flow.ts';
import { ShareTurns } from '../../lib/rates/share-turns.ts';
import { fieldFault, makeSite } from '../../lib/sites/site.ts';
import type { ShareDemand, ShareSource } from '../../lib/store/shares.ts';

const ALONE: Pick<ShareSource, 'exchange'> = {
  exchange: async (demands) => demands.map(() => ({ share: 1, sharers: 1 })),
};

test('bytes pass at their rate: a tenth of a second at first, and never more than was saved in a quarter', () => {
  assert.equal(mayPass(firstPaid(1000), 1000, 10_000), 1_000);
  const paid = paidAfter(firstPaid(1000), 1000, 1_000, 10_000);
  assert.equal(mayPass(paid, 1000, 10_000), 0);
  assert.equal(mayPass(paid, 1100, 10_000), 1_000);
  assert.equal(mayPass(paid, 60_000, 10_000), 2_500);
  assert.equal(mayPass(paidAfter(paid, 60_000, 2_500, 10_000), 60_000, 10_000), 0);
});

/** A flow, and the ends it was opened with. */
interface Opened {
  readonly flow: PacedFlow;
  passed: number;
  isPaused: boolean;
}

class Scene {
  now = 1000;
  readonly clock = new TimeLimits(() => this.now);
  readonly bandwidths: Bandwidths;

  constructor(t: TestContext, shares = ALONE) {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const now = (): number => this.now;
    this.bandwidths = new Bandwidths({ turns: new ShareTurns({ shares, now }), clock: this.clock, now });
  }

  /** A flow whose source sends pieces of 64 KiB for as long as it is not paused. */
  open(perSecond: number, perSite: number, key = 'site.test'): Opened {
    const opened = { passed: 0, isPaused: false };
    const flow = this.bandwidths.open({ perSite }, key, perSecond, {
      pass: (bytes) => (opened.passed += bytes.length),
      pause: () => (opened.isPaused = true),
      resume: () => (opened.isPaused = false),
    });
    return Object.assign(opened, { flow });
  }

  /** Lets time pass, in the clock's ticks. */
  async pass(ms: number, ...opened: readonly Opened[]): Promise<void> {
    for (let i = 0; i < ms / 50; i++) {
      this.now += 50;
      mock.timers.tick(50);
      if (i % 2 === 1) this.clock.check();
      await new Promise((resolve) => setImmediate(resolve));
      for (const each of opened) while (!each.isPaused && each.passed < 1e9) each.flow.write(PIECE);
    }
  }
}

const PIECE = Buffer.alloc(65_536);

function assertNear(found: number, wanted: number, what: string): void {
  assert.ok(Math.abs(found - wanted) <= wanted / 20, `${what}: ${found} of ${wanted}`);
}

test('a flow passes its rate, however large the pieces are, and holds one piece', async (t) => {
  const scene = new Scene(t);
  for (const perSecond of [1_024, 100_000, 10_000_000]) {
    const one = scene.open(perSecond, 0, `${perSecond}`);
    await scene.pass(1_000, one);
    const before = one.passed;
    await scene.pass(10_000, one);
    assertNear(one.passed - before, perSecond * 10, `${perSecond}`);
    one.flow.stop();
  }
  assert.equal(scene.clock.size, 0);
});

test('a few bytes pass at once, and more when their time has come, with the end behind them', async (t) => {
  const scene = new Scene(t);
  const one = scene.open(10_000, 0);
  one.flow.write(Buffer.alloc(900));
  assert.deepEqual([one.passed, one.isPaused, one.flow.isWaiting], [900, false, false]);
  one.flow.write(Buffer.alloc(1_100));
  assert.deepEqual([one.passed, one.isPaused, one.flow.isWaiting], [1_000, true, true]);
  let hasEnded = false;
  one.flow.end(() => (hasEnded = true));
  assert.equal(hasEnded, false);
  await scene.pass(150);
  assert.deepEqual([one.passed, hasEnded, one.flow.isWaiting], [2_000, true, false]);
});

test('flows of one site have equal parts of its rate, and those of another site have all of theirs', async (t) => {
  const scene = new Scene(t);
  const [a, b, c] = [scene.open(0, 300_000), scene.open(0, 300_000), scene.open(20_000, 300_000)];
  const other = scene.open(0, 300_000, 'other.test');
  await scene.pass(10_000, a, b, c, other);
  assertNear(a.passed + b.passed + c.passed, 3_000_000, 'the site');
  assertNear(c.passed, 200_000, 'one with a rate of its own');
  assertNear(a.passed, 1_400_000, 'one of two others');
  assertNear(other.passed, 3_000_000, 'the other site');
});

test('many flows of a slow site all go on', async (t) => {
  const scene = new Scene(t);
  const flows = Array.from({ length: 200 }, () => scene.open(0, 50_000));
  await scene.pass(10_000, ...flows);
  const passed = flows.map((flow) => flow.passed);
  assertNear(
    passed.reduce((sum, each) => sum + each, 0),
    500_000,
    'all',
  );
  assert.ok(Math.min(...passed) >= 1_024, `${Math.min(...passed)}`);
});

test('a flow whose receiver is blocked takes nothing from its site, and goes on when it drains', async (t) => {
  const scene = new Scene(t);
  const [blocked, other] = [scene.open(0, 100_000), scene.open(0, 100_000)];
  blocked.flow.write(PIECE);
  blocked.flow.block();
  assert.deepEqual([blocked.isPaused, blocked.flow.isWaiting], [true, false]);
  const before = blocked.passed;
  await scene.pass(10_000, other);
  assert.equal(blocked.passed, before);
  assertNear(other.passed, 1_000_000, 'the other');
  blocked.flow.unblock();
  await scene.pass(5_000, blocked, other);
  assertNear(blocked.passed - before, 250_000, 'half');
});

test('a flow that stops passes nothing more, and leaves neither timer nor site behind', async (t) => {
  const scene = new Scene(t);
  const flows = [scene.open(0, 10_000), scene.open(5_000, 10_000), scene.open(0, 10_000)];
  await scene.pass(500, ...flows);
  const passed = flows.map((flow) => flow.passed);
  for (const { flow } of flows) flow.stop();
  for (const { flow } of flows) flow.stop();
  for (const { flow } of flows) flow.write(PIECE);
  await scene.pass(2_000);
  assert.deepEqual(
    flows.map((flow) => flow.passed),
    passed,
  );
  assert.deepEqual([scene.bandwidths.size, scene.clock.size], [0, 0]);
});

test('a site whose flows follow one another does not get its first bytes anew each time', (t) => {
  const scene = new Scene(t);
  let passed = 0;
  for (let i = 0; i < 20; i++) {
    const one = scene.open(0, 10_000);
    one.flow.write(Buffer.alloc(500));
    passed += one.passed;
    one.flow.stop();
  }
  assert.equal(passed, 1_000);
});

test('a worker has its share of the bandwidth of a site, and asks for more with more flows', async (t) => {
  const asked: ShareDemand[] = [];
  const shares: Pick<ShareSource, 'exchange'> = {
    exchange: async (demands) => {
      asked.push(...demands);
      return demands.map(() => ({ share: 0.25, sharers: 4 }));
    },
  };
  const scene = new Scene(t, shares);
  const flows = [scene.open(0, 400_000), scene.open(0, 400_000)];
  await scene.pass(1_000, ...flows);
  const before = flows.map((flow) => flow.passed);
  await scene.pass(10_000, ...flows);
  assertNear((flows[0]?.passed ?? 0) - (before[0] ?? 0), 500_000, 'half of a quarter');
  // In a turn: what has passed, and for each flow that waits the whole.
  assertNear(asked.at(-1)?.asked ?? 0, 25_000 + 2 * 100_000, 'the demand');
  assert.doesNotMatch(asked[0]?.key ?? '', /site/);
});

const ruleOf = (...fields: readonly (readonly [string, string])[]) => {
  const { bandwidth, mayServeFast } = makeSite({ host: new Map(fields) });
  return [bandwidth, mayServeFast('site.test', 'http', '/', false)];
};

test('the fields say bytes per second, and sites without a limit stay in the fast lane', () => {
  assert.deepEqual(ruleOf(['bandwidth', '64000']), [{ perResponse: 64_000, byField: false, perSite: 0 }, false]);
  assert.deepEqual(ruleOf(['bandwidth', 'X-Traffic']), [{ perResponse: 0, byField: true, perSite: 0 }, false]);
  assert.deepEqual(ruleOf(['bandwidth', '64000 x-traffic'], ['bandwidthSite', '1000000']), [
    { perResponse: 64_000, byField: true, perSite: 1_000_000 },
    false,
  ]);
  assert.deepEqual(ruleOf(['bandwidth', 'off'], ['bandwidthSite', 'off']), [null, true]);
  for (const text of ['', '0', '1023', '64k', '1.5', '-1', 'x-traffic 64000', '10000000000000'])
    assert.notEqual(fieldFault('bandwidth', text), null, text);
  for (const text of ['', '0', '1023', 'x-traffic', '1000000 x-traffic'])
    assert.notEqual(fieldFault('bandwidthSite', text), null, text);
});

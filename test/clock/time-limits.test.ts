import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Timer, TimeLimits } from '../../lib/clock/time-limits.ts';

/** Time that passes when the test says so, for intervals and for the clock they look at alike. */
function fakeTime(t: TestContext): { readonly pass: (ms: number) => void } {
  let now = 1_000;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setInterval'] });
  return {
    pass: (ms) => {
      for (let passed = 0; passed < ms; passed += 50) {
        now += 50;
        t.mock.timers.tick(50);
      }
    },
  };
}

function counter(): { readonly timer: Timer; readonly rung: () => number } {
  let rung = 0;
  return { timer: new Timer(() => rung++), rung: () => rung };
}

test('a timer is called once, within a tenth of a second after its limit', (t) => {
  const time = fakeTime(t);
  const clock = new TimeLimits();
  const { timer, rung } = counter();
  clock.set(timer, 1_000);
  time.pass(950);
  assert.equal(rung(), 0);
  time.pass(150);
  assert.equal(rung(), 1);
  time.pass(5_000);
  assert.equal(rung(), 1);
  assert.equal(clock.size, 0);
});

test('a timer that is set between two ticks is not early', (t) => {
  const time = fakeTime(t);
  const clock = new TimeLimits();
  clock.set(counter().timer, 60_000);
  time.pass(50);
  const { timer, rung } = counter();
  clock.set(timer, 100);
  time.pass(50);
  assert.equal(rung(), 0);
  time.pass(150);
  assert.equal(rung(), 1);
});

test('a timer that is postponed is called when it was postponed to', (t) => {
  const time = fakeTime(t);
  const clock = new TimeLimits();
  const { timer, rung } = counter();
  clock.set(timer, 1_000);
  for (let i = 0; i < 5; i++) {
    time.pass(800);
    clock.set(timer, 1_000);
  }
  assert.equal(rung(), 0);
  time.pass(1_100);
  assert.equal(rung(), 1);
});

test('an alarm that was called off, or whose limit is 0, never rings', (t) => {
  const time = fakeTime(t);
  const clock = new TimeLimits();
  const [cleared, unlimited, never] = [counter(), counter(), counter()];
  clock.set(cleared.timer, 500);
  clock.clear(cleared.timer);
  clock.set(unlimited.timer, 500);
  clock.set(unlimited.timer, 0);
  clock.set(never.timer, 0);
  assert.equal(clock.size, 0);
  time.pass(2_000);
  assert.deepEqual([cleared.rung(), unlimited.rung(), never.rung()], [0, 0, 0]);
});

test('an alarm may set itself and others while it rings', (t) => {
  const time = fakeTime(t);
  const clock = new TimeLimits();
  const other = counter();
  let rung = 0;
  const timer = new Timer(() => {
    if (++rung === 1) clock.set(other.timer, 300);
    if (rung < 3) clock.set(timer, 300);
  });
  clock.set(timer, 300);
  time.pass(3_000);
  assert.deepEqual([rung, other.rung()], [3, 1]);
});

test('after a quiet time the limit counts from now, not from the last alarm', (t) => {
  const time = fakeTime(t);
  const clock = new TimeLimits();
  const { timer, rung } = counter();
  clock.set(timer, 100);
  time.pass(60_000);
  clock.set(timer, 1_000);
  time.pass(900);
  assert.equal(rung(), 1);
  time.pass(200);
  assert.equal(rung(), 2);
});

test('a waiting timer does not keep the process alive', async () => {
  const module = new URL('../../lib/clock/time-limits.js', import.meta.url).href;
  const script = `import { Timer, TimeLimits } from '${module}'; new TimeLimits().set(new Timer(() => {}), 3_600_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('an object that sets its own limit is called once for each, until it is removed', (t) => {
  const time = fakeTime(t);
  const clock = new TimeLimits();
  let calls = 0;
  const timed = { due: clock.after(1_000), onTimeout: () => calls++ };
  clock.add(timed);
  time.pass(950);
  assert.equal(calls, 0);
  time.pass(5_000);
  assert.equal(calls, 1);
  assert.equal(clock.size, 1);
  timed.due = clock.after(1_000);
  time.pass(1_100);
  assert.equal(calls, 2);
  timed.due = clock.after(0);
  time.pass(60_000);
  assert.equal(calls, 2);
  timed.due = clock.after(1_000);
  clock.remove(timed);
  time.pass(5_000);
  assert.equal(calls, 2);
});

test('many time-outs at once come in several turns of the event loop, each once', async () => {
  let now = 0;
  const limits = new TimeLimits(() => now);
  const called: number[] = [];
  for (let i = 0; i < 100; i++) limits.set(new Timer(() => called.push(i)), 10);
  now = 10;
  limits.check();
  const first = called.length;
  assert.ok(first > 0 && first < 50, String(first));
  limits.check();
  assert.equal(called.length, first, 'they go on by themselves');
  while (limits.size > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    called,
    Array.from({ length: 100 }, (_, i) => i),
  );
});

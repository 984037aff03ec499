import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeLimits } from '../../lib/clock/time-limits.ts';
import type { Exchange } from '../../lib/proxy/exchange.ts';
import { inTime } from '../../lib/proxy/in-time.ts';
import { deferred } from '../support/deferred.ts';

const exchange = (): Exchange => ({ onInterrupt: null }) as unknown as Exchange;

test('what comes in time is handed on, and nothing is left behind', async () => {
  const clock = new TimeLimits();
  const asking = exchange();
  const late: string[] = [];
  const wait = { clock, limitMs: 10_000 };
  assert.equal(await inTime(asking, Promise.resolve('file'), wait, (each) => late.push(each)), 'file');
  assert.deepEqual([clock.size, asking.onInterrupt, late], [0, null, []]);
});

test('what takes longer than the limit is a silence, and what comes of it later is thrown away', async () => {
  const work = deferred<string>();
  const late: string[] = [];
  const wait = { clock: new TimeLimits(), limitMs: 1 };
  const waiting = inTime(exchange(), work.promise, wait, (each) => late.push(each));
  // The clock is no reason to live on.
  const alive = setInterval(() => {}, 1000);
  const outcome = await waiting;
  clearInterval(alive);
  assert.ok(typeof outcome !== 'string' && outcome.type === 'silent');
  work.resolve('file');
  await work.promise;
  assert.deepEqual(late, ['file']);
});

test('a client that leaves ends the wait', async () => {
  const work = deferred<string>();
  const late: string[] = [];
  const clock = new TimeLimits();
  const asking = exchange();
  const waiting = inTime(asking, work.promise, { clock, limitMs: 10_000 }, (each) => late.push(each));
  asking.onInterrupt?.();
  assert.deepEqual(await waiting, { type: 'abandoned' });
  work.resolve('file');
  await work.promise;
  assert.deepEqual([clock.size, late], [0, ['file']]);
});

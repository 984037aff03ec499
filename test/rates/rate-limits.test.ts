/** Rate limits in one worker, and its share of them. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { RateRule } from '../../lib/core/routing/site.ts';
import { rateFields } from '../../lib/rates/rate-fields.ts';
import { rateKey } from '../../lib/rates/rate-key.ts';
import { fieldFault, makeSite } from '../../lib/sites/site.ts';
import { RateLimits, type RateLimitsParts } from '../../lib/rates/rate-limits.ts';
import { ShareTurns } from '../../lib/rates/share-turns.ts';
import type { ShareDemand, ShareSource } from '../../lib/store/shares.ts';

const RULE: RateRule = { requests: 100, seconds: 1, burst: 10, by: 'client' };
const ALONE: Pick<ShareSource, 'exchange'> = {
  exchange: async (demands) => demands.map(() => ({ share: 1, sharers: 1 })),
};

const partsOf = (shares: Pick<ShareSource, 'exchange'>, now: () => number): RateLimitsParts => ({
  turns: new ShareTurns({ shares, now }),
  now,
});

const passes = (limits: RateLimits, times: number, of = 'a', key = 'site.test'): number =>
  Array.from({ length: times }, () => limits.take(RULE, key, of)).filter((wait) => wait === 0).length;

test('each client of each site has its own limit', () => {
  const limits = new RateLimits(partsOf(ALONE, () => 1000));
  assert.equal(passes(limits, 50), 10);
  assert.equal(passes(limits, 50, 'b'), 10);
  assert.equal(passes(limits, 50, 'a', 'other.test'), 10);
  assert.ok(limits.take(RULE, 'site.test', 'a') > 0);
});

/** Lets the exchange of a turn come to its end. */
async function turn(ms = 250): Promise<void> {
  mock.timers.tick(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

test('a worker has the share that the store gives it, and keeps it while the store does not reply', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  let now = 1000;
  let isDown = false;
  const asked: (readonly ShareDemand[])[] = [];
  const shares: Pick<ShareSource, 'exchange'> = {
    exchange: async (demands) => {
      if (isDown) throw new Error('it does not reply');
      asked.push(demands);
      return demands.map(() => ({ share: 0.25, sharers: 4 }));
    },
  };
  const limits = new RateLimits(partsOf(shares, () => now));
  passes(limits, 50);
  await turn();
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.[0]?.asked, 50);
  assert.doesNotMatch(asked[0]?.[0]?.key ?? '', /site|\ba\b/, 'what clients send is no key');
  /** Requests that pass in a second, 10 ms after one another. */
  const second = async (): Promise<number> => {
    let through = 0;
    for (let i = 0; i < 100; i++) {
      now += 10;
      through += passes(limits, 5);
      if (i % 25 === 24) await turn();
    }
    return through;
  };
  await second();
  const shared = await second();
  assert.ok(shared >= 24 && shared <= 26, `${shared} of 25`);
  isDown = true;
  const held = (await second()) + (await second());
  assert.ok(held >= 48 && held <= 52, `${held} of 50`);
});

test('a worker that is asked for little exchanges nothing, and one that is asked for nothing ends its turns', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  let now = 1000;
  const asked: (readonly ShareDemand[])[] = [];
  const shares: Pick<ShareSource, 'exchange'> = {
    exchange: async (demands) => {
      asked.push(demands);
      return demands.map(() => ({ share: 1, sharers: 1 }));
    },
  };
  const limits = new RateLimits(partsOf(shares, () => now));
  for (let i = 0; i < 20; i++) {
    passes(limits, 1);
    now += 250;
    await turn();
  }
  assert.equal(asked.length, 0);
  passes(limits, 50);
  for (let i = 0; i < 20; i++) {
    now += 250;
    await turn();
  }
  const before = asked.length;
  assert.ok(before > 0 && before < 8, `${before} exchanges`);
});

test('a site with many clients drops its own oldest limit, and not that of another site', () => {
  const limits = new RateLimits(partsOf(ALONE, () => 1000));
  passes(limits, 20, 'a', 'other.test');
  passes(limits, 20, 'first');
  for (let i = 0; i < 20_000; i++) limits.take(RULE, 'site.test', `client ${i}`);
  assert.equal(passes(limits, 1, 'a', 'other.test'), 0, 'it still is at its limit');
  assert.equal(passes(limits, 1, 'first'), 1, 'it began anew');
});

test('a limit is of the client, the host, or a value, which itself is not kept', () => {
  const values: Readonly<Record<string, string>> = { 'x-key': 'secret', cookie: 'a=b; id=secret' };
  const of = (by: RateRule['by']): string =>
    rateKey({ ...RULE, by }, '192.0.2.1', 'site.test', values, (fields, name) => fields[name] ?? null);
  assert.equal(of('client'), '192.0.2.1');
  assert.equal(of('host'), 'site.test');
  const key = of({ kind: 'header', name: 'x-key' });
  assert.match(key, /^=[\w-]{43}$/);
  assert.equal(of({ kind: 'cookie', name: 'id' }), key);
  assert.equal(of({ kind: 'header', name: 'x-none' }), '192.0.2.1');
  assert.equal(of({ kind: 'cookie', name: 'none' }), '192.0.2.1');
});

test('the fields of a 429 say the rate, and in how many whole seconds to come back', () => {
  assert.deepEqual(rateFields({ ...RULE, requests: 600, seconds: 60 }, 1200), [
    'Retry-After',
    '2',
    'RateLimit-Policy',
    '"requests";q=600;w=60',
    'RateLimit',
    '"requests";r=0;t=2',
  ]);
  assert.equal(rateFields(RULE, 1)[1], '1');
});

const ruleOf = (rate: string, rateBy = 'client') =>
  makeSite({
    host: new Map([
      ['rate', rate],
      ['rateBy', rateBy],
    ]),
  }).rate;

test('the fields say a rate in seconds, minutes or hours, and what has it for itself', () => {
  assert.deepEqual(ruleOf('10'), { requests: 10, seconds: 1, burst: 10, by: 'client' });
  assert.deepEqual(ruleOf('10 50', 'Host'), { requests: 10, seconds: 1, burst: 50, by: 'host' });
  assert.deepEqual(ruleOf('90/m'), { requests: 90, seconds: 60, burst: 2, by: 'client' });
  assert.deepEqual(ruleOf('100/h 3', 'header:X-Key')?.by, { kind: 'header', name: 'x-key' });
  assert.deepEqual(ruleOf('100/h 3', 'cookie:Id')?.by, { kind: 'cookie', name: 'Id' });
  assert.equal(ruleOf('off'), null);
  for (const text of ['', '0', '-1', '1.5', '10/d', '10 0', '10 20 30', '99999999'])
    assert.notEqual(fieldFault('rate', text), null, text);
  for (const text of ['', 'ip', 'header:', 'cookie:a b', 'path'])
    assert.notEqual(fieldFault('rateBy', text), null, text);
});

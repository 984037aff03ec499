import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExchangeLimits } from '../../lib/core/limits/exchange-limits.ts';
import { LimitsBySite, limitsWithin } from '../../lib/core/limits/limits-by-site.ts';

const ALL: ExchangeLimits = {
  bodyMs: 30_000,
  connectMs: 5_000,
  firstByteMs: 30_000,
  responseMs: 60_000,
  tunnelMs: 0,
  bodyBytes: 0,
  headerBytes: 0,
  bodyMinRate: 240,
  readMs: 60_000,
  readMinRate: 240,
};
const OWN = { connectMs: 0, firstByteMs: 0, responseMs: 0, bodyMs: 0, tunnelMs: 0, bodyBytes: 0, headerBytes: 0 };

test('a limit that a site does not have is the configuration’s', () => {
  assert.deepEqual(limitsWithin(ALL, OWN), ALL);
});

test('a limit of a site is capped by the configuration’s, if that is one', () => {
  const own = { ...OWN, connectMs: 9_000, firstByteMs: 1_000, responseMs: 2_000, tunnelMs: 9_000, bodyBytes: 10 };
  const { connectMs, firstByteMs, responseMs, readMs, tunnelMs, bodyBytes } = limitsWithin(ALL, own);
  assert.deepEqual(
    [connectMs, firstByteMs, responseMs, readMs, tunnelMs, bodyBytes],
    [5_000, 1_000, 2_000, 2_000, 9_000, 10],
  );
});

test('the limits of a site are computed once', () => {
  const limits = new LimitsBySite(ALL);
  assert.equal(limits.of(OWN), limits.of(OWN));
  assert.ok(Object.isFrozen(limits.of(OWN)));
});

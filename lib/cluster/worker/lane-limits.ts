/** Converts the configuration's limits, in seconds, to those of the lanes, in ms. */
import type { ServerConfig } from '../../config/config.ts';
import type { ExchangeLimits, FastLaneLimits } from '../../core/limits/exchange-limits.ts';
import { READ_LAG_MS } from '../../core/limits/pace.ts';

/** The limits of an exchange in the full lane. */
export function fullLaneLimits({ timeouts, limits }: ServerConfig): ExchangeLimits {
  return {
    bodyMs: timeouts.body * 1000,
    connectMs: timeouts.connect * 1000,
    firstByteMs: timeouts.firstByte * 1000,
    responseMs: timeouts.response * 1000,
    tunnelMs: timeouts.tunnel * 1000,
    bodyBytes: limits.bodyBytes,
    headerBytes: 0,
    bodyMinRate: limits.bodyMinRate,
    // A client that reads nothing is slower than any minimum rate.
    readMs: timeouts.response > 0 || limits.readMinRate === 0 ? timeouts.response * 1000 : READ_LAG_MS,
    readMinRate: limits.readMinRate,
  };
}

/** The limits of the fast lane, which also reads heads and keeps connections alive. */
export function fastLaneLimits(server: ServerConfig): FastLaneLimits {
  const { timeouts, limits } = server;
  return {
    ...fullLaneLimits(server),
    headerMs: timeouts.header * 1000,
    idleMs: timeouts.idle * 1000,
    headerBytes: limits.headerBytes,
  };
}

/** Where an attempt has no time limit, ms. */
const LONG_MS = 300_000;

/** How long an attempt may take until its response begins, ms. */
export function attemptMs({ connectMs, firstByteMs }: ExchangeLimits): number {
  return (connectMs || LONG_MS) + (firstByteMs || LONG_MS);
}

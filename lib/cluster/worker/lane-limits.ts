/** The limits of the configuration, in seconds, as the lanes keep them, in ms. */
import type { ServerConfig } from '../../config/config.ts';
import { READ_LAG_MS } from '../../core/limits/pace.ts';
import type { LaneLimits } from '../../fastlane/parts.ts';
import type { Limits } from '../../proxy/parts.ts';

/** What an exchange may take in the full lane. */
export function fullLaneLimits({ timeouts, limits }: ServerConfig): Limits {
  return {
    bodyMs: timeouts.body * 1000,
    connectMs: timeouts.connect * 1000,
    firstByteMs: timeouts.firstByte * 1000,
    responseMs: timeouts.response * 1000,
    tunnelMs: timeouts.tunnel * 1000,
    bodyBytes: limits.bodyBytes,
    bodyMinRate: limits.bodyMinRate,
    // A client that takes nothing is too slow for any least rate.
    readMs: timeouts.response > 0 || limits.readMinRate === 0 ? timeouts.response * 1000 : READ_LAG_MS,
    readMinRate: limits.readMinRate,
  };
}

/** The same in the fast lane, which reads heads itself and keeps connections for a next one. */
export function fastLaneLimits(server: ServerConfig): LaneLimits {
  const { timeouts, limits } = server;
  return {
    ...fullLaneLimits(server),
    headerMs: timeouts.header * 1000,
    idleMs: timeouts.idle * 1000,
    headerBytes: limits.headerBytes,
  };
}

/** Sections of the file whose defaults depend on other keys: `cache` and `otel`. */
import { join, resolve } from 'node:path';
import type { CacheConfig, OtelConfig, ServerConfig } from './config.ts';
import type { Faults } from './faults.ts';
import type { CacheSettings, OtelSettings } from './schema.ts';

/**
 * The section `cache`; paths become absolute. Adds a fault where it contradicts `server.lruCache`.
 * @param stateFolder where the snapshot is when the section names no file; null for no snapshot
 */
export function resolveCache(
  settings: CacheSettings,
  lruCache: ServerConfig['lruCache'],
  stateFolder: string | null,
  faults: Faults,
): CacheConfig {
  const { mode, max, maxAge, maxStale, snapshot, preload } = settings;
  if (mode === 'push' && lruCache !== null) {
    faults.add('server.lruCache', 'has no use with cache.mode "push", which is never late; leave it out');
  }
  if (snapshot !== null && maxStale === 0) {
    faults.add('cache.snapshot', 'has no effect when cache.maxStale is 0');
  }
  const usual = stateFolder === null || maxStale === 0 ? null : join(stateFolder, 'known-routes');
  return { mode, max, maxAge, maxStale, snapshot: snapshot === null ? usual : resolve(snapshot), preload };
}

/** The section `otel`; null without an endpoint, whatever else it has. */
export function resolveOtel(settings: OtelSettings): OtelConfig | null {
  const { endpoint, sample, trustIncoming, service, headers, timeout } = settings;
  if (endpoint === null) return null;
  return { endpoint, sample, trustIncoming, service, headers: { ...headers }, timeoutMs: timeout * 1000 };
}

import { resolve } from 'node:path';
import type { CacheConfig, ServerConfig } from './config.ts';
import type { Faults } from './faults.ts';
import type { CacheSettings } from './schema.ts';

/** The section `cache`; paths become absolute. Adds a fault where it contradicts `server.lruCache`. */
export function resolveCache(settings: CacheSettings, lruCache: ServerConfig['lruCache'], faults: Faults): CacheConfig {
  const { mode, max, maxAge, maxStale, snapshot } = settings;
  if (mode === 'push' && lruCache !== null) {
    faults.add('server.lruCache', 'has no use with cache.mode "push", which is never late; leave it out');
  }
  if (snapshot !== null && maxStale === 0) {
    faults.add('cache.snapshot', 'has no use when cache.maxStale is 0');
  }
  return { mode, max, maxAge, maxStale, snapshot: snapshot === null ? null : resolve(snapshot) };
}

import type { DriverUrl } from '../core/driver-url.ts';
import { CachedStore } from './cached.ts';
import { FileStore, type FileStoreParts } from './file.ts';
import { RedisStore } from './redis.ts';
import type { Notify, RouteStore } from './store.ts';

/** What a worker opens its store with. */
export interface StoreSettings {
  readonly read: DriverUrl;
  readonly write: DriverUrl;
  /** A lookup takes no longer. */
  readonly timeoutMs: number;
  readonly notify: Notify;
  /** `server.lruCache`, `ttl` in seconds; null is off. */
  readonly cache: { readonly size: number; readonly ttl: number } | null;
  /** For `file:`: how the store speaks to the master, which reads the file. */
  readonly file: FileStoreParts;
}

/** A store, and the same as a FileStore when it is one: the master feeds it. */
export interface OpenedStore {
  readonly store: RouteStore;
  readonly file: FileStore | null;
}

/**
 * Opens the store that the driver URLs name. It connects on its own; see `ready()`.
 * @throws Error when the URLs do not go together
 */
export function openStore({ read, write, timeoutMs, notify, cache, file }: StoreSettings): OpenedStore {
  if (read.scheme === 'redis' && write.scheme === 'redis') {
    const redis = new RedisStore({ read: read.redis, write: write.redis, timeoutMs, notify });
    return { store: cache === null ? redis : new CachedStore(redis, cache.size, cache.ttl), file: null };
  }
  if (read.scheme !== 'file' || write.scheme !== 'file' || read.path !== write.path) {
    throw new Error('driver: both URLs must be of redis, or both of the same file');
  }
  // In memory already: a cache would only make it late.
  const store = new FileStore(file);
  return { store, file: store };
}

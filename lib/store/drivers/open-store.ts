import type { SiteFields } from '../../core/routing/site.ts';
import type { DriverUrl } from '../../core/routing/driver-url.ts';
import type { CertificateStore } from '../certificates.ts';
import { FileStore, type FileStoreParts } from '../file/store.ts';
import { type CacheSettings, type KnownSettings, openRedisStore } from '../redis/open.ts';
import type { StoreCounts } from '../store-counts.ts';
import type { Notify, RouteStore } from '../store.ts';

/** What a worker opens its store with. */
export interface StoreSettings {
  readonly read: DriverUrl;
  readonly write: DriverUrl;
  /** A lookup takes no longer. */
  readonly timeoutMs: number;
  readonly notify: Notify;
  readonly counts: StoreCounts;
  /** For Redis; a routes file is in memory already. */
  readonly cache: CacheSettings;
  /** How long the router's own dead marks count, ms. */
  readonly deadMs: number;
  /** For Redis: what other workers know; null where there are none. */
  readonly known: KnownSettings | null;
  /** The options of frontends that say nothing else. */
  readonly options?: SiteFields | undefined;
  /** For `file:`: how the store speaks to the master, which reads the file. */
  readonly file: FileStoreParts;
}

/** A store, and the same as a FileStore when it is one: the master feeds it. */
export interface OpenedStore {
  readonly store: RouteStore;
  /** Those that are kept beside the routes. */
  readonly certificates: CertificateStore;
  readonly file: FileStore | null;
}

/**
 * Opens the store that the driver URLs name. It connects on its own; see `ready()`.
 * @throws Error when the URLs do not go together
 */
export function openStore({ read, write, file, ...settings }: StoreSettings): OpenedStore {
  if (read.scheme === 'redis' && write.scheme === 'redis') {
    return { ...openRedisStore({ ...settings, read: read.redis, write: write.redis }), file: null };
  }
  if (read.scheme !== 'file' || write.scheme !== 'file' || read.path !== write.path) {
    throw new Error('driver: both URLs must be of redis, or both of the same file');
  }
  const store = new FileStore({ ...file, options: settings.options });
  return { store, certificates: store.certificates, file: store };
}

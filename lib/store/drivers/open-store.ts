import type { DriverUrl } from '../../core/routing/driver-url.ts';
import type { SiteSettings } from '../../sites/site.ts';
import type { CertificateStore } from '../certificates.ts';
import type { CheckSource } from '../checks.ts';
import type { BeatSource } from '../fleet.ts';
import type { ShareSource } from '../shares.ts';
import { FileStore, type FileStoreMaster } from '../file/store.ts';
import { type CacheSettings, type KnownSettings, openRedisStore } from '../redis/open.ts';
import type { StoreCounts } from '../store-counts.ts';
import type { Notify, RouteStore } from '../store.ts';

/** Settings of a worker's store. */
export interface StoreSettings extends SiteSettings {
  readonly read: DriverUrl;
  readonly write: DriverUrl;
  /** The time limit of a lookup, ms. */
  readonly timeoutMs: number;
  readonly notify: Notify;
  readonly counts: StoreCounts;
  /** Only for Redis: a routes file is in memory anyway. */
  readonly cache: CacheSettings;
  /** How long the router's own dead marks count, ms. */
  readonly deadMs: number;
  /** Whether a backend needs a trial after its mark: `server.trial`. */
  readonly hasTrials: boolean;
  /** Whether this router makes active checks: `server.checks`. */
  readonly hasChecks: boolean;
  /** For Redis: what other workers know; null where there are none. */
  readonly known: KnownSettings | null;
  /** For `file:`: how the store communicates with the master, which reads the file. */
  readonly file: FileStoreMaster;
}

/** A store; `fed` is the same store if it is a FileStore, which the master feeds. */
export interface OpenedStore {
  readonly store: RouteStore;
  /** The certificates beside the routes. */
  readonly certificates: CertificateStore;
  readonly file: FileStore | null;
  /** The secret that all routers share: in Redis. Null where the store keeps none. */
  readonly stickySecret: ((own: string) => Promise<string | null>) | null;
  /** Active checks; with Redis shared with other routers. */
  readonly checks: CheckSource;
  /** How the workers of all routers share limits. */
  readonly shares: ShareSource;
  /** Where heartbeats go; null with a routes file, where the admin interface asks the workers. */
  readonly heartbeats: BeatSource | null;
}

/**
 * Opens the store that the driver URLs name. It connects by itself; see `ready()`.
 * @throws Error when the URLs contradict each other
 */
export function openStore({ read, write, file, ...settings }: StoreSettings): OpenedStore {
  if (read.scheme === 'redis' && write.scheme === 'redis') {
    return { ...openRedisStore({ ...settings, read: read.redis, write: write.redis }), file: null };
  }
  if (read.scheme !== 'file' || write.scheme !== 'file' || read.path !== write.path) {
    throw new Error('driver: both URLs must be Redis, or both the same file');
  }
  const { options, features, hasTrials, hasChecks } = settings;
  const store = new FileStore({ ...file, options, features, hasTrials, hasChecks });
  const { certificates, checks, shares } = store;
  return { store, certificates, file: store, stickySecret: null, checks, shares, heartbeats: null };
}

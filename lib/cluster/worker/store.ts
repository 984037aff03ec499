import type { Config } from '../../config/config.ts';
import type { SiteFields } from '../../core/routing/site.ts';
import { parseDriverUrl } from '../../core/routing/driver-url.ts';
import { nameOfAddress } from '../../core/routing/redis-address.ts';
import type { CertificateStore } from '../../store/certificates.ts';
import type { FileStore } from '../../store/file/store.ts';
import type { CacheSettings, KnownSettings } from '../../store/redis/open.ts';
import { openStore } from '../../store/drivers/open-store.ts';
import type { KnownRun } from '../../store/cache/known-routes.ts';
import type { StoreCounts } from '../../store/store-counts.ts';
import type { Notify, RouteStore, StoreEvent } from '../../store/store.ts';
import { SnapshotLookups } from './snapshot-lookups.ts';
import type { Configure, ToMaster, SnapshotReply } from '../messages.ts';

/** What it tells, and whom. */
export interface WorkerStoreParts {
  readonly say: (message: ToMaster) => void;
  readonly notify: Notify;
  readonly counts: StoreCounts;
}

/** The store of a worker, opened as the configuration says. */
export class WorkerStore {
  readonly routes: RouteStore;
  /** Certificates beside them. */
  readonly certificates: CertificateStore;
  /** The same when routes come from a file: the master feeds it. */
  readonly fed: FileStore | null;
  readonly #snapshotLookups: SnapshotLookups;
  /** The name of the one that is asked for routes. */
  readonly #reads: string;
  /** Those that do not answer. */
  readonly #silent = new Set<string>();

  /** It connects on its own. @throws Error when the driver's URLs do not go together */
  constructor({ config, known, preloads }: Configure, { say, notify, counts }: WorkerStoreParts) {
    const { driver, driverTls, server, cache } = config;
    this.#snapshotLookups = new SnapshotLookups((recall) => say({ type: 'snapshot-query', recall }));
    const read = parseDriverUrl(driver.read, driverTls);
    this.#reads = read.scheme === 'redis' ? nameOfAddress(read.redis) : '';
    const { store, certificates, file } = openStore({
      read,
      write: parseDriverUrl(driver.write, driverTls),
      timeoutMs: server.storeTimeout * 1000,
      cache: cacheOf(config),
      deadMs: server.deadBackendTTL * 1000,
      known: cache.maxStale === 0 ? null : this.#known(known, preloads && cache.preload, say),
      counts,
      options: optionsOf(config),
      notify: (notice) => {
        this.#hear(notice);
        notify(notice);
      },
      file: {
        wantPiece: () => say({ type: 'want-routes' }),
        wantCertificates: () => say({ type: 'want-certificates' }),
        askToMark: (asked) => say({ type: 'mark', asked }),
      },
    });
    this.routes = store;
    this.certificates = certificates;
    this.fed = file;
  }

  /** Whether it answers, as far as is known. */
  get isUp(): boolean {
    return this.#silent.size === 0;
  }

  /** Whether lookups are answered: by the store, or with last-known routes while it is silent. */
  get hasRoutes(): boolean {
    return !this.#silent.has(this.#reads) || this.routes.hasLastKnown;
  }

  /** The master has answered what was asked of it. */
  recalled(recalled: SnapshotReply): void {
    this.#snapshotLookups.take(recalled);
  }

  #known(run: KnownRun, preloads: boolean, say: (message: ToMaster) => void): KnownSettings {
    return {
      run,
      preloads,
      learn: (update) => say({ type: 'snapshot-update', update }),
      recall: (host) => this.#snapshotLookups.ask(host),
    };
  }

  #hear(notice: StoreEvent): void {
    if (notice.type === 'store-down') this.#silent.add(notice.store);
    if (notice.type === 'store-up') this.#silent.delete(notice.store);
  }
}

/** Undefined where there are none. */
function optionsOf({ options }: Config): SiteFields | undefined {
  const fields = new Map(Object.entries(options));
  return fields.size === 0 ? undefined : fields;
}

function cacheOf({ cache, server: { lruCache } }: Config): CacheSettings {
  return {
    mode: cache.mode,
    max: lruCache?.size ?? cache.max,
    maxAgeMs: cache.maxAge * 1000,
    maxStaleMs: cache.maxStale * 1000,
    lruMs: (lruCache?.ttl ?? 0) * 1000,
  };
}

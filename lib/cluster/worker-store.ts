import type { Config } from '../config/config.ts';
import type { OptionFields } from '../core/options.ts';
import { parseDriverUrl } from '../core/driver-url.ts';
import type { CertificateStore } from '../store/certificates.ts';
import type { FileStore } from '../store/file.ts';
import type { CacheSettings, SnapshotSettings } from '../store/open-redis.ts';
import { openStore } from '../store/open.ts';
import { readSnapshot } from '../store/snapshot-file.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { StoreCounts } from '../store/store-counts.ts';
import type { Notify, RouteStore, StoreNotice } from '../store/store.ts';
import type { Configure, ToMaster } from './messages.ts';

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
  /** Those that do not answer. */
  readonly #silent = new Set<string>();

  /** It connects on its own. @throws Error when the driver's URLs do not go together */
  constructor({ config, mindsRun }: Configure, { say, notify, counts }: WorkerStoreParts) {
    const { driver, driverTls, server, cache } = config;
    const { store, certificates, file } = openStore({
      read: parseDriverUrl(driver.read, driverTls),
      write: parseDriverUrl(driver.write, driverTls),
      timeoutMs: server.storeTimeout * 1000,
      cache: cacheOf(config),
      deadMs: server.deadBackendTTL * 1000,
      snapshot: cache.snapshot === null ? null : snapshotOf(cache.snapshot, mindsRun, say),
      counts,
      options: optionsOf(config),
      notify: (notice) => {
        this.#hear(notice);
        notify(notice);
      },
      file: {
        wantPiece: () => say({ type: 'want-routes' }),
        wantCertificates: () => say({ type: 'want-certificates' }),
        share: (mark) => say({ type: 'dead', mark }),
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

  #hear(notice: StoreNotice): void {
    if (notice.type === 'store-down') this.#silent.add(notice.store);
    if (notice.type === 'store-up') this.#silent.delete(notice.store);
  }
}

/** Undefined where there are none. */
function optionsOf({ options }: Config): OptionFields | undefined {
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

/** Read here and now: a worker that has given up its rights could not. */
function snapshotOf(path: string, mindsRun: boolean, say: (message: ToMaster) => void): SnapshotSettings {
  return { last: lastSnapshot(path), mindsRun, learn: (lesson) => say({ type: 'learned', lesson }) };
}

/** Null when there is none, or none that can be used: the master has told of that. */
function lastSnapshot(path: string): Snapshot | null {
  try {
    return readSnapshot(path);
  } catch {
    return null;
  }
}

import type { Config } from '../../config/config.ts';
import type { SiteFields } from '../../core/routing/site.ts';
import { parseDriverUrl } from '../../core/routing/driver-url.ts';
import { nameOfAddress } from '../../core/routing/redis-address.ts';
import type { CertificateStore } from '../../store/certificates.ts';
import type { CheckSource } from '../../store/checks.ts';
import type { BeatSource } from '../../store/fleet.ts';
import type { ShareSource } from '../../store/shares.ts';
import type { FileStore } from '../../store/file/store.ts';
import type { CacheSettings, KnownSettings } from '../../store/redis/open.ts';
import { openStore } from '../../store/drivers/open-store.ts';
import type { KnownRun } from '../../store/cache/known-routes.ts';
import type { StoreCounts } from '../../store/store-counts.ts';
import type { Notify, RouteStore, StoreEvent } from '../../store/store.ts';
import type { WorkerHost } from './host.ts';
import { SnapshotLookups } from './snapshot-lookups.ts';
import type { SecretSource } from './sticky-secret.ts';
import type { Configure, StoreMessage, ToMaster } from '../messages.ts';

/** What WorkerStore needs of its worker. */
export interface WorkerStoreParts {
  readonly say: (message: ToMaster) => void;
  readonly notify: Notify;
  readonly counts: StoreCounts;
  readonly host: WorkerHost;
}

/** The store of a worker, opened as configured. */
export class WorkerStore {
  readonly routes: RouteStore;
  /** The certificates beside the routes. */
  readonly certificates: CertificateStore;
  /** The same store when routes come from a file, which the master sends; null with Redis. */
  readonly fed: FileStore | null;
  /** Where the secret of sticky cookies comes from. */
  readonly stickySecret: SecretSource;
  /** Active checks; null where another worker of the router makes them, or none of it: `server.checks`. */
  readonly checks: CheckSource | null;
  /** How the workers of all routers share limits. */
  readonly shares: ShareSource;
  /** Where heartbeats go; null with a routes file. */
  readonly heartbeats: BeatSource | null;
  readonly #snapshotLookups: SnapshotLookups;
  /** The name of the server that routes are read from. */
  readonly #reads: string;
  /** The servers that do not reply. */
  readonly #silent = new Set<string>();

  /** Connects by itself. @throws Error when the driver's URLs contradict each other */
  constructor(
    { config, known, preloads, stickySecret: own }: Configure,
    { say, notify, counts, host }: WorkerStoreParts,
  ) {
    const { driver, driverTls, server, cache } = config;
    this.#snapshotLookups = new SnapshotLookups((recall) => say({ type: 'snapshot-query', recall }));
    const read = parseDriverUrl(driver.read, driverTls);
    this.#reads = read.scheme === 'redis' ? nameOfAddress(read.redis) : '';
    const { store, certificates, file, stickySecret, checks, shares, heartbeats } = (host.openStore ?? openStore)({
      read,
      write: parseDriverUrl(driver.write, driverTls),
      timeoutMs: server.storeTimeout * 1000,
      cache: cacheOf(config),
      deadMs: server.deadBackendTTL * 1000,
      hasTrials: server.trial,
      hasChecks: server.checks,
      known: cache.maxStale === 0 ? null : this.#known(known, preloads && cache.preload, say),
      counts,
      options: optionsOf(config),
      features: host.features,
      notify: (notice) => {
        this.#follow(notice);
        notify(notice);
      },
      file: {
        wantPiece: () => say({ type: 'want-routes' }),
        wantCertificates: () => say({ type: 'want-certificates' }),
        askToMark: (asked) => say({ type: 'mark', asked }),
        askToUnmark: (mark) => say({ type: 'unmark', mark }),
        sayChecked: (key, urls) => say({ type: 'checked', key, urls }),
        askForTrial: (asked) => say({ type: 'trial', asked }),
        sayPassed: (name) => say({ type: 'trial-passed', name }),
        askForShares: (asked) => say({ type: 'want-shares', asked }),
      },
    });
    this.routes = store;
    this.certificates = certificates;
    this.checks = preloads && server.checks ? checks : null;
    this.shares = shares;
    this.heartbeats = heartbeats;
    this.fed = file;
    // A configured one counts.
    const { stickySecret: configured } = server;
    this.stickySecret = { own: configured ?? own, shared: configured === null ? stickySecret : null };
  }

  /** Whether the store replies, as far as is known. */
  get isUp(): boolean {
    return this.#silent.size === 0;
  }

  /** Whether lookups have results: from the store, or last-known routes while it does not reply. */
  get hasRoutes(): boolean {
    return !this.#silent.has(this.#reads) || this.routes.hasLastKnown;
  }

  /** Handles a message of the master about routes, certificates, dead marks and shares. */
  hear(message: StoreMessage): void {
    switch (message.type) {
      case 'routes':
        return this.fed?.take(message.piece);
      case 'certificates':
        return this.fed?.certificates.take(message.piece);
      case 'dead':
        return this.fed?.bury(message.mark);
      case 'alive':
        return this.fed?.revive(message.mark);
      case 'last-living':
        return this.fed?.spare(message.mark);
      case 'trial-reply':
        return this.fed?.trials.replied(message.name, message.waitMs);
      case 'checked':
        return this.fed?.setChecked(message.key, message.urls);
      case 'shares':
        return this.fed?.shares.answered(message.reply);
      case 'snapshot-reply':
        return this.#snapshotLookups.take(message.recalled);
    }
  }

  #known(run: KnownRun, preloads: boolean, say: (message: ToMaster) => void): KnownSettings {
    return {
      run,
      preloads,
      learn: (update) => say({ type: 'snapshot-update', update }),
      recall: (host) => this.#snapshotLookups.ask(host),
    };
  }

  #follow(notice: StoreEvent): void {
    if (notice.type === 'store-down') this.#silent.add(notice.store);
    if (notice.type === 'store-up') this.#silent.delete(notice.store);
  }
}

/** The configuration's site options; undefined if there are none. */
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

import type { SiteSettings } from '../../sites/site.ts';
import { splitKey } from '../../core/routing/prefixes.ts';
import { nameOfAddress, type RedisAddress } from '../../core/routing/redis-address.ts';
import { EmptyRestart } from './empty-restart.ts';
import { AgeLimit, Watch } from '../cache/freshness.ts';
import type { KnownRun } from '../cache/known-routes.ts';
import { LastKnownPages } from '../cache/last-known-pages.ts';
import { SnapshotUpdates, type SnapshotUpdate } from '../cache/snapshot-updates.ts';
import type { PageSource } from '../pages.ts';
import type { CertificateStore } from '../certificates.ts';
import type { CheckSource } from '../checks.ts';
import type { BeatSource } from '../fleet.ts';
import type { ShareSource } from '../shares.ts';
import { RedisHeartbeats } from './heartbeats.ts';
import { RedisShares } from './shares.ts';
import { Preload } from './preload.ts';
import { RedisTracking } from './tracking.ts';
import { RedisStore } from './store.ts';
import { RememberedCertificates } from '../cache/remembered-certificates.ts';
import { RememberedPages } from '../cache/remembered-pages.ts';
import { RememberingStore } from '../cache/remembering.ts';
import { parseSaved } from '../cache/snapshot.ts';
import type { StoreCounts } from '../store-counts.ts';
import type { Notify, RouteStore } from '../store.ts';

/** The cache settings of a Redis store. Times in ms. */
export interface CacheSettings {
  readonly mode: 'request' | 'push';
  /** How many hosts are remembered. */
  readonly max: number;
  /** In mode `push`: how long a reading is used without asking Redis, even if no change was reported. */
  readonly maxAgeMs: number;
  /** How long last-known routes are used while Redis does not reply; 0: not at all. */
  readonly maxStaleMs: number;
  /** `server.lruCache`: how long a route is used without a lookup; 0: not at all. */
  readonly lruMs: number;
}

/** Settings of a worker's Redis store. */
export interface RedisSettings extends SiteSettings {
  readonly read: RedisAddress;
  readonly write: RedisAddress;
  /** The time limit of a lookup. */
  readonly timeoutMs: number;
  readonly cache: CacheSettings;
  /** How long the router's own dead marks count. */
  readonly deadMs: number;
  /** Whether a backend needs a trial after its mark: `server.trial`. */
  readonly hasTrials: boolean;
  /** What other workers know; null where there are none. */
  readonly known: KnownSettings | null;
  readonly notify: Notify;
  readonly counts: StoreCounts;
}

/** How a worker exchanges routes with others. */
export interface KnownSettings {
  /** The run that other workers' routes come from, when this worker starts. */
  readonly run: KnownRun;
  /** Called with what was read. */
  readonly learn: (update: SnapshotUpdate) => void;
  /** Whether this worker reads all routes in the background, for all workers. */
  readonly preloads: boolean;
  /**
   * What others know of a host and its prefixes: SavedRoutes as JSON. Used while Redis does not reply. Never rejects.
   */
  readonly recall: (host: string) => Promise<readonly string[]>;
}

/** The routes in Redis, and the certificates. */
export interface OpenedRedis {
  readonly store: RouteStore;
  readonly certificates: CertificateStore;
  /** See `RedisSecrets.sticky`. */
  readonly stickySecret: (own: string) => Promise<string | null>;
  readonly checks: CheckSource;
  readonly shares: ShareSource;
  readonly heartbeats: BeatSource;
}

/** How often all routes are confirmed within the time that a known one may be used. */
const PRELOADS = 4;

/** Opens a Redis store with the configured cache. */
export function openRedisStore(settings: RedisSettings): OpenedRedis {
  const { read, write, timeoutMs, cache, deadMs, known, counts, options, features } = settings;
  const { maxStaleMs, maxAgeMs } = cache;
  const name = nameOfAddress(read);
  const { runId = null, lostAt = null } = known?.run ?? {};
  const emptyRestart = new EmptyRestart({
    prefix: read.prefix,
    maxStaleMs,
    runId,
    lostAt: lostAt === null ? null : performance.now() - Math.max(0, Date.now() - lostAt),
    onEmptied: () => settings.notify({ type: 'store-emptied', store: name }),
  });
  const isRemembered = cache.mode === 'push' || cache.lruMs > 0 || maxStaleMs > 0;
  const learned = known && isRemembered ? new SnapshotUpdates(() => emptyRestart.runId, known.learn) : null;
  const notify: Notify = (notice) => {
    if (notice.type === 'store-down' && notice.store === name) learned?.lost();
    settings.notify(notice);
  };
  const mayWatch = cache.mode === 'push' && read.place.type !== 'cluster';
  if (cache.mode === 'push' && !mayWatch) notify({ type: 'push-refused', cause: new Error('Redis is a cluster') });
  const watch = mayWatch ? new Watch(maxAgeMs) : null;
  let tracking: RedisTracking | null = null;
  const source = new RedisStore({
    read,
    write,
    timeoutMs,
    notify,
    counts,
    options,
    features,
    hasTrials: settings.hasTrials,
    wantsExpiry: watch !== null,
    // The cache can be used without a lookup only where all prefixes are known.
    wantsNames: watch !== null || cache.lruMs > 0,
    examine: (ask, downSince) => emptyRestart.examine(ask, downSince),
    onReader: (reader) => {
      if (reader === null) return tracking?.readerLost();
      learned?.up();
      tracking?.readerUp(reader);
    },
  });
  const certificates = new RememberedCertificates({ source: source.certificates, timeoutMs, watch, maxAgeMs });
  const stickySecret = (own: string): Promise<string | null> => source.secrets.sticky(own);
  const { checks, writer } = source;
  const shares = new RedisShares(writer, write.prefix);
  const heartbeats = new RedisHeartbeats(writer, write.prefix);
  const beside = { certificates, stickySecret, checks, shares, heartbeats };
  if (watch === null && cache.lruMs === 0 && maxStaleMs === 0) return { store: source, ...beside };

  let isPreloaded = false;
  const preload =
    learned && known?.preloads && cache.mode === 'push'
      ? new Preload({
          keys: (place, count) => source.keys(place, count),
          read: (keys, path) => source.read(keys, path),
          learn: (frontend, route) => learned.add(frontend, route),
          max: cache.max,
          everyMs: maxStaleMs / PRELOADS,
          onDone: (frontends) => {
            if (!isPreloaded) notify({ type: 'preloaded', frontends });
            isPreloaded = true;
          },
        })
      : null;
  const pages = watch && new RememberedPages({ source: source.pages, watch, maxAgeMs });
  const store = new RememberingStore({
    source,
    pages: lastKnownPages(pages ?? source.pages, learned, known, maxStaleMs),
    counts,
    freshness: watch ?? new AgeLimit(cache.lruMs),
    max: cache.max,
    maxStaleMs,
    deadMs,
    learn: learned && ((frontend, route) => learned.add(frontend, route)),
    recall: known && (async (host) => (await known.recall(host)).map(parseSaved).filter((saved) => saved !== null)),
    believe: () => emptyRestart.believe(),
    endsToo: async () => {
      preload?.close();
      learned?.close();
      await tracking?.close();
    },
  });
  if (watch !== null && pages !== null) {
    tracking = track(read, timeoutMs, { watch, store, certificates, pages }, notify);
  }
  return { store, ...beside };
}

function lastKnownPages(
  source: PageSource,
  learned: SnapshotUpdates | null,
  known: KnownSettings | null,
  maxStaleMs: number,
): PageSource {
  if (learned === null || known === null) return source;
  const learn = (page: string, line: string | null): void => learned.addPage(page, line);
  return new LastKnownPages({ source, learn, recall: known.recall, maxStaleMs });
}

/** The caches that changes are reported to. */
interface Watched {
  readonly watch: Watch;
  readonly store: RememberingStore;
  readonly certificates: RememberedCertificates;
  readonly pages: RememberedPages;
}

/** The frontends of a key: an IPv6 literal is looked up without its brackets, too. */
function frontendsOf(key: string): readonly string[] {
  const { host, prefix } = splitKey(key);
  return host.includes(':') ? [key, `[${host}]${prefix}`] : [key];
}

function track(
  address: RedisAddress,
  timeoutMs: number,
  { watch, store, certificates, pages }: Watched,
  notify: Notify,
) {
  return new RedisTracking(address, timeoutMs, {
    onBegin: () => watch.begin(),
    onEnd: () => watch.end(performance.now()),
    onFlush: () => watch.allChanged(),
    onRoute: (key) => {
      // Hosts with a list of their own do not depend on a wildcard's.
      if (key.startsWith('*')) return watch.wildcardChanged();
      for (const frontend of frontendsOf(key)) store.doubt(frontend);
    },
    onPrefixes: (key) => {
      if (key.startsWith('*')) return watch.wildcardChanged();
      // A host without prefixes of its own uses those of a wildcard, so all of the host's prefixes are invalid.
      for (const frontend of frontendsOf(key)) store.doubtAll(frontend);
    },
    onSite: (key) => {
      // `options:*` apply to every frontend.
      if (key === '*') return watch.allChanged();
      if (key.startsWith('*')) return watch.wildcardChanged();
      for (const frontend of frontendsOf(key)) {
        if (frontend.includes('/')) store.doubt(frontend);
        else store.doubtAll(frontend);
      }
    },
    onPages: (key) => pages.doubt(key),
    onDead: (frontend) => store.doubt(frontend),
    onCertificate: (key) => certificates.doubt(key),
    onRefused: (cause) => notify({ type: 'push-refused', cause }),
  });
}

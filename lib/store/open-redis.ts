import type { OptionFields } from '../core/options.ts';
import { splitKey } from '../core/prefixes.ts';
import { nameOfAddress, type RedisAddress } from '../core/redis-address.ts';
import { EmptyRestart } from './empty-restart.ts';
import { AgeLimit, Watch } from './freshness.ts';
import { Learned, type Lesson } from './learned.ts';
import type { CertificateStore } from './certificates.ts';
import { RedisTracking } from './redis-tracking.ts';
import { RedisStore } from './redis.ts';
import { RememberedCertificates } from './remembered-certificates.ts';
import { RememberedPages } from './remembered-pages.ts';
import { RememberingStore } from './remembering.ts';
import { restoreRoute, type Snapshot } from './snapshot.ts';
import type { StoreCounts } from './store-counts.ts';
import type { Notify, RouteStore } from './store.ts';

/** How a store of Redis remembers. Times in ms. */
export interface CacheSettings {
  readonly mode: 'request' | 'push';
  /** Hosts remembered at most. */
  readonly max: number;
  /** In mode `push`: after it Redis is asked, whatever it did not say. */
  readonly maxAgeMs: number;
  /** How long last-known routes serve while Redis gives no answer; 0 is not at all. */
  readonly maxStaleMs: number;
  /** `server.lruCache`: how long a route is not asked for again; 0 is not at all. */
  readonly lruMs: number;
}

/** What a worker opens a store of Redis with. */
export interface RedisSettings {
  readonly read: RedisAddress;
  readonly write: RedisAddress;
  /** A lookup takes no longer. */
  readonly timeoutMs: number;
  readonly cache: CacheSettings;
  /** How long the router's own dead marks count. */
  readonly deadMs: number;
  /** Null without `cache.snapshot`. */
  readonly snapshot: SnapshotSettings | null;
  readonly notify: Notify;
  readonly counts: StoreCounts;
  /** The options of frontends that say nothing else. */
  readonly options?: OptionFields | undefined;
}

export interface SnapshotSettings {
  /** What was known before; null when there is nothing. */
  readonly last: Snapshot | null;
  /** Whether a Redis that lost the routes of `last` is in trouble. After a reload it is not: that is what reloads are for. */
  readonly mindsRun: boolean;
  /** Told what is read, for the next snapshot. */
  readonly learn: (lesson: Lesson) => void;
}

/** What Redis has: routes, and certificates beside them. */
export interface OpenedRedis {
  readonly store: RouteStore;
  readonly certificates: CertificateStore;
}

/** Opens a store of Redis with the memory that the configuration asks for. */
export function openRedisStore(settings: RedisSettings): OpenedRedis {
  const { read, write, timeoutMs, cache, deadMs, snapshot, notify, counts, options } = settings;
  const { maxStaleMs, maxAgeMs } = cache;
  const runId = (snapshot?.mindsRun && snapshot.last?.runId) || null;
  const onEmptied = (): void => notify({ type: 'store-emptied', store: nameOfAddress(read) });
  const emptyRestart = new EmptyRestart({ prefix: read.prefix, maxStaleMs, runId, onEmptied });
  const mayWatch = cache.mode === 'push' && read.place.type !== 'cluster';
  if (cache.mode === 'push' && !mayWatch) notify({ type: 'push-refused', cause: new Error('it is a cluster') });
  const watch = mayWatch ? new Watch(maxAgeMs) : null;
  let tracking: RedisTracking | null = null;
  const source = new RedisStore({
    read,
    write,
    timeoutMs,
    notify,
    counts,
    options,
    wantsExpiry: watch !== null,
    // What is remembered serves without asking only where all prefixes are known.
    wantsNames: watch !== null || cache.lruMs > 0,
    examine: (ask, downSince) => emptyRestart.examine(ask, downSince),
    onReader: (reader) => (reader ? tracking?.readerUp(reader) : tracking?.readerLost()),
  });
  const certificates = new RememberedCertificates({ source: source.certificates, timeoutMs, watch, maxAgeMs });
  if (watch === null && cache.lruMs === 0 && maxStaleMs === 0) return { store: source, certificates };

  const learned = snapshot && new Learned(() => emptyRestart.runId, snapshot.learn);
  const pages = watch && new RememberedPages({ source: source.pages, watch, maxAgeMs });
  const store = new RememberingStore({
    source,
    pages: pages ?? source.pages,
    counts,
    freshness: watch ?? new AgeLimit(cache.lruMs),
    max: cache.max,
    maxStaleMs,
    deadMs,
    learn: learned && ((frontend, route) => learned.add(frontend, route)),
    endsToo: () => Promise.all([tracking?.close(), learned?.close()]),
  });
  if (watch !== null && pages !== null) {
    tracking = track(read, timeoutMs, { watch, store, certificates, pages }, notify);
  }
  const now = Date.now();
  for (const saved of snapshot?.last?.routes ?? []) store.recall(restoreRoute(saved), Math.max(0, now - saved[3]));
  return { store, certificates };
}

/** What changes are told to. */
interface Watched {
  readonly watch: Watch;
  readonly store: RememberingStore;
  readonly certificates: RememberedCertificates;
  readonly pages: RememberedPages;
}

/** Whose key this is: an IPv6 literal is looked up without its brackets, too. */
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
      // Whoever has a list of its own never asked for a wildcard's.
      if (key.startsWith('*')) return watch.wildcardChanged();
      for (const frontend of frontendsOf(key)) store.doubt(frontend);
    },
    onPrefixes: (key) => {
      if (key.startsWith('*')) return watch.wildcardChanged();
      // Without prefixes of its own, those of a wildcard count: another's list under the same name.
      for (const frontend of frontendsOf(key)) store.doubtAll(frontend);
    },
    onOptions: (key) => {
      // They are everybody's.
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

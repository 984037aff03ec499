import { routeOf } from '../../core/routing/backend.ts';
import { RouterError } from '../../core/errors.ts';
import { isSameServer, nameOfAddress, type RedisAddress } from '../../core/routing/redis-address.ts';
import type { Site } from '../../core/routing/site.ts';
import { pathOf, Prefixes } from '../../core/routing/prefixes.ts';
import type { Death, Route } from '../../core/routing/types.ts';
import type { SiteSettings } from '../../sites/site.ts';
import type { DeadMark } from '../dead-marks.ts';
import { FaultLog } from '../fault-log.ts';
import { SiteMemo } from './site-memo.ts';
import { NO_HASHES, type SiteMetadata } from './site-metadata.ts';
import { RedisPages } from './pages.ts';
import { ListMemo } from './list-memo.ts';
import { RedisCertificates } from './certificates.ts';
import { RedisChecks } from './checks.ts';
import { RedisSecrets } from './secrets.ts';
import { RedisCluster } from '../redis-client/cluster.ts';
import { announcement, faultOf, isFresh, type Found, type Lookup } from './codec.ts';
import { type Reading, routeIn, type RouteSource, type Under } from '../reading.ts';
import { RedisConnection } from '../redis-client/connection.ts';
import { isReplyError, type RedisLink, type RedisLinkSettings } from '../redis-client/link.ts';
import { RedisLookups, refused } from './lookups.ts';
import { markInRedis } from './marking.ts';
import { isCommandRefused } from '../redis-client/refusals.ts';
import { RouteMarks } from './route-marks.ts';
import { RedisTrials } from './trials.ts';
import { literally, type Stretch, walk } from './walk.ts';
import { StoreCounts } from '../store-counts.ts';
import type { Marking, Notify, Recollection } from '../store.ts';
import { WildcardMarks } from '../wildcard-marks.ts';

/** Settings of a RedisStore. */
export interface RedisStoreSettings extends SiteSettings {
  readonly read: RedisAddress;
  /** Where dead marks are written: the same as `read`, or another server. Equal addresses share one connection. */
  readonly write: RedisAddress;
  /** The time limit of a lookup. */
  readonly timeoutMs: number;
  readonly notify: Notify;
  readonly counts?: StoreCounts;
  /** Whether readings have their expiry. Costs Redis two commands more per lookup. */
  readonly wantsExpiry?: boolean;
  /** Whether readings have all of a host's prefixes. */
  readonly wantsNames?: boolean;
  /** Whether a backend needs a trial after its mark: `server.trial`. */
  readonly hasTrials?: boolean;
  /** See RedisLinkSettings; for the connection that reads. */
  readonly examine?: RedisLinkSettings['examine'];
  /** Called when a new connection for reading serves, and with null when it was lost. */
  readonly onReader?: (reader: RedisLink | null) => void;
}

/** Routes in Redis, in Hipache's layout. One round trip per lookup; in a cluster one to each node that has a key. */
export class RedisStore implements RouteSource {
  readonly remembered = { hosts: 0, bytes: 0 };
  readonly #settings: RedisStoreSettings;
  readonly #read: RedisLink;
  /** The connection for writes. */
  readonly writer: RedisLink;
  readonly #faults: FaultLog;
  readonly #lists: ListMemo;
  readonly #sites: SiteMemo;
  /** The error pages. */
  readonly pages: RedisPages;
  readonly #lookups: RedisLookups;
  readonly trials: RedisTrials;
  readonly #marks: RouteMarks;
  /** The certificates, read by the same connection. */
  readonly certificates: RedisCertificates;
  readonly secrets: RedisSecrets;
  readonly checks: RedisChecks;
  readonly wildcardMarks = new WildcardMarks(Date.now);
  /** The lookups of this turn of the event loop, by host. */
  readonly #unsent = new Map<string, Unsent>();
  #ping: unknown = null;

  constructor(settings: RedisStoreSettings) {
    const { read, write, notify, wantsExpiry = false, wantsNames = false } = settings;
    this.#settings = settings;
    this.#faults = new FaultLog(notify, () => performance.now());
    this.#lists = new ListMemo((key, fault) => this.#faults.tell(`${read.prefix}frontend:${key}`, fault));
    this.#read = this.#connect(read, {
      pulse: ['get', 'hchecker_ping'],
      onPulse: (reply) => {
        this.#ping = reply;
      },
      ...(settings.examine && { examine: settings.examine }),
      onServing: () => settings.onReader?.(this.#read),
      onLoss: () => settings.onReader?.(null),
    });
    const wishes = { prefix: read.prefix, wantsExpiry, wantsNames };
    this.#lookups = new RedisLookups(this.#read, wishes, settings.counts ?? new StoreCounts());
    this.#sites = new SiteMemo(settings, (key, fault) => this.#faults.tell(read.prefix + key, fault));
    this.pages = new RedisPages(this.#read, read.prefix, (key, fault) => this.#faults.tell(key, fault));
    this.certificates = new RedisCertificates(this.#read, read.prefix);
    const isOne = isSameServer(read, write);
    this.writer = isOne ? this.#read : this.#connect(write, { pulse: ['ping'], onPulse: () => {} });
    this.trials = new RedisTrials(this.writer, write.prefix);
    this.#marks = new RouteMarks(
      this.trials,
      { isOn: settings.hasTrials ?? true, isOneServer: this.#read.isOneServer },
      (frontend, fault) => this.#faults.tell(this.#keyOf('dead', frontend), fault),
    );
    this.checks = new RedisChecks(this.writer, write.prefix);
    this.secrets = new RedisSecrets(this.#read, this.writer, { read: read.prefix, write: write.prefix });
  }

  get hasHealthChecker(): boolean {
    return isFresh(this.#ping, Date.now());
  }

  async find(candidates: readonly string[], path: string): Promise<Route | null> {
    return this.wildcardMarks.applied(routeIn(await this.read(candidates, path)));
  }

  /**
   * Requests for one host in the same turn of the event loop share one lookup: it has not been sent yet, so it sees
   * everything that was written before any of them arrived. For a host with prefixes, each path is looked up.
   */
  read(candidates: readonly string[], path: string): Promise<Reading> {
    const [host = ''] = candidates;
    const shared = this.#unsent.get(host);
    if (shared !== undefined) return this.#share(shared, candidates, path);
    // Lookups are sent at the end of the turn (see lookups.ts), right after this.
    if (this.#unsent.size === 0) setImmediate(() => this.#unsent.clear());
    const reading = this.#readHost(candidates, path);
    this.#unsent.set(host, { path, reading });
    return reading;
  }

  async #share(shared: Unsent, candidates: readonly string[], path: string): Promise<Reading> {
    const reading = await shared.reading;
    if (reading.prefixes === null || pathOf(path) === pathOf(shared.path)) return reading;
    return this.#readHost(candidates, path);
  }

  /** Keys of frontends without `frontend:`, from a cursor of the walk on. Rejects while Redis does not reply. */
  async keys(place: string | null, count: number): Promise<Stretch> {
    const start = `${this.#settings.read.prefix}frontend:`;
    const limits = { found: count, until: this.#read.deadline() };
    const { keys, next } = await walk(this.#read, `${literally(start)}*`, place, limits);
    return { keys: keys.map((key) => key.slice(start.length)), next };
  }

  page(keys: readonly string[], status: number): Promise<string | null> {
    return this.pages.find(keys, status);
  }

  /** Redis is asked every time. */
  peek(): undefined {
    return undefined;
  }

  /** Nothing is remembered. */
  recollect(): Recollection | null {
    return null;
  }

  readonly hasLastKnown = false;

  forget(): number {
    return 0;
  }

  ownMarks(frontend: string | null): readonly DeadMark[] {
    return frontend === null ? this.wildcardMarks.list() : [];
  }

  async #readHost(candidates: readonly string[], path: string): Promise<Reading> {
    const [host = ''] = candidates;
    const { own: lookup, beside } = await this.#lookups.look({ candidates, path });
    const own = this.#ownRoute(host, candidates, lookup, beside);
    const ownLeft = lookup?.type === 'found' ? lookup.leftMs : -1;
    const left = Math.min(never(ownLeft), never(beside?.leftMs ?? -1));
    if (beside === null) return { own, prefixes: null, under: NOTHING, expiresMs: left };
    if (beside.shut !== null) this.#faults.tell(`${this.#settings.read.prefix}options:*`, NO_RIGHT);
    for (const [key, fault] of beside.faults) this.#faults.tell(key, `${fault}; it is ignored`);
    const key = candidates[beside.paths];
    if (key === undefined) return { own, prefixes: null, under: NOTHING, expiresMs: left };
    const prefixes = beside.names === null ? 'some' : new Prefixes(beside.names);
    return { own, prefixes, under: this.#under(host, key, beside), expiresMs: left };
  }

  #ownRoute(
    host: string,
    candidates: readonly string[],
    lookup: Lookup | null,
    beside: SiteMetadata | null,
  ): Route | null | undefined {
    // A route by prefix is used even if the host's own key is broken.
    const isBroken = lookup?.type === 'wrong-type' || lookup?.type === 'too-long';
    if (lookup === null || (isBroken && beside?.hit)) return undefined;
    if (lookup.type === 'none') return null;
    const key = candidates[lookup.index] ?? '';
    if (lookup.type !== 'found') throw this.#broken(this.#keyOf('frontend', key), faultOf(lookup));
    const site = this.#sites.read(key, '', beside?.all ?? NO_HASHES, beside?.host ?? NO_HASHES);
    return this.#route(host, key, lookup, site);
  }

  #under(host: string, key: string, { hit, missing, all }: SiteMetadata): readonly Under[] {
    const under: Under[] = missing.map((prefix) => ({ prefix, route: null }));
    if (hit === null) return under;
    const { prefix } = hit;
    if (hit.type !== 'found') throw this.#broken(this.#keyOf('frontend', key + prefix), faultOf(hit));
    const site = this.#sites.read(key, prefix, all, hit.host, hit.site);
    under.push({ prefix, route: this.#route(host + prefix, key + prefix, hit, site) });
    return under;
  }

  #route(
    frontend: string,
    key: string,
    found: Pick<Found, 'list' | 'dead' | 'marks' | 'records' | 'unchecked' | 'down'>,
    site: Site,
  ): Route {
    const list = this.#lists.read(key, found.list);
    return routeOf(frontend, key, list, this.#marks.of(frontend, found, list), site);
  }

  #keyOf(kind: 'frontend' | 'dead', key: string): string {
    return `${this.#settings.read.prefix}${kind}:${key}`;
  }

  async markDead(death: Death, ttlSeconds: number): Promise<Marking> {
    if (!this.wildcardMarks.mayFile(death.route, ttlSeconds)) {
      return this.wildcardMarks.keep(death, ttlSeconds) ? 'marked' : 'last';
    }
    const { prefix } = this.#settings.write;
    const { hasTrials } = this.#marks;
    const isActive = this.hasHealthChecker || ttlSeconds <= 0;
    try {
      const marking = isActive ? 'announced' : await markInRedis(this.writer, prefix, death, ttlSeconds, hasTrials);
      // As with a sole backend, health checkers are not notified of the last living one.
      if (marking === 'last' || marking === 'moved') return marking;
      await this.#announce(death, marking === 'marked');
      return marking;
    } catch (error) {
      if (!isReplyError(error)) throw error;
      if (!error.message.includes('WRONGTYPE')) throw refused(error);
      throw this.#broken(`${prefix}dead:${death.route.frontend}`, 'is not a set');
    }
  }

  /** A mark counts even if the notification is refused. */
  async #announce(death: Death, isMarked: boolean): Promise<void> {
    try {
      await this.writer.send(['publish', 'dead', announcement(death)], this.writer.deadline());
    } catch (error) {
      if (!isMarked || !isReplyError(error) || !isCommandRefused(error)) throw error;
      this.#faults.tell('dead', `dead backends cannot be announced on this channel: ${error.message}`);
    }
  }

  async ready(): Promise<void> {
    await Promise.all([this.#read.ready(), this.writer.ready()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#read.close(), this.writer.close()]);
  }

  #broken(key: string, fault: string): RouterError {
    this.#faults.tell(key, fault);
    return new RouterError('route-broken', `${key} ${fault}`);
  }

  #connect(address: RedisAddress, own: OwnSettings): RedisLink {
    const { timeoutMs, notify } = this.#settings;
    const store = nameOfAddress(address);
    const settings: RedisLinkSettings = {
      ...own,
      address,
      timeoutMs,
      onUp: () => notify({ type: 'store-up', store }),
      onDown: (cause) => notify({ type: 'store-down', store, cause }),
    };
    return address.place.type === 'cluster' ? new RedisCluster(settings) : new RedisConnection(settings);
  }
}

/** Settings that differ between connections. */
type OwnSettings = Omit<RedisLinkSettings, 'address' | 'timeoutMs' | 'onUp' | 'onDown'>;

/** A lookup that is sent at the end of this turn. */
interface Unsent {
  readonly path: string;
  readonly reading: Promise<Reading>;
}

const NO_RIGHT = 'this Redis user may not read options and prefixes, which are ignored (see "Rights" in docs/redis.md)';

const NOTHING: readonly Under[] = [];

/** Infinity for a negative time. */
function never(leftMs: number): number {
  return leftMs < 0 ? Infinity : leftMs;
}

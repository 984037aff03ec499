import { routeOf } from '../core/backend.ts';
import { RouterError } from '../core/errors.ts';
import { nameOfAddress, type RedisAddress } from '../core/redis-address.ts';
import type { Death, Route } from '../core/types.ts';
import { type DeadMark, NOBODY } from './dead-marks.ts';
import { FaultLog } from './fault-log.ts';
import { MAX_LIST } from './limits.ts';
import { ListMemo } from './list-memo.ts';
import { RedisCertificates } from './redis-certificates.ts';
import { RedisCluster } from './redis-cluster.ts';
import { announcement, idsOf, isFresh, type Found, type RedisCommand } from './redis-codec.ts';
import type { Reading, RouteSource } from './reading.ts';
import { RedisConnection } from './redis-connection.ts';
import { isReplyError, type RedisLink, type RedisLinkSettings } from './redis-link.ts';
import { RedisLookups, refused } from './redis-lookups.ts';
import { BURIAL } from './redis-script.ts';
import { StoreCounts } from './store-counts.ts';
import type { Notify, Recollection } from './store.ts';

/** What a RedisStore is made of. */
export interface RedisStoreSettings {
  readonly read: RedisAddress;
  /** The same as `read`, or where deaths are written. Equal addresses share one connection. */
  readonly write: RedisAddress;
  /** A lookup takes no longer. */
  readonly timeoutMs: number;
  readonly notify: Notify;
  readonly counts?: StoreCounts;
  /** Whether readings say when they expire. It costs Redis two commands more for a lookup. */
  readonly wantsExpiry?: boolean;
  /** See RedisLinkSettings: of the connection that reads. */
  readonly examine?: RedisLinkSettings['examine'];
  /** Told of the connection that reads: a new one serves, or it was lost. */
  readonly onReader?: (reader: RedisLink | null) => void;
}

/** Routes in Redis, laid out as Hipache does. One round trip for a lookup; in a cluster one to each node that has a key. */
export class RedisStore implements RouteSource {
  readonly #settings: RedisStoreSettings;
  readonly #read: RedisLink;
  readonly #write: RedisLink;
  readonly #faults: FaultLog;
  readonly #lists: ListMemo;
  readonly #lookups: RedisLookups;
  /** What stands beside the routes, read by the same connection. */
  readonly certificates: RedisCertificates;
  /** Lookups of this turn of the event loop, by host. */
  readonly #unsent = new Map<string, Promise<Reading>>();
  #ping: unknown = null;

  constructor(settings: RedisStoreSettings) {
    const { read, write, notify } = settings;
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
    this.#lookups = new RedisLookups(this.#read, settings.wantsExpiry ?? false, settings.counts ?? new StoreCounts());
    this.certificates = new RedisCertificates(this.#read, read.prefix);
    const isOne = isSameServer(read, write);
    this.#write = isOne ? this.#read : this.#connect(write, { pulse: ['ping'], onPulse: () => {} });
  }

  get hasHealthChecker(): boolean {
    return isFresh(this.#ping, Date.now());
  }

  async find(candidates: readonly string[]): Promise<Route | null> {
    return (await this.read(candidates)).route;
  }

  /**
   * Requests for one host that arrive in the same turn of the event loop share one lookup: it has not been sent yet,
   * so it sees whatever was written before any of them arrived.
   */
  read(candidates: readonly string[]): Promise<Reading> {
    const [frontend = ''] = candidates;
    const shared = this.#unsent.get(frontend);
    if (shared !== undefined) return shared;
    // Lookups leave at the end of the turn (see redis-lookups.ts), right after this.
    if (this.#unsent.size === 0) setImmediate(() => this.#unsent.clear());
    const reading = this.#readHost(frontend, candidates);
    this.#unsent.set(frontend, reading);
    return reading;
  }

  /** Redis is asked every time. */
  peek(): undefined {
    return undefined;
  }

  /** Nothing is remembered. */
  recollect(): Recollection | null {
    return null;
  }

  forget(): number {
    return 0;
  }

  ownMarks(): readonly DeadMark[] {
    return [];
  }

  async #readHost(frontend: string, candidates: readonly string[]): Promise<Reading> {
    const { prefix } = this.#settings.read;
    const keys = candidates.map((key) => `${prefix}frontend:${key}`);
    const deadKey = `${prefix}dead:${frontend}`;
    const lookup = await this.#lookups.look([...keys, deadKey]);
    if (lookup.type === 'none') return NONE;
    const key = candidates[lookup.index] ?? '';
    const fullKey = keys[lookup.index] ?? '';
    switch (lookup.type) {
      case 'wrong-type':
        throw this.#broken(fullKey, `holds a ${lookup.found}, not a list`);
      case 'too-long':
        throw this.#broken(fullKey, `is longer than ${MAX_LIST} elements`);
      case 'found': {
        const list = this.#lists.read(key, lookup.list);
        const route = routeOf(frontend, key, list, this.#deadOf(lookup, deadKey, list.size));
        return { route, expiresMs: lookup.leftMs < 0 ? Infinity : lookup.leftMs };
      }
    }
  }

  #deadOf({ dead }: Found, deadKey: string, size: number): ReadonlySet<number> {
    if (typeof dead !== 'string') return idsOf(dead, size);
    this.#faults.tell(deadKey, `holds a ${dead}, not a set; nobody is taken for dead`);
    return NOBODY;
  }

  async markDead(death: Death, ttlSeconds: number): Promise<void> {
    const key = `${this.#settings.write.prefix}dead:${death.frontend}`;
    const tell: RedisCommand = ['publish', 'dead', announcement(death)];
    const isActive = this.hasHealthChecker || ttlSeconds <= 0;
    const commands: readonly RedisCommand[] = isActive
      ? [tell]
      : [...burial(this.#write, key, death.backend.id, ttlSeconds), tell];
    const replies = await this.#write.sendAll(commands, this.#write.deadline());
    const failed = replies.flat().find((reply) => isReplyError(reply));
    if (failed === undefined) return;
    if (failed.message.startsWith('WRONGTYPE')) throw this.#broken(key, 'holds something that is no set');
    throw refused(failed);
  }

  async ready(): Promise<void> {
    await Promise.all([this.#read.ready(), this.#write.ready()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#read.close(), this.#write.close()]);
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

/** What a connection is given beyond what all are. */
type OwnSettings = Omit<RedisLinkSettings, 'address' | 'timeoutMs' | 'onUp' | 'onDown'>;

const NONE: Reading = { route: null, expiresMs: Infinity };

/** Both or neither: a mark without an end would outlive its backend's recovery. */
function burial(link: RedisLink, key: string, id: number, ttlSeconds: number): readonly RedisCommand[] {
  const ttl = String(Math.ceil(ttlSeconds));
  if (link.isOneServer) return [['multi'], ['sadd', key, String(id)], ['expire', key, ttl], ['exec']];
  // A transaction would be sent off to another node half said.
  return [['eval', BURIAL, '1', key, String(id), ttl]];
}

function isSameServer(a: RedisAddress, b: RedisAddress): boolean {
  return JSON.stringify({ ...a, prefix: '' }) === JSON.stringify({ ...b, prefix: '' });
}

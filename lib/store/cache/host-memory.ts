import { LRUCache } from 'lru-cache';
import { FairRoom } from '../../core/limits/fair-room.ts';
import { type Prefixes, siteOf, splitKey } from '../../core/routing/prefixes.ts';
import type { Route } from '../../core/routing/types.ts';
import type { Read } from './reads.ts';

/** What is remembered of a host, or of one of its prefixes, whose key is `www.x.io/api`. */
export interface Remembered {
  /** Null: there is no such host, or the prefix has no route. */
  readonly route: Route | null;
  /** Of a host: its prefixes; see Reading. */
  readonly prefixes: Prefixes | 'some' | null;
  /** Whether the route was found under the host's own key, without a wildcard. */
  readonly isOwn: boolean;
  /** The last reading that had this result. */
  read: Read;
  /** When one of its keys expires, `performance.now()` ms. */
  expiresAt: number;
  /** When it was last passed on for the snapshot, by the same clock. */
  learntAt: number;
}

/** Finds what is remembered of a frontend. The caller decides whether that extends how long it is kept. */
export type Get = (frontend: string) => Remembered | undefined;

/** How many unknown hosts are kept: they are cheap to look up, and clients can make up any number. */
const MAX_UNKNOWN = 10_000;

/**
 * Readings by host, with the least recently used dropped first. Hosts with a key of their own, hosts matched by a
 * wildcard, and hosts without a route have separate bounds, so that made-up names cannot displace real ones. Names made
 * up under one wildcard cannot displace those of another either: at the bound, the wildcard with the most hosts loses
 * the one read longest ago.
 */
export class HostMemory {
  readonly #own: LRUCache<string, Remembered>;
  readonly #wild: LRUCache<string, Remembered>;
  /** The same hosts, by wildcard. */
  readonly #wildRoom: FairRoom;
  readonly #unknown: LRUCache<string, Remembered>;
  /** The remembered prefix keys of each host, which may outlive the reading of the host itself. */
  readonly #under = new Map<string, Set<string>>();

  /** @param max the bound of each of the first two kinds */
  constructor(max: number) {
    const dispose = (_: Remembered, frontend: string, reason: string): void => {
      // "set" replaces the entry.
      if (reason !== 'set') this.#leaves(frontend);
    };
    this.#own = new LRUCache({ max, dispose });
    this.#wildRoom = new FairRoom(max);
    this.#wild = new LRUCache({
      // One more, so that #wildRoom decides what is dropped.
      max: max + 1,
      dispose: (remembered, frontend, reason) => {
        if (reason !== 'set') this.#wildRoom.leave(frontend);
        dispose(remembered, frontend, reason);
      },
    });
    this.#unknown = new LRUCache({ max: Math.min(max, MAX_UNKNOWN), dispose });
  }

  /** The number of hosts and prefixes, unknown ones included. */
  get size(): number {
    return this.#own.size + this.#wild.size + this.#unknown.size;
  }

  /** What is remembered of a requested host. */
  get(frontend: string): Remembered | undefined {
    return this.#own.get(frontend) ?? this.#wild.get(frontend) ?? this.#unknown.get(frontend);
  }

  /** The same, without extending how long it is kept. */
  peek(frontend: string): Remembered | undefined {
    return this.#own.peek(frontend) ?? this.#wild.peek(frontend) ?? this.#unknown.peek(frontend);
  }

  set(frontend: string, remembered: Remembered): void {
    const home = this.#homeOf(remembered);
    for (const other of [this.#own, this.#wild, this.#unknown]) if (other !== home) other.delete(frontend);
    home.set(frontend, remembered);
    if (home === this.#wild) this.#enterWild(frontend, remembered);
    this.#enters(frontend);
  }

  /** Whether a test holds for a host that has a route. Recently used ones are tested first. */
  hasRoute(test: (remembered: Remembered) => boolean): boolean {
    for (const hosts of [this.#own, this.#wild]) for (const each of hosts.values()) if (test(each)) return true;
    return false;
  }

  /** The remembered prefix keys of a host, whether or not the host itself is remembered. */
  under(host: string): readonly string[] {
    return [...(this.#under.get(host) ?? [])];
  }

  /** Drops a host and its prefixes. @returns how many of these were remembered */
  delete(host: string): number {
    const homes = [this.#own, this.#wild, this.#unknown];
    return [host, ...this.under(host)].filter((key) => homes.some((hosts) => hosts.delete(key))).length;
  }

  /** Drops everything. @returns how many hosts there were */
  clear(): number {
    const homes = [this.#own, this.#wild, this.#unknown];
    const size = homes.reduce((sum, hosts) => sum + hosts.size, 0);
    for (const hosts of homes) hosts.clear();
    return size;
  }

  #enterWild(frontend: string, { route }: Remembered): void {
    const gone = this.#wildRoom.enter(frontend, siteOf(route?.key ?? ''));
    if (gone !== null) this.#wild.delete(gone);
  }

  #enters(frontend: string): void {
    const { host, prefix } = splitKey(frontend);
    if (prefix === '') return;
    const keys = this.#under.get(host);
    if (keys === undefined) this.#under.set(host, new Set([frontend]));
    else keys.add(frontend);
  }

  #leaves(frontend: string): void {
    const { host, prefix } = splitKey(frontend);
    if (prefix === '') return;
    const keys = this.#under.get(host);
    if (keys?.delete(frontend) && keys.size === 0) this.#under.delete(host);
  }

  #homeOf({ route, isOwn }: Remembered): LRUCache<string, Remembered> {
    if (route === null) return this.#unknown;
    return isOwn ? this.#own : this.#wild;
  }
}

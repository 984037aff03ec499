import { LRUCache } from 'lru-cache';
import { FairRoom } from '../../core/limits/fair-room.ts';
import { type Prefixes, siteOf, splitKey } from '../../core/routing/prefixes.ts';
import type { Route } from '../../core/routing/types.ts';
import type { Read } from './reads.ts';

/** What is remembered of one host, or of one of its prefixes: then under both, `www.x.io/api`. */
export interface Remembered {
  /** Null: nobody knew the host; or a prefix leads nowhere. */
  readonly route: Route | null;
  /** Of a host: which prefixes it has; see Reading. */
  readonly prefixes: Prefixes | 'some' | null;
  /** Whether it was found under the host's own key, so that no wildcard was asked for. */
  readonly isOwn: boolean;
  /** The last that brought this. */
  read: Read;
  /** When a key of it expires, `performance.now()` ms. */
  expiresAt: number;
  /** When somebody was told of it for the snapshot, by the same clock. */
  learntAt: number;
}

/** Finds what is remembered of a frontend. Whether that extends how long it is kept is the caller's choice. */
export type Get = (frontend: string) => Remembered | undefined;

/** Unknown hosts kept at most: they are cheap to ask for, and there is no end of them. */
const MAX_UNKNOWN = 10_000;

/**
 * What was read, by host, the least recently used out first. Hosts with a key of their own, hosts that a wildcard
 * matched and hosts without a route are bounded apart: made-up names cannot push real ones out. Nor can names made up
 * under one wildcard push out another's: where there is no room, the wildcard with the most hosts loses the one read longest ago.
 */
export class HostMemory {
  readonly #own: LRUCache<string, Remembered>;
  readonly #wild: LRUCache<string, Remembered>;
  /** The same hosts, by wildcard. */
  readonly #wildRoom: FairRoom;
  readonly #unknown: LRUCache<string, Remembered>;
  /** Which prefixes' keys are remembered, by host: they may outlive what is remembered of the host itself. */
  readonly #under = new Map<string, Set<string>>();

  /** @param max hosts of the first two kinds, each */
  constructor(max: number) {
    const dispose = (_: Remembered, frontend: string, reason: string): void => {
      // "set" puts another in its place.
      if (reason !== 'set') this.#leaves(frontend);
    };
    this.#own = new LRUCache({ max, dispose });
    this.#wildRoom = new FairRoom(max);
    this.#wild = new LRUCache({
      // One more, so that it is the room that decides.
      max: max + 1,
      dispose: (remembered, frontend, reason) => {
        if (reason !== 'set') this.#wildRoom.leave(frontend);
        dispose(remembered, frontend, reason);
      },
    });
    this.#unknown = new LRUCache({ max: Math.min(max, MAX_UNKNOWN), dispose });
  }

  /** Hosts and prefixes, those that nobody knew among them. */
  get size(): number {
    return this.#own.size + this.#wild.size + this.#unknown.size;
  }

  /** What is remembered of a host that somebody asks for. */
  get(frontend: string): Remembered | undefined {
    return this.#own.get(frontend) ?? this.#wild.get(frontend) ?? this.#unknown.get(frontend);
  }

  /** The same, of one that nobody asks for now: it does not live longer for it. */
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

  /** Whether this holds for a host that has a route. Those used last are looked at first. */
  hasRoute(test: (remembered: Remembered) => boolean): boolean {
    for (const hosts of [this.#own, this.#wild]) for (const each of hosts.values()) if (test(each)) return true;
    return false;
  }

  /** The keys of a host's prefixes that are remembered, whether or not anything is of the host itself. */
  under(host: string): readonly string[] {
    return [...(this.#under.get(host) ?? [])];
  }

  /** Forgets a host and its prefixes. @returns how many of these were remembered */
  delete(host: string): number {
    const homes = [this.#own, this.#wild, this.#unknown];
    return [host, ...this.under(host)].filter((key) => homes.some((hosts) => hosts.delete(key))).length;
  }

  /** Forgets all. @returns how many hosts that were */
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

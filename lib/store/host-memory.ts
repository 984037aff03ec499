import { LRUCache } from 'lru-cache';
import { type Prefixes, splitKey } from '../core/prefixes.ts';
import type { Route } from '../core/types.ts';
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

/** Unknown hosts kept at most: they are cheap to ask for, and there is no end of them. */
const MAX_UNKNOWN = 10_000;

/**
 * What was read, by host, the least recently used out first. Hosts with a key of their own, hosts that a wildcard
 * matched and hosts that nobody knew are bounded apart: whoever makes up names cannot push real ones out.
 */
export class HostMemory {
  readonly #own: LRUCache<string, Remembered>;
  readonly #wild: LRUCache<string, Remembered>;
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
    this.#wild = new LRUCache({ max, dispose });
    this.#unknown = new LRUCache({ max: Math.min(max, MAX_UNKNOWN), dispose });
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
    this.#enters(frontend);
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

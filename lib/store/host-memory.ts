import { LRUCache } from 'lru-cache';
import type { Prefixes } from '../core/prefixes.ts';
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

  /** @param max hosts of the first two kinds, each */
  constructor(max: number) {
    this.#own = new LRUCache({ max });
    this.#wild = new LRUCache({ max });
    this.#unknown = new LRUCache({ max: Math.min(max, MAX_UNKNOWN) });
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
  }

  /** Forgets a host and its prefixes. @returns how many of these were remembered */
  delete(host: string): number {
    const beginning = `${host}/`;
    const isMeant = (key: string): boolean => key === host || key.startsWith(beginning);
    const homes = [this.#own, this.#wild, this.#unknown];
    return homes.flatMap((hosts) => Array.from(hosts.keys()).filter((key) => isMeant(key) && hosts.delete(key))).length;
  }

  /** Forgets all. @returns how many hosts that were */
  clear(): number {
    const homes = [this.#own, this.#wild, this.#unknown];
    const size = homes.reduce((sum, hosts) => sum + hosts.size, 0);
    for (const hosts of homes) hosts.clear();
    return size;
  }

  #homeOf({ route, isOwn }: Remembered): LRUCache<string, Remembered> {
    if (route === null) return this.#unknown;
    return isOwn ? this.#own : this.#wild;
  }
}

/**
 * Names of backends, and their addresses: /etc/hosts first, then DNS. Node's own way, getaddrinfo, holds one of four
 * threads for as long as the resolver takes, and files are read by the same four; here nothing but sockets waits.
 */
import { isIP, isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { askDns, type Ask, isDenial, type Found } from './ask-dns.ts';
import { parseHosts } from './hosts-file.ts';
import { parseSearch, searched } from './search-list.ts';
import { SystemFile } from './system-file.ts';

/** Names that are remembered. */
const MAX_NAMES = 10_000;
/** An answer is good for as long as it says, within these bounds, ms. */
const LEAST_MS = 1_000;
const MOST_MS = 300_000;
/** How long a name that there is not is taken for that, ms. */
const DENIED_MS = 2_000;
/** How long a resolver that gave no answer is left alone, for one name, ms. */
const FAILED_MS = 1_000;
/** How long an answer serves beyond its time when there is no newer one, ms. */
const STALE_MS = 3_600_000;
/** How long an address that could not be connected to is tried last, ms. */
const SHUN_MS = 30_000;
const MAX_SHUNNED = 1_000;

interface Known {
  addresses: readonly string[];
  /** Why there are none. */
  fault: Error | null;
  /** Until when nobody is asked again. */
  freshUntil: number;
  /** Until when the addresses serve at all. */
  usableUntil: number;
  pending: Promise<void> | null;
}

export interface NamesParts {
  readonly ask?: Ask;
  readonly hostsPath?: string;
  readonly resolvPath?: string;
  /** ms; only differences count. */
  readonly now?: () => number;
}

export class Names {
  readonly #ask: Ask;
  readonly #now: () => number;
  readonly #hosts: SystemFile<ReturnType<typeof parseHosts>>;
  readonly #search: SystemFile<ReturnType<typeof parseSearch>>;
  readonly #known = new LRUCache<string, Known>({ max: MAX_NAMES });
  readonly #shunned = new LRUCache<string, number>({ max: MAX_SHUNNED });
  #turn = 0;

  constructor({ ask, hostsPath = '/etc/hosts', resolvPath = '/etc/resolv.conf', now }: NamesParts = {}) {
    this.#now = now ?? (() => performance.now());
    this.#ask = ask ?? askDns();
    this.#hosts = new SystemFile(hostsPath, parseHosts, this.#now);
    this.#search = new SystemFile(resolvPath, parseSearch, this.#now);
  }

  /**
   * The addresses of a name, in the order to try them: one after the other comes first, and those that failed last.
   * @throws Error with a `code` when there are none
   */
  async find(name: string): Promise<readonly string[]> {
    const known = this.#entry(name);
    const now = this.#now();
    if (now >= known.freshUntil) {
      known.pending ??= this.#refresh(name, known);
      // What was right a moment ago need not wait for what is right now.
      if (known.addresses.length === 0 || now >= known.usableUntil) await known.pending;
    }
    if (known.addresses.length === 0) throw known.fault ?? new Error(`no address of ${name} is known`);
    return this.#ordered(known.addresses);
  }

  /** An address could not be connected to. */
  shun(address: string): void {
    this.#shunned.set(address, this.#now() + SHUN_MS);
  }

  #entry(name: string): Known {
    let known = this.#known.get(name);
    if (known === undefined) {
      known = { addresses: [], fault: null, freshUntil: -Infinity, usableUntil: -Infinity, pending: null };
      this.#known.set(name, known);
    }
    return known;
  }

  /** Never rejects. */
  async #refresh(name: string, known: Known): Promise<void> {
    try {
      const { addresses, ttlMs } = await this.#resolve(name);
      known.addresses = addresses;
      known.fault = null;
      known.freshUntil = this.#now() + Math.min(MOST_MS, Math.max(LEAST_MS, ttlMs));
      known.usableUntil = known.freshUntil + STALE_MS;
    } catch (error) {
      const fault = error instanceof Error ? error : new Error(String(error));
      known.fault = fault;
      known.freshUntil = this.#now() + (isDenial(fault) ? DENIED_MS : FAILED_MS);
      // Without an answer the last one holds; "there is none" is an answer.
      if (isDenial(fault) || this.#now() >= known.usableUntil) known.addresses = [];
    } finally {
      known.pending = null;
    }
  }

  async #resolve(name: string): Promise<Found> {
    const own = name.replace(/\.$/, '').toLowerCase();
    const listed = (await this.#hosts.read()).get(own);
    if (listed !== undefined) return { addresses: listed, ttlMs: 0 };
    // RFC 6761 §6.3: never asked of anybody.
    if (own === 'localhost' || own.endsWith('.localhost')) return { addresses: ['127.0.0.1', '::1'], ttlMs: 0 };
    let denial: Error | null = null;
    for (const candidate of searched(name, await this.#search.read())) {
      try {
        return await this.#ask(candidate);
      } catch (error) {
        if (!(error instanceof Error) || !isDenial(error)) throw error;
        denial ??= error;
      }
    }
    throw Object.assign(new Error(`there is no address of ${name}`), { code: 'ENOTFOUND', cause: denial });
  }

  /** The families take turns, beginning with the one that came first (RFC 8305 §4). */
  #ordered(addresses: readonly string[]): readonly string[] {
    if (addresses.length === 1) return addresses;
    const isLeading = isIPv6(addresses[0] ?? '');
    const turn = this.#turn++;
    const now = this.#now();
    const isShunned = (address: string): boolean => (this.#shunned.get(address) ?? -Infinity) > now;
    const inTurn = (fitting: (address: string) => boolean): readonly string[] => {
      const [leading, others] = [isLeading, !isLeading].map((isV6) => {
        const family = addresses.filter((address) => isIPv6(address) === isV6 && isIP(address) !== 0);
        const first = family.length === 0 ? 0 : turn % family.length;
        return family.slice(first).concat(family.slice(0, first)).filter(fitting);
      });
      return alternately(leading ?? [], others ?? []);
    };
    return [...inTurn((address) => !isShunned(address)), ...inTurn(isShunned)];
  }
}

/** One of each in turn, and the rest of the longer list. */
function alternately<T>(some: readonly T[], others: readonly T[]): readonly T[] {
  return Array.from({ length: Math.max(some.length, others.length) }, (_, i) => [
    ...some.slice(i, i + 1),
    ...others.slice(i, i + 1),
  ]).flat();
}

/**
 * Resolves names of backends: by /etc/hosts first, then by DNS. Node's own getaddrinfo occupies one of four threads
 * until the resolver replies, and the same threads read files; here only sockets wait.
 */
import { isIP, isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { askDns, type Ask, isDenial, type Found } from './ask-dns.ts';
import { HeldConnections } from './held-connections.ts';
import { parseHosts, parseSearch, searched, SystemFile } from './system-files.ts';

/** Maximum number of cached names. */
const MAX_NAMES = 10_000;
/** Maximum TTL, ms. */
const MOST_MS = 300_000;
/** The last part of the TTL, in which a used name is looked up again in advance. */
const AHEAD = 1 / 4;
/** How long a negative reply is cached, ms. */
const DENIED_MS = 2_000;
/** How long a failed query is not repeated, for one name, ms. */
const FAILED_MS = 1_000;
/** How long expired addresses are used while the resolver does not reply, ms (RFC 8767 §4). */
const STALE_MS = 3_600_000;
/** How long to wait for a newer reply before expired addresses are used, ms (RFC 8767 §5, "client response timer"). */
const WAIT_MS = 1_800;
/** Interval between checks of the names with open connections, ms. */
const WATCH_MS = 1_000;
/** Minimum interval between queries for such a name, whatever its TTL, ms; and maximum number of queries per check. */
const WATCHED_MS = 5_000;
const MAX_WATCHED = 20;
/** How long an address that failed to connect is tried last, ms. */
const SHUN_MS = 30_000;
const MAX_SHUNNED = 1_000;

/** A query under way, for all callers. */
interface Pending {
  /** Resolves with or without a reply. Never rejects. */
  readonly done: Promise<void>;
  /** The same after `WAIT_MS` at most. */
  readonly soon: Promise<void>;
  /** It took longer: expired addresses are used. */
  isLate: boolean;
}

interface Known {
  addresses: readonly string[];
  /** The family whose addresses are unknown; 0 for none. */
  unheard: 0 | 4 | 6;
  /** Why there are none. */
  fault: Error | null;
  askedAt: number;
  /** From when on it is queried again. */
  askFrom: number;
  /** Until when the addresses are used without a query. */
  freshUntil: number;
  /** Until when they are used while the resolver does not reply. */
  usableUntil: number;
  pending: Pending | null;
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
  readonly #held = new HeldConnections();
  /** Names that the current round has not checked yet. */
  #toWatch: string[] = [];
  #watch: NodeJS.Timeout | null = null;
  #turn = 0;

  constructor({ ask, hostsPath = '/etc/hosts', resolvPath = '/etc/resolv.conf', now }: NamesParts = {}) {
    this.#now = now ?? (() => performance.now());
    this.#ask = ask ?? askDns();
    this.#hosts = new SystemFile(hostsPath, parseHosts);
    this.#search = new SystemFile(resolvPath, parseSearch);
  }

  /**
   * The addresses of a name, in the order to try them: rotated, and with those that failed last. Expired ones are
   * returned only if the resolver does not reply in time (RFC 8767).
   * @throws Error with a `code` when there are none
   */
  async find(name: string): Promise<readonly string[]> {
    const listed = this.#listed(name);
    if (listed !== null) return this.#ordered(listed);
    const known = this.#entry(name);
    const now = this.#now();
    if (now >= known.askFrom) known.pending ??= this.#begin(name, known);
    const { pending } = known;
    if (pending !== null && now >= known.freshUntil) {
      const hasOlder = known.addresses.length > 0 && now < known.usableUntil;
      if (!hasOlder) await pending.done;
      else if (!pending.isLate) await pending.soon;
    }
    if (known.addresses.length === 0) throw known.fault ?? new Error(`no address of ${name} is known`);
    return this.#ordered(known.addresses);
  }

  /**
   * A connection to an address of a name is open. The name is looked up periodically meanwhile.
   * @param onMoved called at most once: the name no longer resolves to that address
   * @returns call it when the connection has closed
   */
  hold(name: string, address: string, onMoved: () => void): () => void {
    this.#watch ??= setInterval(() => this.watch(), WATCH_MS).unref();
    return this.#held.add(name, address, onMoved);
  }

  /** Checks the names with open connections. Called every second, and by tests. */
  watch(): void {
    if (this.#toWatch.length === 0) this.#toWatch = [...this.#held.names];
    if (this.#toWatch.length === 0 && this.#watch !== null) {
      clearInterval(this.#watch);
      this.#watch = null;
    }
    let asked = 0;
    for (let name = this.#toWatch.pop(); name !== undefined; name = this.#toWatch.pop()) {
      if (this.#look(name)) asked++;
      if (asked === MAX_WATCHED) return;
    }
  }

  /** @returns whether the resolver was queried */
  #look(name: string): boolean {
    const listed = this.#listed(name);
    if (listed !== null) {
      this.#held.compare(name, listed);
      return false;
    }
    const known = this.#entry(name);
    const now = this.#now();
    // The connection was being made when the reply came.
    if (now < known.freshUntil) this.#held.compare(name, known.addresses, known.unheard);
    if (known.pending !== null || now < known.askFrom || now < known.askedAt + WATCHED_MS) return false;
    known.pending = this.#begin(name, known);
    return true;
  }

  /** A connection to this address has failed. */
  shun(address: string): void {
    this.#shunned.set(address, this.#now() + SHUN_MS);
  }

  #entry(name: string): Known {
    let known = this.#known.get(name);
    if (known === undefined) {
      const never = -Infinity;
      known = {
        addresses: [],
        unheard: 0,
        fault: null,
        askedAt: never,
        askFrom: never,
        freshUntil: never,
        usableUntil: never,
        pending: null,
      };
      this.#known.set(name, known);
    }
    return known;
  }

  #begin(name: string, known: Known): Pending {
    known.askedAt = this.#now();
    const done = this.#refresh(name, known);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        pending.isLate = true;
        resolve();
      }, WAIT_MS).unref();
    });
    const pending: Pending = { done, soon: Promise.race([done, late]), isLate: false };
    void done.then(() => clearTimeout(timer));
    return pending;
  }

  /** Never rejects. */
  async #refresh(name: string, known: Known): Promise<void> {
    try {
      const { addresses, ttlMs, unheard } = await this.#resolve(name);
      const now = this.#now();
      const goodMs = Math.min(MOST_MS, Math.max(0, ttlMs));
      known.addresses = addresses;
      known.unheard = unheard;
      known.fault = null;
      known.askFrom = now + goodMs * (1 - AHEAD);
      known.freshUntil = now + goodMs;
      known.usableUntil = known.freshUntil + STALE_MS;
      this.#held.compare(name, addresses, unheard);
    } catch (error) {
      const fault = error instanceof Error ? error : new Error(String(error));
      const isDenied = isDenial(fault);
      const now = this.#now();
      known.fault = fault;
      known.askFrom = now + (isDenied ? DENIED_MS : FAILED_MS);
      // Without a reply the previous one is kept; "no such name" is a reply.
      if (!isDenied && now < known.usableUntil) return;
      known.addresses = [];
      if (!isDenied) return;
      known.unheard = 0;
      known.freshUntil = known.askFrom;
      this.#held.compare(name, []);
    } finally {
      known.pending = null;
    }
  }

  /** Addresses that need no query; null for other names. */
  #listed(name: string): readonly string[] | null {
    const own = name.replace(/\.$/, '').toLowerCase();
    const listed = this.#hosts.read().get(own);
    if (listed !== undefined) return listed;
    // RFC 6761 §6.3: never queried.
    return own === 'localhost' || own.endsWith('.localhost') ? ['127.0.0.1', '::1'] : null;
  }

  async #resolve(name: string): Promise<Found> {
    let denial: Error | null = null;
    for (const candidate of searched(name, this.#search.read())) {
      try {
        return await this.#ask(candidate);
      } catch (error) {
        if (!(error instanceof Error) || !isDenial(error)) throw error;
        denial ??= error;
      }
    }
    throw Object.assign(new Error(`there is no address of ${name}`), { code: 'ENOTFOUND', cause: denial });
  }

  /** Alternates the families, beginning with the first (RFC 8305 §4). */
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

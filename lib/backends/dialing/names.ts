/**
 * Names of backends, and their addresses: /etc/hosts first, then DNS. Node's own way, getaddrinfo, holds one of four
 * threads for as long as the resolver takes, and files are read by the same four; here nothing but sockets waits.
 */
import { isIP, isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { askDns, type Ask, isDenial, type Found } from './ask-dns.ts';
import { HeldConnections } from './held-connections.ts';
import { parseHosts, parseSearch, searched, SystemFile } from './system-files.ts';

/** Names that are remembered. */
const MAX_NAMES = 10_000;
/** A response is good for as long as it says, and no longer than this, ms. */
const MOST_MS = 300_000;
/** The last part of that time, in which a name that is asked for is looked up again: who asks need not wait then. */
const AHEAD = 1 / 4;
/** How long a name that there is not is taken for that, ms. */
const DENIED_MS = 2_000;
/** How long a resolver that gave no response is left alone, for one name, ms. */
const FAILED_MS = 1_000;
/** How long a response serves beyond its time while the resolver gives none, ms (RFC 8767 §4). */
const STALE_MS = 3_600_000;
/** How long a newer answer is waited for where there is an older one, ms (RFC 8767 §5, "client response timer"). */
const WAIT_MS = 1_800;
/** Between two looks at the names that connections are open to, ms. */
const WATCH_MS = 1_000;
/** Between two questions for such a name, whatever its responses say, ms; and questions a look at most. */
const WATCHED_MS = 5_000;
const MAX_WATCHED = 20;
/** How long an address that could not be connected to is tried last, ms. */
const SHUN_MS = 30_000;
const MAX_SHUNNED = 1_000;

/** A question that is under way, for all who wait. */
interface Pending {
  /** Resolves with the response, or without one. Never rejects. */
  readonly done: Promise<void>;
  /** The same after `WAIT_MS` at most. */
  readonly soon: Promise<void>;
  /** It took longer: whoever has an older answer takes that. */
  isLate: boolean;
}

interface Known {
  addresses: readonly string[];
  /** The family whose addresses are not known; 0 for none. */
  unheard: 0 | 4 | 6;
  /** Why there are none. */
  fault: Error | null;
  askedAt: number;
  /** From when on it is asked for again. */
  askFrom: number;
  /** Until when the addresses serve without a question. */
  freshUntil: number;
  /** Until when they serve while there is no response. */
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
  /** Those of them that the current round has not come to. */
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
   * The addresses of a name, in the order to try them: one after the other comes first, and those that failed last.
   * A response that has expired is served only when the resolver gives no newer one in time (RFC 8767).
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
   * A connection to an address of a name is open. The name is looked up from time to time as long as there is one.
   * @param onMoved called once at most: the name does not lead to that address any more
   * @returns to be called when the connection has closed
   */
  hold(name: string, address: string, onMoved: () => void): () => void {
    this.#watch ??= setInterval(() => this.watch(), WATCH_MS).unref();
    return this.#held.add(name, address, onMoved);
  }

  /** Looks at names that connections are open to. Called each second; a test calls it itself. */
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

  /** @returns whether the resolver was asked */
  #look(name: string): boolean {
    const listed = this.#listed(name);
    if (listed !== null) {
      this.#held.compare(name, listed);
      return false;
    }
    const known = this.#entry(name);
    const now = this.#now();
    // A connection that was on its way when the response came.
    if (now < known.freshUntil) this.#held.compare(name, known.addresses, known.unheard);
    if (known.pending !== null || now < known.askFrom || now < known.askedAt + WATCHED_MS) return false;
    known.pending = this.#begin(name, known);
    return true;
  }

  /** An address could not be connected to. */
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
      // Without a response the last one holds; "there is none" is a response.
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

  /** What needs no question: null for other names. */
  #listed(name: string): readonly string[] | null {
    const own = name.replace(/\.$/, '').toLowerCase();
    const listed = this.#hosts.read().get(own);
    if (listed !== undefined) return listed;
    // RFC 6761 §6.3: never asked of anybody.
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

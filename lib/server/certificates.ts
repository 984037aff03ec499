import { createSecureContext, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { FairAllowance } from '../core/limits/fair-allowance.ts';
import { certificateKeys } from '../core/routing/server-name.ts';
import { checkPair, expiry } from '../store/certificate-check.ts';
import { type CertificateStore, type StoredCertificate, type StoredPair, isSameStored } from '../store/certificates.ts';

/** The last pair that was valid, for each key, as found by any worker. */
export interface GoodPairs {
  /** The last valid pair for a key; null if there is none. Never rejects; takes at most one second. */
  recall(key: string): Promise<StoredPair | null>;
  /** Records that a pair was found valid. */
  keep(key: string, pair: StoredPair): void;
  /** Records that the store has nothing under a key. */
  drop(key: string): void;
}

/** What Certificates needs. */
export interface CertificatesParts {
  readonly store: CertificateStore;
  readonly goodPairs: GoodPairs;
  /** Called once per fault with the operator's name of the key, and again after it was fixed and came back. */
  readonly onFault: (name: string, fault: string) => void;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** Certificate authorities (PEM) that client certificates are checked against. Compared by identity. */
export type ClientTrust = readonly string[];

/** A valid pair. */
interface Good {
  /** The pair. The same object as long as the store's content is unchanged. */
  held: StoredPair;
  readonly expiresAt: number;
  /** The TLS contexts made of it, by trust; each takes about 30 kB. */
  readonly contexts: Map<ClientTrust, SecureContext>;
}

/** The result of a lookup by server name. `held` is what the store has now; null when the store cannot be read. */
interface Found {
  readonly key: string;
  readonly good: Good;
  readonly held: StoredCertificate | null;
}

/**
 * The certificate that clients get. `name`: its key. `why`: why an older certificate is used; null when it is the
 * current one.
 */
export interface Shown {
  readonly name: string;
  readonly names: readonly string[];
  /** ISO 8601; null when the date cannot be read. */
  readonly expiresAt: string | null;
  readonly why: string | null;
}

/** How many lookups of names that turn out to have no certificate there may be at once, and in a second after that. */
const UNKNOWN_BURST = 5_000;
const UNKNOWN_PER_SECOND = 1_000;
/** How many keys have contexts; making one takes a millisecond or more. */
const MAX_GOOD = 1_000;
/** How many keys have remembered faults. */
const MAX_FAULTY = 1_000;

/** The store's certificates, as TLS contexts. Shared by all listeners of a worker. */
export class Certificates {
  readonly #parts: CertificatesParts;
  readonly #good = new LRUCache<string, Good>({ max: MAX_GOOD });
  /** Rejected content, so that it is not checked again. */
  readonly #bad = new LRUCache<string, StoredCertificate>({ max: MAX_FAULTY });
  readonly #told = new LRUCache<string, string>({ max: MAX_FAULTY });
  /** Clients can make up any number of names. */
  readonly #unknown = new FairAllowance(UNKNOWN_BURST, UNKNOWN_PER_SECOND, () => performance.now());

  constructor(parts: CertificatesParts) {
    this.#parts = parts;
  }

  /** How many keys have a context. */
  get size(): number {
    return this.#good.size;
  }

  /** How many keys have content that cannot be used, as of the last lookup of each; at most MAX_FAULTY. */
  get faults(): number {
    return this.#told.size;
  }

  /**
   * The TLS context for a client; null when the store has no usable certificate for it. Never rejects; takes no longer
   * than the store's own limit.
   * @param serverName as sent by the client: arbitrary bytes
   * @param trust the authorities that the context checks client certificates against
   * @param client as `clientKey` returns it. When too many names had no certificate lately, of this client's or of all,
   *   the store is not asked for a name that is new to this worker, as if it did not reply
   */
  async find(serverName: string, trust: ClientTrust, client: string): Promise<SecureContext | null> {
    const keys = certificateKeys(serverName);
    const [own = ''] = keys;
    const isNew = !this.#good.has(own) && keys.some((key) => this.#parts.store.mustAsk(key));
    const mayAsk = !isNew || this.#unknown.takeOne(client);
    const found = await this.#lookUp(keys, mayAsk);
    if (isNew && mayAsk && found !== null) {
      // Clients can make up names under a wildcard, too.
      if (found.key === own) this.#unknown.giveBack(client);
      else this.#unknown.giveBackToAll();
    }
    return found && contextOf(found.good, trust);
  }

  /**
   * The certificate that a client with this server name gets now; null when the store has no usable one. Never rejects.
   */
  async shown(serverName: string): Promise<Shown | null> {
    const found = await this.#lookUp(certificateKeys(serverName), true);
    if (found === null) return null;
    const { key, good, held } = found;
    const { names } = checkPair(good.held, 0);
    const isCurrent = held === good.held;
    const fault =
      held === null ? 'cannot be read: the store does not reply' : (this.#told.get(key) ?? 'cannot be used');
    return {
      name: this.#parts.store.nameOf(key),
      names,
      expiresAt: good.expiresAt === Infinity ? null : new Date(good.expiresAt).toISOString(),
      why: isCurrent ? null : fault,
    };
  }

  async #lookUp(keys: readonly string[], mayAsk: boolean): Promise<Found | null> {
    // In parallel, so that Redis gets them in one packet.
    const held = mayAsk ? await Promise.all(keys.map((key) => this.#heldUnder(key))) : [];
    for (const [i, key] of keys.entries()) {
      const now = held[i] ?? null;
      const good = this.#judge(key, now) ?? (now?.type === 'none' ? null : await this.#recall(key));
      if (good !== null) return { key, good, held: now };
    }
    return null;
  }

  /** Drops the context of a key and what is remembered of it, because another worker found a newer pair, or none. */
  forget(key: string): void {
    this.#good.delete(key);
    this.#bad.delete(key);
    this.#parts.store.forget(key);
  }

  async #heldUnder(key: string): Promise<StoredCertificate | null> {
    try {
      return await this.#parts.store.find(key);
    } catch {
      // The store reports its own failures to the operator.
      return null;
    }
  }

  /** The pair to use for a key: what the store has now if it is valid, else the last valid one. */
  #judge(key: string, held: StoredCertificate | null): Good | null {
    const last = this.#good.get(key) ?? null;
    if (held === null) return last;
    if (held.type === 'none') {
      this.#good.delete(key);
      this.#told.delete(key);
      this.#parts.goodPairs.drop(key);
      return null;
    }
    if (held.type === 'faulty') {
      this.#tell(key, held.fault);
      return last;
    }
    if (last !== null && (held === last.held || isSameStored(held, last.held))) {
      last.held = held;
      // Either the store has the last valid pair again, or that pair has expired since.
      if (last.expiresAt <= this.#parts.now()) this.#tell(key, expiry(last.expiresAt));
      else this.#told.delete(key);
      return last;
    }
    if (this.#bad.get(key) === held) return last;
    const fault = this.#adopt(key, held);
    if (fault === null) return this.#good.get(key) ?? null;
    this.#bad.set(key, held);
    this.#tell(key, fault);
    return last;
  }

  /** Uses a pair if it is valid. @returns the fault otherwise */
  #adopt(key: string, held: StoredPair): string | null {
    const { fault, expiresAt } = checkPair(held, this.#parts.now());
    if (fault !== null) return fault.text;
    const good: Good = { held, expiresAt, contexts: new Map() };
    try {
      contextOf(good, NO_CLIENT_TRUST);
    } catch (error) {
      return `is refused by OpenSSL: ${error instanceof Error ? error.message : String(error)}`;
    }
    this.#good.set(key, good);
    this.#bad.delete(key);
    this.#told.delete(key);
    this.#parts.goodPairs.keep(key, held);
    return null;
  }

  /**
   * The last valid pair of other workers, when this worker has none. It stays in use after it has expired, as in the
   * other workers.
   */
  async #recall(key: string): Promise<Good | null> {
    const held = await this.#parts.goodPairs.recall(key);
    const found = this.#good.get(key) ?? null;
    if (found !== null || held === null) return found;
    const { fault, expiresAt } = checkPair(held, 0);
    const good: Good = { held, expiresAt, contexts: new Map() };
    try {
      if (fault !== null) return null;
      contextOf(good, NO_CLIENT_TRUST);
    } catch {
      // Another worker could use the pair, but this one cannot; it may run another version of the program.
      return null;
    }
    this.#good.set(key, good);
    return good;
  }

  #tell(key: string, fault: string): void {
    if (this.#told.get(key) === fault) return;
    this.#told.set(key, fault);
    const { store, onFault } = this.#parts;
    onFault(store.nameOf(key), fault);
  }
}

/** The trust of listeners that ask clients for no certificate. */
export const NO_CLIENT_TRUST: ClientTrust = [];

function contextOf({ held, contexts }: Good, trust: ClientTrust): SecureContext {
  let context = contexts.get(trust);
  if (context === undefined) {
    // Without `ca`, Node would check clients against the public root certificates.
    context = createSecureContext({ cert: held.certificate, key: held.key, ca: [...trust] });
    contexts.set(trust, context);
  }
  return context;
}

import { createSecureContext, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { certificateKeys } from '../core/routing/server-name.ts';
import { checkPair, expiry } from '../store/certificate-check.ts';
import { type CertificateStore, type StoredCertificate, type StoredPair, isSameStored } from '../store/certificates.ts';

/** The pairs that were good last, whichever worker found them so, and whenever it began. */
export interface GoodPairs {
  /** The last good one for a key; null for none. Never rejects, and takes a second at most. */
  recall(key: string): Promise<StoredPair | null>;
  /** A pair was found good. */
  keep(key: string, pair: StoredPair): void;
  /** Nothing stands under a key any more. */
  drop(key: string): void;
}

/** What Certificates is made of. */
export interface CertificatesParts {
  readonly store: CertificateStore;
  readonly goodPairs: GoodPairs;
  /** Told what is wrong with what stands under a key, by the operator's name for it: once, until it is mended. */
  readonly onFault: (name: string, fault: string) => void;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** Authorities of clients (PEM): what a listener checks certificates with. Told apart by identity. */
export type ClientTrust = readonly string[];

/** A pair that can be used. */
interface Good {
  /** Its texts, as the same object as long as the store has them so. */
  held: StoredPair;
  readonly expiresAt: number;
  /** What was made of it, for each kind of listener: some 30 kB each. */
  readonly contexts: Map<ClientTrust, SecureContext>;
}

/** What was found for a name, and what stands under its key now; null where the store gives no answer. */
interface Found {
  readonly key: string;
  readonly good: Good;
  readonly held: StoredCertificate | null;
}

/** What handshakes are shown. `name`: where it stands. `why`: the reason that it is an older one; null where it is not. */
export interface Shown {
  readonly name: string;
  readonly names: readonly string[];
  /** As ISO 8601; null where that cannot be read. */
  readonly expiresAt: string | null;
  readonly why: string | null;
}

/** Keys whose contexts are kept; to make one takes a millisecond or more. */
const MAX_GOOD = 1_000;
/** Keys that faults are remembered of. */
const MAX_FAULTY = 1_000;

/** The certificates of the store, as handshakes want them. One for all listeners of a worker. */
export class Certificates {
  readonly #parts: CertificatesParts;
  readonly #good = new LRUCache<string, Good>({ max: MAX_GOOD });
  /** What was refused, so that it is not looked into again. */
  readonly #bad = new LRUCache<string, StoredCertificate>({ max: MAX_FAULTY });
  readonly #told = new LRUCache<string, string>({ max: MAX_FAULTY });

  constructor(parts: CertificatesParts) {
    this.#parts = parts;
  }

  /** How many keys there are contexts for. */
  get size(): number {
    return this.#good.size;
  }

  /** How many keys hold what cannot be used as it is, by the last look at each; at most MAX_FAULTY. */
  get faults(): number {
    return this.#told.size;
  }

  /**
   * What the handshake of a client is to go on with; null when the store has nothing that can be used. Never rejects,
   * and takes no longer than the store may.
   * @param serverName as the client sent it: any bytes
   * @param trust becomes part of the context, since a handshake is checked with the context's own authorities
   */
  async find(serverName: string, trust: ClientTrust): Promise<SecureContext | null> {
    const found = await this.#lookUp(serverName);
    return found && contextOf(found.good, trust);
  }

  /** The certificate that a handshake is shown now; null when the store has none that can be used. Never rejects. */
  async shown(serverName: string): Promise<Shown | null> {
    const found = await this.#lookUp(serverName);
    if (found === null) return null;
    const { key, good, held } = found;
    const { names } = checkPair(good.held, 0);
    const isCurrent = held === good.held;
    const fault =
      held === null ? 'cannot be read: the store gives no answer' : (this.#told.get(key) ?? 'cannot be used');
    return {
      name: this.#parts.store.nameOf(key),
      names,
      expiresAt: good.expiresAt === Infinity ? null : new Date(good.expiresAt).toISOString(),
      why: isCurrent ? null : fault,
    };
  }

  async #lookUp(serverName: string): Promise<Found | null> {
    const keys = certificateKeys(serverName);
    // Together: they leave as one packet.
    const held = await Promise.all(keys.map((key) => this.#heldUnder(key)));
    for (const [i, key] of keys.entries()) {
      const now = held[i] ?? null;
      const good = this.#judge(key, now) ?? (now?.type === 'none' ? null : await this.#recall(key));
      if (good !== null) return { key, good, held: now };
    }
    return null;
  }

  /** Another pair than this worker's was good last, or none is there: it has to be asked for again. */
  forget(key: string): void {
    this.#good.delete(key);
    this.#bad.delete(key);
    this.#parts.store.forget(key);
  }

  async #heldUnder(key: string): Promise<StoredCertificate | null> {
    try {
      return await this.#parts.store.find(key);
    } catch {
      // The store is silent, and tells the operator of that itself.
      return null;
    }
  }

  /** The pair to use for a key, given what stands there now: that one, or the last good one. */
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
      // Somebody has taken back what was refused; or it has ended in our hands.
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

  /** Takes a pair for good, when it is. @returns what is wrong with it otherwise */
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

  /** The last good pair, when this worker has none. One that has expired since stays in use, as it does elsewhere. */
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
      // It was good in another worker; in this one, perhaps of a newer program, it is not.
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
    // Without `ca` Node would have clients checked with the roots of the web.
    context = createSecureContext({ cert: held.certificate, key: held.key, ca: [...trust] });
    contexts.set(trust, context);
  }
  return context;
}

import { createSecureContext, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { certificateKeys } from '../core/server-name.ts';
import { checkPair, expiry } from '../store/certificate-check.ts';
import type { CertificateStore, HeldCertificate, HeldPair } from '../store/certificates.ts';

/** What Certificates is made of. */
export interface CertificatesParts {
  readonly store: CertificateStore;
  /** Told what is wrong with what stands under a key, by the operator's name for it: once, until it is mended. */
  readonly onFault: (name: string, fault: string) => void;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** Authorities of clients (PEM): what a listener checks certificates with. Told apart by identity. */
export type ClientTrust = readonly string[];

/** A pair that can be used. */
interface Good {
  readonly held: HeldPair;
  readonly expiresAt: number;
  /** What was made of it, for each kind of listener: some 30 kB each. */
  readonly contexts: Map<ClientTrust, SecureContext>;
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
  readonly #bad = new LRUCache<string, HeldCertificate>({ max: MAX_FAULTY });
  readonly #told = new LRUCache<string, string>({ max: MAX_FAULTY });

  constructor(parts: CertificatesParts) {
    this.#parts = parts;
  }

  /**
   * What the handshake of a client is to go on with; null when the store has nothing that can be used. Never rejects,
   * and takes no longer than the store may.
   * @param serverName as the client sent it: any bytes
   * @param trust becomes part of the context, since a handshake is checked with the context's own authorities
   */
  async find(serverName: string, trust: ClientTrust): Promise<SecureContext | null> {
    const keys = certificateKeys(serverName);
    // Together: they leave as one packet.
    const held = await Promise.all(keys.map((key) => this.#heldUnder(key)));
    for (const [i, key] of keys.entries()) {
      const good = this.#judge(key, held[i] ?? null);
      if (good !== null) return contextOf(good, trust);
    }
    return null;
  }

  async #heldUnder(key: string): Promise<HeldCertificate | null> {
    try {
      return await this.#parts.store.find(key);
    } catch {
      // The store is silent, and tells the operator of that itself.
      return null;
    }
  }

  /** The pair to use for a key, given what stands there now: that one, or the last good one. */
  #judge(key: string, held: HeldCertificate | null): Good | null {
    const last = this.#good.get(key) ?? null;
    if (held === null) return last;
    if (held.type === 'none') {
      this.#good.delete(key);
      this.#told.delete(key);
      return null;
    }
    if (held.type === 'faulty') {
      this.#tell(key, held.fault);
      return last;
    }
    if (held === last?.held) {
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
  #adopt(key: string, held: HeldPair): string | null {
    const { fault, expiresAt } = checkPair(held, this.#parts.now());
    if (fault !== null) return fault.text;
    const good: Good = { held, expiresAt, contexts: new Map() };
    try {
      contextOf(good, NOBODY);
    } catch (error) {
      return `is refused by OpenSSL: ${error instanceof Error ? error.message : String(error)}`;
    }
    this.#good.set(key, good);
    this.#bad.delete(key);
    this.#told.delete(key);
    return null;
  }

  #tell(key: string, fault: string): void {
    if (this.#told.get(key) === fault) return;
    this.#told.set(key, fault);
    const { store, onFault } = this.#parts;
    onFault(store.nameOf(key), fault);
  }
}

/** The trust of listeners that ask clients for no certificate. */
export const NOBODY: ClientTrust = [];

function contextOf({ held, contexts }: Good, trust: ClientTrust): SecureContext {
  let context = contexts.get(trust);
  if (context === undefined) {
    // Without `ca` Node would have clients checked with the roots of the web.
    context = createSecureContext({ cert: held.certificate, key: held.key, ca: [...trust] });
    contexts.set(trust, context);
  }
  return context;
}

/** Certificates as a store has them, by key: a host, or `*.x.io`. */

/** What stands under a key. Of a pair nobody has seen yet whether it is one. Never to be logged: it has a private key. */
export type StoredCertificate = StoredPair | { readonly type: 'none' } | FaultyCertificate;

/** Two texts, in PEM form if all is well. The same object as long as both are the same. */
export interface StoredPair {
  readonly type: 'pair';
  /** The certificate, and what leads from it to a root. */
  readonly certificate: string;
  readonly key: string;
}

/** Something stands there that is no pair. */
export interface FaultyCertificate {
  readonly type: 'faulty';
  readonly code: 'wrong-type' | 'missing-field' | 'unreadable';
  readonly fault: string;
}

/** Where certificates come from, besides the configuration. */
export interface CertificateStore {
  /** How an operator knows what stands under a key: `tls:www.x.io`. */
  nameOf(key: string): string;
  /**
   * What stands under a key now; where the store gives no answer, what stood there last.
   * @throws RouterError `store-unavailable` when nothing is known, within the store's time limit
   */
  find(key: string): Promise<StoredCertificate>;
  /** What stood there last is not what counts while the store gives no answer. */
  forget(key: string): void;
}

/** One half of a pair may be as long: chains of many certificates have some ten thousand characters. */
export const MAX_PEM = 256 * 1024;

export const NO_CERTIFICATE: StoredCertificate = { type: 'none' };

/** What two texts are; each is empty or no text where it is missing. */
export function storedPair(certificate: unknown, key: unknown): StoredCertificate {
  const hasCertificate = typeof certificate === 'string' && certificate !== '';
  const hasKey = typeof key === 'string' && key !== '';
  if (!hasCertificate && !hasKey) return faulty('missing-field', 'has neither a certificate nor a key');
  if (!hasCertificate) return faulty('missing-field', 'has a key and no certificate');
  if (!hasKey) return faulty('missing-field', 'has a certificate and no key');
  if (certificate.length > MAX_PEM || key.length > MAX_PEM) return faulty('wrong-type', 'is too long');
  return { type: 'pair', certificate, key };
}

export function faulty(code: FaultyCertificate['code'], fault: string): FaultyCertificate {
  return { type: 'faulty', code, fault };
}

/** Whether two readings hold the same. */
export function isSameStored(a: StoredCertificate, b: StoredCertificate): boolean {
  if (a.type === 'pair' && b.type === 'pair') return a.key === b.key && a.certificate === b.certificate;
  if (a.type === 'faulty' && b.type === 'faulty') return a.fault === b.fault;
  return a.type === b.type && a.type === 'none';
}

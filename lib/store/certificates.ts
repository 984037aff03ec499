/** Certificates in a store. Their keys are a host, or `*.x.io`. */

/** The content of a key. A pair is not validated yet. Never log it: it has a private key. */
export type StoredCertificate = StoredPair | { readonly type: 'none' } | FaultyCertificate;

/** Two texts, which should be PEM. The same object as long as both are unchanged. */
export interface StoredPair {
  readonly type: 'pair';
  /** The certificate with its chain. */
  readonly certificate: string;
  readonly key: string;
}

/** The key's content is not a pair. */
export interface FaultyCertificate {
  readonly type: 'faulty';
  readonly code: 'wrong-type' | 'missing-field' | 'unreadable';
  readonly fault: string;
}

/** A source of certificates besides the configuration. */
export interface CertificateStore {
  /** The operator's name of a key: `tls:www.x.io`. */
  nameOf(key: string): string;
  /**
   * The current content of a key; the last known one while the store does not reply.
   * @throws RouterError `store-unavailable` when nothing is known, within the store's time limit
   */
  find(key: string): Promise<StoredCertificate>;
  /** Whether `find` has to ask for a key: its content is not remembered, or may have changed. */
  mustAsk(key: string): boolean;
  /** Drops the remembered content of a key, so that it is not used while the store does not reply. */
  forget(key: string): void;
}

/** The maximum length of a certificate or key, characters. Chains of many certificates have about ten thousand. */
export const MAX_PEM = 256 * 1024;

/** The content of a key that does not exist. */
export const NO_CERTIFICATE: StoredCertificate = { type: 'none' };

/** Makes a pair, or the fault, of two values; a missing one is empty or not a string. */
export function storedPair(certificate: unknown, key: unknown): StoredCertificate {
  const hasCertificate = typeof certificate === 'string' && certificate !== '';
  const hasKey = typeof key === 'string' && key !== '';
  if (!hasCertificate && !hasKey) return faulty('missing-field', 'has neither a certificate nor a key');
  if (!hasCertificate) return faulty('missing-field', 'has a key and no certificate');
  if (!hasKey) return faulty('missing-field', 'has a certificate and no key');
  if (certificate.length > MAX_PEM || key.length > MAX_PEM) return faulty('wrong-type', 'is too long');
  return { type: 'pair', certificate, key };
}

/** Makes the content of a key that is not a pair. */
export function faulty(code: FaultyCertificate['code'], fault: string): FaultyCertificate {
  return { type: 'faulty', code, fault };
}

/** Whether two contents are equal. */
export function isSameStored(a: StoredCertificate, b: StoredCertificate): boolean {
  if (a.type === 'pair' && b.type === 'pair') return a.key === b.key && a.certificate === b.certificate;
  if (a.type === 'faulty' && b.type === 'faulty') return a.fault === b.fault;
  return a.type === b.type && a.type === 'none';
}

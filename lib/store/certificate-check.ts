/**
 * Checks whether two texts are a certificate and its key, by their content. OpenSSL may refuse a pair for other
 * reasons.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { StoredPair } from './certificates.ts';

/** The kinds of faults of a pair. */
export type PairFaultCode = 'unreadable-certificate' | 'unreadable-key' | 'mismatched' | 'expired';

/** The result of checking a pair. */
export interface PairCheck {
  /** Null for a usable pair. */
  readonly fault: { readonly code: PairFaultCode; readonly text: string } | null;
  /** When the certificate expires, ms since 1970; Infinity where that cannot be read. */
  readonly expiresAt: number;
  /** The names that it is valid for, as in the certificate; empty where they cannot be read. */
  readonly names: readonly string[];
}

/** Checks a pair. Never throws; the result has nothing of the private key. @param now ms since 1970 */
export function checkPair({ certificate: text, key: keyText }: Omit<StoredPair, 'type'>, now: number): PairCheck {
  const certificate = certificateOf(text);
  if (certificate === null) {
    return bad('unreadable-certificate', 'has no certificate in PEM format', Infinity, []);
  }
  const expiresAt = Date.parse(certificate.validTo) || Infinity;
  const names = namesOf(certificate);
  const key = keyOf(keyText);
  if (key === null) {
    const isLocked = keyText.includes('ENCRYPTED');
    const what = isLocked ? 'has an encrypted key, which needs a passphrase' : 'has no private key in PEM format';
    return bad('unreadable-key', what, expiresAt, names);
  }
  if (!certificate.checkPrivateKey(key)) {
    return bad('mismatched', 'has a key that does not match its certificate', expiresAt, names);
  }
  if (expiresAt <= now) return bad('expired', expiry(expiresAt), expiresAt, names);
  return { fault: null, expiresAt, names };
}

/** The fault text of an expired certificate. */
export function expiry(expiresAt: number): string {
  return `has a certificate that expired on ${new Date(expiresAt).toISOString()}`;
}

function bad(code: PairFaultCode, text: string, expiresAt: number, names: readonly string[]): PairCheck {
  return { fault: { code, text }, expiresAt, names };
}

function certificateOf(text: string): X509Certificate | null {
  try {
    return new X509Certificate(text);
  } catch {
    return null;
  }
}

function keyOf(text: string): KeyObject | null {
  try {
    return createPrivateKey(text);
  } catch {
    return null;
  }
}

function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  // Names with unusual characters are quoted, and no server name has those.
  return [...subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^",]+)/g)].map(([, name = '']) => name);
}

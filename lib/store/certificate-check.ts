/** Whether two texts are a certificate and its key. What they say of themselves; OpenSSL may refuse them for more. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { StoredPair } from './certificates.ts';

/** What is wrong with a pair, by name. */
export type PairFaultCode = 'unreadable-certificate' | 'unreadable-key' | 'mismatched' | 'expired';

export interface PairCheck {
  /** Null for one that can be used. */
  readonly fault: { readonly code: PairFaultCode; readonly text: string } | null;
  /** When it ends, ms since the epoch; Infinity where that cannot be read. */
  readonly expiresAt: number;
  /** The names it is for, as it writes them; empty where that cannot be read. */
  readonly names: readonly string[];
}

/** Looks into a pair. Never throws, and tells nothing of the key. @param now ms since the epoch */
export function checkPair({ certificate: text, key: keyText }: Omit<StoredPair, 'type'>, now: number): PairCheck {
  const certificate = certificateOf(text);
  if (certificate === null) {
    return bad('unreadable-certificate', 'holds no certificate in PEM form', Infinity, []);
  }
  const expiresAt = Date.parse(certificate.validTo) || Infinity;
  const names = namesOf(certificate);
  const key = keyOf(keyText);
  if (key === null) {
    const isLocked = keyText.includes('ENCRYPTED');
    const what = isLocked ? 'holds a key that wants a passphrase' : 'holds no private key in PEM form';
    return bad('unreadable-key', what, expiresAt, names);
  }
  if (!certificate.checkPrivateKey(key)) {
    return bad('mismatched', 'holds a key that is not the key of its certificate', expiresAt, names);
  }
  if (expiresAt <= now) return bad('expired', expiry(expiresAt), expiresAt, names);
  return { fault: null, expiresAt, names };
}

/** What is said of a certificate that has ended. */
export function expiry(expiresAt: number): string {
  return `holds a certificate that expired on ${new Date(expiresAt).toISOString()}`;
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
  // Names with other signs stand in quotes, and none of those can be a server's.
  return [...subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^",]+)/g)].map(([, name = '']) => name);
}

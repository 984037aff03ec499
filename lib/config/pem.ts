import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Faults } from './faults.ts';
import { readText } from './read-text.ts';

/** Files in PEM form, read and looked into. Each function gives null with a fault added when something is wrong. */

export function readPem(file: string, place: string, faults: Faults): string | null {
  try {
    return readText(resolve(file));
  } catch (error) {
    faults.add(place, `${file} ${messageOf(error)}`);
    return null;
  }
}

export function parseCertificate(text: string, file: string, place: string, faults: Faults): X509Certificate | null {
  try {
    return new X509Certificate(text);
  } catch {
    faults.add(place, `${file} holds no certificate in PEM form`);
    return null;
  }
}

/** The contents of files that each hold a certificate. */
export function readCertificates(files: readonly string[], place: string, faults: Faults): readonly string[] | null {
  const texts = files.map((file) => {
    const text = readPem(file, place, faults);
    return text === null || parseCertificate(text, file, place, faults) === null ? null : text;
  });
  const sound = texts.filter((text) => text !== null);
  return sound.length === texts.length ? sound : null;
}

/** A private key: of what file, and what opens it. */
export interface KeyFile {
  readonly key: string;
  readonly passphrase: string | null;
}

export function parseKey(
  text: string,
  { key: file, passphrase }: KeyFile,
  placeOf: (field: keyof KeyFile) => string,
  faults: Faults,
): KeyObject | null {
  try {
    return createPrivateKey(passphrase === null ? text : { key: text, passphrase });
  } catch {
    // Both forms of an encrypted key say so: "BEGIN ENCRYPTED PRIVATE KEY" and "Proc-Type: 4,ENCRYPTED".
    if (!text.includes('ENCRYPTED')) faults.add(placeOf('key'), `${file} holds no private key in PEM form`);
    else if (passphrase === null) faults.add(placeOf('passphrase'), `is missing, and ${file} is encrypted`);
    else faults.add(placeOf('passphrase'), `does not open ${file}`);
    return null;
  }
}

/** Why OpenSSL takes none of it, or null: it may refuse ciphers, or a key too weak for its taste. */
export function refusalOf(options: SecureContextOptions): string | null {
  try {
    createSecureContext(options);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

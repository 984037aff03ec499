import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Faults } from './faults.ts';
import { readText } from './read-text.ts';

/** Reads and checks files in PEM format. Each function returns null with a fault added when something is wrong. */

/** The text of a PEM file; null with a fault added when it cannot be read. */
export function readPem(file: string, place: string, faults: Faults): string | null {
  try {
    return readText(resolve(file));
  } catch (error) {
    faults.add(place, `${file} ${messageOf(error)}`);
    return null;
  }
}

/** Parses a certificate; null with a fault added when it is invalid. */
export function parseCertificate(text: string, file: string, place: string, faults: Faults): X509Certificate | null {
  try {
    return new X509Certificate(text);
  } catch {
    faults.add(place, `${file} has no certificate in PEM format`);
    return null;
  }
}

/** The contents of files that each have a certificate. */
export function readCertificates(files: readonly string[], place: string, faults: Faults): readonly string[] | null {
  const texts = files.map((file) => {
    const text = readPem(file, place, faults);
    return text === null || parseCertificate(text, file, place, faults) === null ? null : text;
  });
  const sound = texts.filter((text) => text !== null);
  return sound.length === texts.length ? sound : null;
}

/** A private key: its file and passphrase. */
export interface KeyFile {
  readonly key: string;
  readonly passphrase: string | null;
}

/** Parses a private key; null with a fault added when it is invalid, or its passphrase is missing or wrong. */
export function parseKey(
  text: string,
  { key: file, passphrase }: KeyFile,
  placeOf: (field: keyof KeyFile) => string,
  faults: Faults,
): KeyObject | null {
  try {
    return createPrivateKey(passphrase === null ? text : { key: text, passphrase });
  } catch {
    // Both formats of an encrypted key contain the word: "BEGIN ENCRYPTED PRIVATE KEY" and "Proc-Type: 4,ENCRYPTED".
    if (!text.includes('ENCRYPTED')) faults.add(placeOf('key'), `${file} has no private key in PEM format`);
    else if (passphrase === null) faults.add(placeOf('passphrase'), `is missing, and ${file} is encrypted`);
    else faults.add(placeOf('passphrase'), `does not open ${file}`);
    return null;
  }
}

/** Why OpenSSL refuses the options, or null: it may refuse ciphers, or a weak key. */
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

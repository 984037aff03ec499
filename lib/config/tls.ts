import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { TlsConfig } from './config.ts';
import type { Faults } from './faults.ts';
import { readText } from './read-text.ts';

/** Certificates and keys, checked when the configuration is loaded rather than when the first client comes. */

/** What an https listener says of its certificate: names of files, not their contents. */
export interface TlsFiles {
  readonly key: string | null;
  readonly cert: string | null;
  readonly ca: readonly string[];
  readonly passphrase: string | null;
  readonly ciphers: string | null;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** The path of the key that says it: `https.cert`, or `https.bind[1].cert` where a listener has its own. */
export type PlaceOf = (field: keyof TlsFiles) => string;

/** The files' contents; null with faults added when one is missing or they do not fit together. */
export function readTls(files: TlsFiles, placeOf: PlaceOf, faults: Faults): TlsConfig | null {
  const cert = readPem(files.cert, placeOf('cert'), faults);
  const key = readPem(files.key, placeOf('key'), faults);
  const ca = files.ca.map((file) => readPem(file, placeOf('ca'), faults));
  const certificate = cert === null ? null : parseCertificate(cert, String(files.cert), placeOf('cert'), faults);
  const privateKey = key === null ? null : parseKey(key, files, placeOf, faults);
  const authorities = ca.map((text, place) =>
    text === null ? null : parseCertificate(text, String(files.ca[place]), placeOf('ca'), faults),
  );
  if (cert === null || key === null || !certificate || !privateKey || authorities.includes(null)) return null;
  if (!certificate.checkPrivateKey(privateKey)) {
    faults.add(placeOf('key'), `${files.key} is not the key of the certificate ${files.cert}`);
    return null;
  }
  const { passphrase, ciphers, minVersion } = files;
  const tls = { key, cert, ca: ca.filter((text) => text !== null), passphrase, ciphers, minVersion };
  return isUsable(tls, placeOf, faults) ? tls : null;
}

function readPem(file: string | null, place: string, faults: Faults): string | null {
  if (file === null) {
    faults.add(place, 'is missing; https needs a key and a certificate');
    return null;
  }
  try {
    return readText(resolve(file));
  } catch (error) {
    faults.add(place, `${file} ${messageOf(error)}`);
    return null;
  }
}

function parseCertificate(text: string, file: string, place: string, faults: Faults): X509Certificate | null {
  try {
    return new X509Certificate(text);
  } catch {
    faults.add(place, `${file} holds no certificate in PEM form`);
    return null;
  }
}

function parseKey(text: string, files: TlsFiles, placeOf: PlaceOf, faults: Faults): KeyObject | null {
  const { key: file, passphrase } = files;
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

/** The last word is OpenSSL's: it may refuse ciphers, or a key too weak for its taste. */
function isUsable(tls: TlsConfig, placeOf: PlaceOf, faults: Faults): boolean {
  const refusal = refusalOf(tls);
  if (refusal === null) return true;
  // Its messages do not say what they are about ("invalid command"), so ask again without the ciphers.
  const isAboutCiphers = tls.ciphers !== null && refusalOf({ ...tls, ciphers: null }) === null;
  faults.add(placeOf(isAboutCiphers ? 'ciphers' : 'cert'), `is refused by OpenSSL: ${refusal}`);
  return false;
}

function refusalOf({ key, cert, ca, passphrase, ciphers, minVersion }: TlsConfig): string | null {
  try {
    createSecureContext({
      key,
      cert,
      ca: [...ca],
      minVersion,
      ...(passphrase === null ? {} : { passphrase }),
      ...(ciphers === null ? {} : { ciphers }),
    });
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import type { SecureContextOptions } from 'node:tls';
import type { TlsConfig } from './config.ts';
import type { Faults } from './faults.ts';
import { parseCertificate, parseKey, readCertificates, readPem, refusalOf } from './pem.ts';

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
  const { passphrase, ciphers, minVersion } = files;
  const cert = readNeeded(files.cert, placeOf('cert'), faults);
  const key = readNeeded(files.key, placeOf('key'), faults);
  const certificate = cert === null ? null : parseCertificate(cert, String(files.cert), placeOf('cert'), faults);
  const keyFile = { key: String(files.key), passphrase };
  const privateKey = key === null ? null : parseKey(key, keyFile, placeOf, faults);
  const ca = readCertificates(files.ca, placeOf('ca'), faults);
  if (cert === null || key === null || !certificate || !privateKey || !ca) return null;
  if (!certificate.checkPrivateKey(privateKey)) {
    faults.add(placeOf('key'), `${files.key} is not the key of the certificate ${files.cert}`);
    return null;
  }
  const tls = { key, cert, ca, passphrase, ciphers, minVersion };
  return isUsable(tls, placeOf, faults) ? tls : null;
}

function readNeeded(file: string | null, place: string, faults: Faults): string | null {
  if (file !== null) return readPem(file, place, faults);
  faults.add(place, 'is missing; https needs a key and a certificate');
  return null;
}

function isUsable(tls: TlsConfig, placeOf: PlaceOf, faults: Faults): boolean {
  const refusal = refusalOf(optionsOf(tls));
  if (refusal === null) return true;
  // Its messages do not say what they are about ("invalid command"), so ask again without the ciphers.
  const isAboutCiphers = tls.ciphers !== null && refusalOf(optionsOf({ ...tls, ciphers: null })) === null;
  faults.add(placeOf(isAboutCiphers ? 'ciphers' : 'cert'), `is refused by OpenSSL: ${refusal}`);
  return false;
}

function optionsOf({ key, cert, ca, passphrase, ciphers, minVersion }: TlsConfig): SecureContextOptions {
  return {
    key,
    cert,
    ca: [...ca],
    minVersion,
    ...(passphrase === null ? {} : { passphrase }),
    ...(ciphers === null ? {} : { ciphers }),
  };
}

/** Checks certificates and keys when the configuration is loaded, rather than at the first handshake. */
import type { SecureContextOptions } from 'node:tls';
import type { BackendTls } from '../core/routing/backend-tls.ts';
import type { TlsConfig } from './config.ts';
import type { Faults } from './faults.ts';
import { parseCertificate, parseKey, readCertificates, readPem, refusalOf } from './pem.ts';
import type { ServerSettings } from './schema.ts';

/** The certificate settings of an https listener: names of files, not their contents. */
export interface TlsFiles {
  readonly key: string | null;
  readonly cert: string | null;
  readonly ca: readonly string[];
  readonly passphrase: string | null;
  readonly ciphers: string | null;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly clientCa: readonly string[];
  readonly clientCert: 'optional' | 'required';
  readonly clientCertPem: boolean;
}

/**
 * The suites of Mozilla's "intermediate" configuration (https://wiki.mozilla.org/Security/Server_Side_TLS), without
 * those with DHE, which cost a server much for clients that hardly exist any more.
 */
export const INTERMEDIATE = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** The path of the key that has the value: `https.cert`, or `https.bind[1].cert` if a listener has its own. */
export type PlaceOf = (field: keyof TlsFiles) => string;

/** The files' contents; null with faults added when one is missing or they do not match. */
export function readTls(files: TlsFiles, placeOf: PlaceOf, faults: Faults): TlsConfig | null {
  const { passphrase, minVersion, clientCert, clientCertPem } = files;
  const ciphers = files.ciphers ?? INTERMEDIATE;
  const clientCa = readCertificates(files.clientCa, placeOf('clientCa'), faults);
  if (files.cert === null && files.key === null) {
    if (!clientCa) return null;
    const bare = { key: null, cert: null, ca: [], passphrase: null, ciphers, minVersion, clientCa, clientCert };
    const tls: TlsConfig = { ...bare, clientCertPem };
    return isUsable(tls, placeOf, faults) ? tls : null;
  }
  const cert = readNeeded(files.cert, placeOf('cert'), faults);
  const key = readNeeded(files.key, placeOf('key'), faults);
  const certificate = cert === null ? null : parseCertificate(cert, String(files.cert), placeOf('cert'), faults);
  const keyFile = { key: String(files.key), passphrase };
  const privateKey = key === null ? null : parseKey(key, keyFile, placeOf, faults);
  const ca = readCertificates(files.ca, placeOf('ca'), faults);
  if (cert === null || key === null || !certificate || !privateKey || !ca || !clientCa) return null;
  if (!certificate.checkPrivateKey(privateKey)) {
    faults.add(placeOf('key'), `${files.key} is not the key of the certificate ${files.cert}`);
    return null;
  }
  const tls: TlsConfig = { key, cert, ca, passphrase, ciphers, minVersion, clientCa, clientCert, clientCertPem };
  return isUsable(tls, placeOf, faults) ? tls : null;
}

function readNeeded(file: string | null, place: string, faults: Faults): string | null {
  if (file !== null) return readPem(file, place, faults);
  faults.add(place, 'is missing; a certificate and its key go together');
  return null;
}

function isUsable(tls: TlsConfig, placeOf: PlaceOf, faults: Faults): boolean {
  const refusal = refusalOf(optionsOf(tls));
  if (refusal === null) return true;
  // OpenSSL's message does not tell which option is wrong ("invalid command"), so tries again without the ciphers.
  const isAboutCiphers = refusalOf(optionsOf({ ...tls, ciphers: INTERMEDIATE })) === null;
  faults.add(placeOf(isAboutCiphers ? 'ciphers' : 'cert'), `is refused by OpenSSL: ${refusal}`);
  return false;
}

function optionsOf({ key, cert, ca, passphrase, ciphers, minVersion }: TlsConfig): SecureContextOptions {
  return {
    ...(key === null || cert === null ? {} : { key, cert }),
    ca: [...ca],
    minVersion,
    ciphers,
    ...(passphrase === null ? {} : { passphrase }),
  };
}

/**
 * The authorities for backends' certificates, read as root when the configuration is loaded; null with faults added.
 */
export function readBackendTls({ backendTls }: ServerSettings, faults: Faults): BackendTls | null {
  const { verify, ca: files } = backendTls;
  if (!verify && files.length > 0) {
    faults.add('server.backendTls.ca', 'has no effect while server.backendTls.verify is false');
    return null;
  }
  const ca = readCertificates(files, 'server.backendTls.ca', faults);
  return ca && { verify, ca };
}

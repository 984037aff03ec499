import { parseDriverUrl } from '../core/routing/driver-url.ts';
import { PLAIN_TLS, type RedisTls } from '../core/routing/redis-address.ts';
import type { DriverConfig } from './config.ts';
import type { Faults } from './faults.ts';
import { parseCertificate, parseKey, readCertificates, readPem, refusalOf } from './pem.ts';
import type { DriverTlsSettings } from './schema.ts';

/** Reads the files for `rediss` as root when the configuration is loaded, because workers may lack the permission. */

/**
 * The contents of the files in `driverTls`; null with faults added.
 * @param driver the URLs; null when they had faults
 */
export function readDriverTls(files: DriverTlsSettings, driver: DriverConfig | null, faults: Faults): RedisTls | null {
  const { cert, key, passphrase } = files;
  if (driver && !isSecure(driver.read) && !isSecure(driver.write)) {
    // Authorities for an unencrypted connection are a mistake in the configuration.
    if (files.ca.length === 0 && cert === null && key === null) return PLAIN_TLS;
    faults.add('driverTls', 'is only for a driver URL with rediss, and there is none');
    return null;
  }
  const ca = readCertificates(files.ca, placeOf('ca'), faults);
  if (cert === null && key === null) return ca && { ...PLAIN_TLS, ca };
  if (cert === null || key === null) {
    faults.add(placeOf(cert === null ? 'cert' : 'key'), 'is missing; a certificate and its key go together');
    return null;
  }
  const pair = readPair({ cert, key, passphrase }, faults);
  if (!ca || !pair) return null;
  const refusal = refusalOf({ ...pair, ca: [...ca], ...(passphrase === null ? {} : { passphrase }) });
  if (refusal === null) return { ...pair, ca, passphrase };
  faults.add(placeOf('cert'), `is refused by OpenSSL: ${refusal}`);
  return null;
}

function readPair(
  files: { readonly cert: string; readonly key: string; readonly passphrase: string | null },
  faults: Faults,
): { readonly cert: string; readonly key: string } | null {
  const cert = readPem(files.cert, placeOf('cert'), faults);
  const key = readPem(files.key, placeOf('key'), faults);
  const certificate = cert === null ? null : parseCertificate(cert, files.cert, placeOf('cert'), faults);
  const privateKey = key === null ? null : parseKey(key, files, placeOf, faults);
  if (cert === null || key === null || !certificate || !privateKey) return null;
  if (certificate.checkPrivateKey(privateKey)) return { cert, key };
  faults.add(placeOf('key'), `${files.key} is not the key of the certificate ${files.cert}`);
  return null;
}

function isSecure(url: string): boolean {
  const parsed = parseDriverUrl(url);
  return parsed.scheme === 'redis' && parsed.redis.tls !== null;
}

function placeOf(field: keyof RedisTls): string {
  return `driverTls.${field}`;
}

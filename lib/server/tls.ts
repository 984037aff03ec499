import type { SecureContextOptions } from 'node:tls';
import type { TlsConfig } from '../config/config.ts';

/** A listener's certificate and protocol settings, as Node's TLS server takes them. */
export function tlsOptions(tls: TlsConfig): SecureContextOptions {
  const options: SecureContextOptions = { key: tls.key, cert: chain(tls), minVersion: tls.minVersion };
  if (tls.passphrase !== null) options.passphrase = tls.passphrase;
  if (tls.ciphers !== null) options.ciphers = tls.ciphers;
  return options;
}

/** `ca` is what Hipache called the files to serve besides the certificate: the chain up to, not including, the root. */
function chain(tls: TlsConfig): string {
  return [tls.cert, ...tls.ca].map((pem) => pem.trimEnd()).join('\n');
}

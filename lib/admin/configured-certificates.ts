import { X509Certificate } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { ConfiguredCertificate } from './lint-watch.ts';

/** The certificates of a configuration: of listeners with TLS, each once. */
export function configuredCertificates({ listeners }: Pick<Config, 'listeners'>): readonly ConfiguredCertificate[] {
  const texts = new Set(listeners.flatMap(({ tls }) => tls?.cert ?? []));
  return [...texts].map((text) => ({ name: 'https.cert', expiresAt: expiryOf(text) }));
}

function expiryOf(text: string): number {
  try {
    return Date.parse(new X509Certificate(text).validTo) || Infinity;
  } catch {
    // It was checked when the configuration was read.
    return Infinity;
  }
}

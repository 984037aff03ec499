/** Fields for backends about the client's certificate. Clients may not send fields of these names. */

import { aliasedName } from './field-alias.ts';

/** The subject's data in a certificate. */
export interface ShownCertificate {
  /** One attribute a line, the least specific first, as OpenSSL escapes them (RFC 4514 §2.4). */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal digits. */
  readonly serialNumber: string;
  /** SHA-256, pairs of hexadecimal digits between colons. */
  readonly fingerprint256: string;
  readonly pem: string;
}

/** Fields of this family, by their lower-case names, and by those that CGI programs cannot tell from them. */
export function isClientCertificateField(lowerName: string): boolean {
  const name = aliasedName(lowerName);
  return name === 'x-ssl-client' || name.startsWith('x-ssl-client-');
}

/**
 * Names and values in turn.
 * @param shown a verified certificate; null if the client has sent none
 * @param withPem whether backends get the whole certificate
 */
export function clientCertificateFields(shown: ShownCertificate | null, withPem: boolean): readonly string[] {
  if (shown === null) return ['X-SSL-Client-Verify', 'NONE'];
  const fields = [
    'X-SSL-Client-Verify',
    'SUCCESS',
    'X-SSL-Client-DN',
    distinguishedName(shown.subject),
    'X-SSL-Client-Issuer-DN',
    distinguishedName(shown.issuer),
    'X-SSL-Client-Serial',
    shown.serialNumber.toUpperCase(),
    'X-SSL-Client-Fingerprint',
    shown.fingerprint256.replaceAll(':', '').toLowerCase(),
  ];
  // As nginx writes it in $ssl_client_escaped_cert.
  if (withPem) fields.push('X-SSL-Client-Cert', encodeURIComponent(shown.pem));
  return fields;
}

/** RFC 4514: the most specific first, and what is not ASCII as its bytes. */
function distinguishedName(lines: string): string {
  const name = lines.split('\n').toReversed().join(',');
  // oxlint-disable-next-line no-control-regex -- OpenSSL escapes controls; a field must not depend on it
  return name.replaceAll(/\p{Surrogate}/gu, '?').replaceAll(/[^\x20-\x7e]/gu, (sign) => {
    return encodeURIComponent(sign).replaceAll('%', '\\');
  });
}

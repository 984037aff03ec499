import { isClientCertificateField } from './client-certificate.ts';
import { aliasedName } from './field-alias.ts';
import { isForwardedField } from './forwarded.ts';

/** Fields that frame, route or authenticate a message: in a trailer section they come too late (RFC 9110 §6.5.1). */
const FORBIDDEN = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
  'x-router-error',
]);

/** The trailer section to pass on, in pairs of name and value, without fields that a recipient must not merge. */
export function trailerFields(rawTrailers: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const name = rawTrailers[i] ?? '';
    const known = aliasedName(name.toLowerCase());
    if (FORBIDDEN.has(known) || isForwardedField(known) || isClientCertificateField(known)) continue;
    fields.push([name, rawTrailers[i + 1] ?? '']);
  }
  return fields;
}

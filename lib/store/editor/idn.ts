/** Internationalized names (RFC 5890): operators write U-labels, `bücher`; clients send A-labels, `xn--bcher-kva`. */
import { domainToASCII, domainToUnicode } from 'node:url';

const ASCII = /^[\0-\x7F]*$/;

/** A host as clients send it; it may have a wildcard or a port. Unchanged if it has no U-label, or is not a name. */
export function aLabelsOf(text: string): string {
  if (ASCII.test(text)) return text;
  const [, name = '', rest = ''] = /^([^:]*)(.*)$/s.exec(text) ?? [];
  const ascii = domainToASCII(name);
  return ascii === '' ? text : ascii + rest;
}

/** A host as operators write it. Unchanged if it has no A-label. */
export function uLabelsOf(host: string): string {
  return host.includes('xn--') ? domainToUnicode(host) : host;
}

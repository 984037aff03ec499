import { hostOf } from './hostname.ts';

// What has a colon or a bracket is an address or has a port, and is no server name (RFC 6066 §3).
const NAME = /^[^:[\]]+$/;

/**
 * The keys for the lookup of a server name's certificate, most specific first: `a.b.io` gives `a.b.io` and `*.b.io`.
 * A certificate's wildcard matches one label (RFC 9525 §6.3), and so does this one.
 * @param serverName as a client sent it: any bytes
 * @returns no keys if it cannot be a host
 */
export function certificateKeys(serverName: string): readonly string[] {
  const host = NAME.test(serverName) ? hostOf(serverName) : null;
  if (host === null) return [];
  const dot = host.indexOf('.');
  const parent = dot < 0 ? '' : host.slice(dot + 1);
  return parent === '' ? [host] : [host, `*.${parent}`];
}

/** Whether a handshake can match this key. Other keys in a store are never looked up. */
export function mayBeServerName(key: string): boolean {
  const name = key.startsWith('*.') ? `x.${key.slice(2)}` : key;
  return certificateKeys(name).includes(key);
}

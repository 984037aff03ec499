/** From a Host header to the keys it is looked up under. */

/** Load balancers request this host to check the router itself. */
export const PING_HOST = '__ping__';

// Letters, digits, '-', '.', '_' and '~' (RFC 3986 §2.3, unreserved). The rest of what reg-name allows is
// refused: ';' would forge a field of an announcement on `dead`, '*' would name a wildcard's key.
const NAME = /^([a-z0-9._~-]{1,255})(?::[0-9]{0,5})?$/;
// Most are spelled like that already.
const USUAL = /^(?:[a-z0-9._~-]{0,254}[a-z0-9_~-]|\.)$/;
const IPV6 = /^(\[[0-9a-f:.]{2,45}\])(?::[0-9]{0,5})?$/;

/** How many labels of a name take part in a lookup at most, the exact name aside. */
const WILDCARD_LABELS = 5;

/**
 * A Host header's name: lower case, without port and without a trailing dot; an IPv6 literal keeps its brackets.
 * Null when it is not a host (RFC 9112 §3.2 wants a 400 for it). An empty header is null too.
 */
export function hostOf(header: string): string | null {
  if (USUAL.test(header)) return header;
  const lower = header.toLowerCase();
  const match = NAME.exec(lower) ?? IPV6.exec(lower);
  const name = match?.[1];
  if (name === undefined) return null;
  return name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name;
}

/**
 * The keys a host is looked up under, most specific first: `a.b.io` gives `a.b.io`, `*.b.io`, `*.io`, `*`.
 * Wildcards start five labels deep at most, so that a hostile Host header cannot make a lookup long.
 */
export function candidates(hostname: string): readonly string[] {
  if (hostname.startsWith('[')) return [hostname, hostname.slice(1, -1), '*'];
  const keys = ['*'];
  let dot = hostname.lastIndexOf('.');
  while (dot >= 0 && keys.length <= WILDCARD_LABELS) {
    keys.push(`*${hostname.slice(dot)}`);
    dot = dot === 0 ? -1 : hostname.lastIndexOf('.', dot - 1);
  }
  keys.push(hostname);
  return keys.toReversed();
}

/** Whether a request can match this key. Other keys in a store are never looked up. */
export function mayBeAskedFor(key: string): boolean {
  if (key === '*' || hostOf(key) === key || hostOf(`[${key}]`) === `[${key}]`) return true;
  if (!key.startsWith('*.')) return false;
  const suffix = key.slice(2);
  // Matched as it will be: by a host one label longer.
  return hostOf(suffix) === suffix && candidates(`x.${suffix}`).includes(key);
}

/** A host as in URLs: an IPv6 address has brackets (RFC 3986 §3.2.2). */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

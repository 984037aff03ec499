/**
 * The client's address and scheme, and the fields about them for backends: X-Forwarded-*, X-Real-IP and Forwarded.
 * Any client can send these fields, so they are used only from a proxy that the operator trusts.
 */

import { aliasedName } from './field-alias.ts';
import { trimmed } from './white-space.ts';

/** The client of a connection. */
export interface Peer {
  /** The peer's address; IPv4 is never mapped into IPv6. */
  readonly address: string;
  readonly isTrusted: boolean;
  readonly isTls: boolean;
  /** The port that the client has connected to. */
  readonly localPort: number;
  /** Fields about its certificate for backends, names and values in turn. Absent if no certificate was requested. */
  readonly certificateFields?: readonly string[];
  /** The client uses HTTP/2. Its requests are converted to HTTP/1.1. */
  readonly isHttp2?: boolean;
}

/** The version of HTTP that a client speaks. @param version of the message that was read */
export function spokenVersion({ isHttp2 = false }: Peer, version: string): string {
  return isHttp2 ? '2.0' : version;
}

/** The client's own scheme: a trusted proxy that has ended its TLS sends it in X-Forwarded-Proto. */
export function clientScheme({ isTrusted, isTls }: Peer, rawHeaders: readonly string[]): 'http' | 'https' {
  const told = isTrusted ? toldBy(rawHeaders, 'x-forwarded-proto', isScheme) : null;
  return told ?? (isTls ? 'https' : 'http');
}

/** The port that the client itself has connected to: a trusted proxy sends it in X-Forwarded-Port. */
export function clientPort({ isTrusted, localPort }: Peer, rawHeaders: readonly string[]): number {
  const told = isTrusted ? toldBy(rawHeaders, 'x-forwarded-port', isPort) : null;
  return told === null ? localPort : Number(told);
}

/**
 * The first value of a field that can be one. Of several in a list the first counts, which is that of the proxy next to the
 * client.
 */
function toldBy<T extends string>(
  rawHeaders: readonly string[],
  field: string,
  isOne: (value: string) => value is T,
): T | null {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length !== field.length || name.toLowerCase() !== field) continue;
    const [first = ''] = (rawHeaders[i + 1] ?? '').toLowerCase().split(',', 1);
    const value = trimmed(first);
    if (isOne(value)) return value;
  }
  return null;
}

function isScheme(value: string): value is 'http' | 'https' {
  return value === 'http' || value === 'https';
}

function isPort(value: string): value is `${number}` {
  return /^[0-9]{1,5}$/.test(value);
}

export interface ForwardedPolicy {
  /** `standard` replaces what an untrusted peer claims; `hipache` sets fields only where absent, as the original did. */
  readonly style: 'standard' | 'hipache';
  readonly isTrusted: (address: string) => boolean;
  /** X-Forwarded-Server: the router's own host name. */
  readonly serverName: string;
}

/** An IPv4 address written as IPv6 (`::ffff:1.2.3.4`), as itself; other addresses unchanged. */
export function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** An IPv4 address as Hipache wrote it, `::ffff:1.2.3.4`; IPv6 unchanged. */
export function mapped(address: string): string {
  return address.includes(':') || address === '' ? address : `::ffff:${address}`;
}

/**
 * The client's address: the right-most one in X-Forwarded-For that is not a trusted proxy's.
 * @param forwardedFor every X-Forwarded-For value received
 */
export function clientAddress(
  peer: Peer,
  forwardedFor: readonly string[],
  isTrusted: (address: string) => boolean,
): string {
  if (!peer.isTrusted || forwardedFor.length === 0) return peer.address;
  const hops = forwardedFor.join(',').split(',');
  let client = peer.address;
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = addressOf(hops[i] ?? '');
    if (hop === null) return client;
    client = hop;
    if (!isTrusted(hop)) return client;
  }
  return client;
}

const ADDRESS = /^(?:\[([0-9a-f:.]+)\](?::[0-9]+)?|([0-9.]+)(?::[0-9]+)?|([0-9a-f:.]+))$/i;

/** The address of one hop, which may carry a port or brackets; null when it is none (`unknown`, `_hidden`). */
function addressOf(hop: string): string | null {
  const match = ADDRESS.exec(trimmed(hop));
  if (!match) return null;
  return unmapped((match[1] ?? match[2] ?? match[3] ?? '').toLowerCase());
}

/** Fields of this family, by their lower-case names, and by those that CGI programs cannot tell from them. */
export function isForwardedField(lowerName: string): boolean {
  const name = aliasedName(lowerName);
  return name === 'forwarded' || name === 'x-real-ip' || name.startsWith('x-forwarded-');
}

/**
 * The received fields of the family that are kept, by lower-case name, and the fields to add, names and values in
 * turn.
 */
export interface ForwardedFields {
  readonly forwardedFor: readonly string[];
  /** Lower-case names of fields in the request that are trusted. */
  readonly kept: ReadonlySet<string>;
}

/**
 * The fields to add to a request for a backend, after those of the family that were not `kept` have been dropped.
 * Those of its certificate come last. X-Forwarded-For is always among them unless the style is `hipache` and it was kept.
 */
export function forwardedFields(
  policy: ForwardedPolicy,
  peer: Peer,
  client: string,
  authority: string,
  { forwardedFor, kept }: ForwardedFields,
): string[] {
  const isHipache = policy.style === 'hipache';
  const scheme = peer.isTls ? 'https' : 'http';
  const fields: string[] = [];
  const add = (name: string, value: string): void => {
    if (!kept.has(name.toLowerCase())) fields.push(name, value);
  };
  if (!isHipache) {
    const chain = peer.isTrusted && forwardedFor.length > 0 ? `${forwardedFor.join(', ')}, ` : '';
    fields.push('X-Forwarded-For', `${chain}${peer.address}`);
  } else {
    add('X-Forwarded-For', mapped(peer.address));
  }
  add('X-Real-IP', isHipache ? mapped(peer.address) : client);
  add('X-Forwarded-Protocol', scheme);
  add('X-Forwarded-Proto', scheme);
  add('X-Forwarded-Port', String(peer.localPort));
  if (!isHipache) {
    add('X-Forwarded-Host', authority);
    add('X-Forwarded-Server', policy.serverName);
  }
  if (peer.certificateFields !== undefined) fields.push(...peer.certificateFields);
  return fields;
}

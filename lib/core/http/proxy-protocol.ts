/**
 * The PROXY protocol, versions 1 and 2, by which a load balancer sends its client's address (haproxy.org,
 * proxy-protocol.txt).
 */

/** Who connected to whom, as the header says. */
export interface ProxiedAddresses {
  readonly source: string;
  readonly destinationPort: number;
}

export type ProxyHeader =
  /** More bytes are needed to decide. */
  | { readonly type: 'incomplete' }
  /** The bytes are something else. */
  | { readonly type: 'none' }
  /** The bytes began like a header, but are invalid. */
  | { readonly type: 'invalid' }
  /** `length` bytes of header. `addresses` is null for the proxy's own connections (health checks) and unknown families. */
  | { readonly type: 'header'; readonly length: number; readonly addresses: ProxiedAddresses | null };

const SIGNATURE_1 = 'PROXY ';
const SIGNATURE_2 = '\r\n\r\n\0\r\nQUIT\n';
/** The longest line that version 1 allows, CRLF included. */
const MAX_LINE = 107;
/** Maximum size of the payload; no load balancer sends more TLVs. */
const MAX_PAYLOAD = 4_096;
const LINE =
  /^PROXY (?:TCP4 ([0-9.]{7,15}) [0-9.]{7,15}|TCP6 ([0-9a-fA-F:.]{2,39}) [0-9a-fA-F:.]{2,39}) [0-9]{1,5} ([0-9]{1,5})$/;

/** Reads the beginning of a connection. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  const start = latin1(bytes, 0, Math.min(bytes.length, SIGNATURE_2.length));
  if (isPrefix(start, SIGNATURE_1)) return readLine(bytes);
  if (isPrefix(start, SIGNATURE_2)) return readBinary(bytes);
  return { type: 'none' };
}

/** Whether one is the beginning of the other. */
function isPrefix(start: string, signature: string): boolean {
  return start.length < signature.length ? signature.startsWith(start) : start.startsWith(signature);
}

function readLine(bytes: Uint8Array): ProxyHeader {
  const text = latin1(bytes, 0, Math.min(bytes.length, MAX_LINE));
  const end = text.indexOf('\r\n');
  if (end < 0) return { type: text.length < MAX_LINE && !text.includes('\n') ? 'incomplete' : 'invalid' };
  const line = text.slice(0, end);
  const length = end + 2;
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { type: 'header', length, addresses: null };
  const match = LINE.exec(line);
  if (!match) return { type: 'invalid' };
  const destinationPort = Number(match[3]);
  if (destinationPort > 65_535) return { type: 'invalid' };
  return { type: 'header', length, addresses: { source: (match[1] ?? match[2] ?? '').toLowerCase(), destinationPort } };
}

function readBinary(bytes: Uint8Array): ProxyHeader {
  const at = (index: number): number => bytes[index] ?? 0;
  if (bytes.length < 16) return { type: 'incomplete' };
  const command = at(12);
  const payload = at(14) * 256 + at(15);
  // Version 2, and LOCAL or PROXY.
  if ((command !== 0x20 && command !== 0x21) || payload > MAX_PAYLOAD) return { type: 'invalid' };
  const length = 16 + payload;
  if (bytes.length < length) return { type: 'incomplete' };
  const family = at(13);
  if (command === 0x20 || (family !== 0x11 && family !== 0x21)) return { type: 'header', length, addresses: null };
  const addressBytes = family === 0x11 ? 4 : 16;
  if (payload < 2 * addressBytes + 4) return { type: 'invalid' };
  const source = family === 0x11 ? ipv4(bytes.subarray(16, 20)) : ipv6(bytes.subarray(16, 32));
  const portAt = 16 + 2 * addressBytes + 2;
  return { type: 'header', length, addresses: { source, destinationPort: at(portAt) * 256 + at(portAt + 1) } };
}

function ipv4(bytes: Uint8Array): string {
  return bytes.join('.');
}

/** Not the shortest form, but valid for every parser. */
function ipv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0)).toString(16));
  return groups.join(':');
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

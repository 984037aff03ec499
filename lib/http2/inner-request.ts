/** Writes the requests of HTTP/2 streams in HTTP/1.1 (RFC 9113 §8.3.1, RFC 9110 §3.7). */

import { isField, isPseudoValue } from './field-rules.ts';

/** A stream's request head in HTTP/1.1. */
export interface InnerRequest {
  /** The whole head with its empty line; latin1. */
  readonly text: string;
  readonly method: string;
  /** The host that the client requests; empty if it sends none. */
  readonly authority: string;
  readonly isChunked: boolean;
  /** A WebSocket handshake (RFC 8441) or a CONNECT request: the stream continues after the response, with no length. */
  readonly isTunnel: boolean;
  /** The Sec-WebSocket-Key of a WebSocket handshake; null for other requests. */
  readonly webSocketKey: string | null;
  /** Its Content-Length; -1 where it has none. */
  readonly length: number;
  /** Its Priority field (RFC 9218 §5); null where it has none. */
  readonly priority: string | null;
}

// oxlint-disable-next-line no-control-regex -- controls and the space would end a part of the request line
const LINE_BREAKING = /[\0-\x20]/;
/**
 * The schemes that the router serves. Whether a client used TLS is taken from its connection, as in nginx and HAProxy.
 */
const HTTP = /^https?$/i;
/** As many digits as a number has without loss. */
const LENGTH = /^[0-9]{1,15}$/;
/** RFC 3986 §3.1. */
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;

/**
 * Writes a stream's request head. What two readers could read differently is kept, so that the router refuses it: a
 * Host that differs from `:authority` becomes a second Host field; a scheme other than http and https becomes part of
 * the target.
 * @param rawHeaders names and values in turn, with pseudo-header fields
 * @param isWhole no body follows
 * @param makeKey makes the key of a WebSocket handshake: 16 random bytes in base64
 * @returns null when the head is malformed (RFC 9113 §8.1.1)
 */
export function innerRequest(
  rawHeaders: readonly string[],
  isWhole: boolean,
  makeKey: () => string,
): InnerRequest | null {
  let pseudo: PseudoFields | null = null;
  let host: string | null = null;
  let length = -1;
  let priority: string | null = null;
  let cookies = '';
  let fields = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    if (name.startsWith(':')) {
      // RFC 9113 §8.3: pseudo-header fields come first.
      if (pseudo !== null) return null;
      continue;
    }
    pseudo ??= pseudoFieldsOf(rawHeaders, i);
    if (pseudo === null || !isField(name, value)) return null;
    switch (name) {
      case 'host':
        // The router refuses a second Host.
        if (host === null) host = value;
        else fields += `host: ${value}\r\n`;
        continue;
      case 'cookie':
        // RFC 9113 §8.2.3: Cookie fields are joined before they leave HTTP/2.
        cookies += cookies === '' ? value : `; ${value}`;
        continue;
      case 'content-length':
        if (length >= 0 || !LENGTH.test(value)) return null;
        length = Number(value);
        continue;
      case 'priority':
        priority = value;
        break;
      case 'sec-websocket-key':
        if (pseudo.protocol !== null) continue;
    }
    fields += `${name}: ${value}\r\n`;
  }
  pseudo ??= pseudoFieldsOf(rawHeaders, rawHeaders.length);
  if (pseudo === null || (isWhole && length > 0)) return null;
  const { method, scheme, path, protocol, authority } = pseudo;
  const isTunnel = method === 'CONNECT';
  const isWebSocket = isTunnel && protocol?.toLowerCase() === 'websocket';
  // RFC 9113 §8.5: a CONNECT request has neither scheme nor path.
  const target =
    isTunnel && !isWebSocket ? (authority ?? '') : targetOf(method, scheme ?? '', authority ?? host ?? '', path ?? '');
  if (method === '' || target === '' || LINE_BREAKING.test(method) || LINE_BREAKING.test(target)) return null;

  let text = `${isWebSocket ? 'GET' : method} ${target} HTTP/1.1\r\n`;
  if (authority !== null) text += `Host: ${authority}\r\n`;
  if (host !== null && (authority === null || host.toLowerCase() !== authority.toLowerCase()))
    text += `host: ${host}\r\n`;
  text += fields;
  if (cookies !== '') text += `cookie: ${cookies}\r\n`;
  const webSocketKey = isWebSocket ? makeKey() : null;
  if (webSocketKey !== null) {
    text += `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${webSocketKey}\r\n`;
  }
  const isChunked = !isWhole && !isTunnel && length < 0;
  if (isChunked) text += 'Transfer-Encoding: chunked\r\n';
  else if (!isTunnel && length >= 0) text += `content-length: ${length}\r\n`;
  text += '\r\n';
  return { text, method, authority: authority ?? host ?? '', isChunked, isTunnel, webSocketKey, length, priority };
}

/** The pseudo-header fields of a request; null for what is not sent. */
interface PseudoFields {
  readonly method: string;
  readonly scheme: string | null;
  readonly path: string | null;
  readonly protocol: string | null;
  readonly authority: string | null;
}

/**
 * Reads and checks the pseudo-header fields, which are all before `end` (RFC 9113 §8.3.1, §8.5, RFC 8441 §4).
 * @returns null when they are malformed
 */
function pseudoFieldsOf(rawHeaders: readonly string[], end: number): PseudoFields | null {
  let method: string | null = null;
  let scheme: string | null = null;
  let path: string | null = null;
  let protocol: string | null = null;
  let authority: string | null = null;
  for (let i = 0; i < end; i += 2) {
    const value = rawHeaders[i + 1] ?? '';
    if (!isPseudoValue(value)) return null;
    switch (rawHeaders[i]) {
      case ':method':
        if (method !== null) return null;
        method = value;
        break;
      case ':scheme':
        if (scheme !== null) return null;
        scheme = value;
        break;
      case ':path':
        if (path !== null) return null;
        path = value;
        break;
      case ':protocol':
        if (protocol !== null) return null;
        protocol = value;
        break;
      case ':authority':
        if (authority !== null) return null;
        authority = value;
        break;
      default:
        return null;
    }
  }
  // Neither may be empty (RFC 9113 §8.3.1, RFC 9110 §4.2.1).
  if (method === null || path === '' || authority === '') return null;
  const isWhole = scheme !== null && path !== null;
  if (method !== 'CONNECT') return isWhole && protocol === null ? { method, scheme, path, protocol, authority } : null;
  const isValid = authority !== null && (protocol === null ? scheme === null && path === null : isWhole);
  return isValid ? { method, scheme, path, protocol, authority } : null;
}

/**
 * The request target of a stream. One with another scheme than http and https is in absolute-form, which the router
 * refuses with 400 (RFC 9110 §7.4).
 * @returns an empty string if there is none
 */
function targetOf(method: string, scheme: string, authority: string, path: string): string {
  if (!HTTP.test(scheme)) return SCHEME.test(scheme) ? `${scheme}://${authority}${path}` : '';
  // RFC 9113 §8.3.1. An absolute URL could name another host than `:authority`, which the certificate was checked for.
  return path.startsWith('/') || (path === '*' && method === 'OPTIONS') ? path : '';
}

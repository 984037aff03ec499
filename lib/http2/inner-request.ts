/** Writes the requests of HTTP/2 streams in HTTP/1.1 (RFC 9113 §8.3.1, RFC 9110 §3.7). */

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
}

// What would begin another line, or end the text. nghttp2 lets no such value through; a mistake there must not become ours.
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const BREAKING = /[\0\r\n]/;
// oxlint-disable-next-line no-control-regex -- controls and the space would end a part of the request line
const LINE_BREAKING = /[\0-\x20]/;
/**
 * The schemes that the router serves. Whether a client used TLS is taken from its connection, as in nginx and HAProxy.
 */
const HTTP = /^https?$/i;
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
  let method = '';
  let path = '';
  let scheme = '';
  let protocol = '';
  let authority: string | null = null;
  let host: string | null = null;
  let hasLength = false;
  let cookies = '';
  let lengths = '';
  let fields = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    if (BREAKING.test(value)) return null;
    switch (name) {
      case ':method':
        method = value;
        continue;
      case ':path':
        path = value;
        continue;
      case ':authority':
        authority = value;
        continue;
      case ':protocol':
        protocol = value;
        continue;
      case ':scheme':
        scheme = value;
        continue;
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
        hasLength = true;
        lengths += `content-length: ${value}\r\n`;
        continue;
      // Connection-specific fields are not allowed in HTTP/2 (RFC 9113 §8.2.2); nghttp2 refuses them, too.
      case 'transfer-encoding':
      case 'connection':
      case 'upgrade':
      case 'keep-alive':
      case 'proxy-connection':
        return null;
      case 'sec-websocket-key':
        if (protocol !== '') continue;
    }
    if (name.startsWith(':')) return null;
    fields += `${name}: ${value}\r\n`;
  }
  const isWebSocket = method === 'CONNECT' && protocol.toLowerCase() === 'websocket';
  const isTunnel = method === 'CONNECT';
  // RFC 9113 §8.5: a CONNECT request has neither scheme nor path.
  const target = isTunnel && !isWebSocket ? (authority ?? '') : targetOf(method, scheme, authority ?? host ?? '', path);
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
  const isChunked = !isWhole && !isTunnel && !hasLength;
  if (isChunked) text += 'Transfer-Encoding: chunked\r\n';
  else if (!isTunnel) text += lengths;
  return { text: `${text}\r\n`, method, authority: authority ?? host ?? '', isChunked, isTunnel, webSocketKey };
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

/** The requests of HTTP/2 streams, written in HTTP/1.1 (RFC 9113 §8.3.1, RFC 9110 §3.7). */

/** The head of a stream's request as an HTTP/1.1 connection carries it. */
export interface InnerRequest {
  /** All of it, the empty line included; latin1. */
  readonly text: string;
  readonly method: string;
  /** What it is for, as the client says it; empty where it does not. */
  readonly authority: string;
  readonly isChunked: boolean;
  /** It asks for a WebSocket (RFC 8441), or for a tunnel: its stream goes on after the answer, and its length is nobody's to say. */
  readonly isTunnel: boolean;
  /** Sec-WebSocket-Key of the handshake; null where it is none. */
  readonly webSocketKey: string | null;
}

// What would begin another line, or end the text. nghttp2 lets no such value through; a mistake there must not become ours.
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const BREAKING = /[\0\r\n]/;
// oxlint-disable-next-line no-control-regex -- controls and the space would end a part of the request line
const LINE_BREAKING = /[\0-\x20]/;
/** Schemes that the router serves. How a client came is said by its connection, as nginx and HAProxy have it. */
const HTTP = /^https?$/i;
/** RFC 3986 §3.1. */
const SCHEME = /^[a-z][a-z0-9+.-]*$/i;

/**
 * Writes a stream's request head. What two readers could disagree about is left in for the router to refuse: a Host that
 * differs from `:authority` becomes a second Host field, and a scheme other than http and https a target that has it.
 * @param rawHeaders names and values in turn, pseudo-header fields among them
 * @param isWhole no body follows
 * @param makeKey for a WebSocket: 16 random bytes in base64
 * @returns null when it is malformed (RFC 9113 §8.1.1)
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
        // A second one is left to the router.
        if (host === null) host = value;
        else fields += `host: ${value}\r\n`;
        continue;
      case 'cookie':
        // RFC 9113 §8.2.3: crumbs are one field before they leave HTTP/2.
        cookies += cookies === '' ? value : `; ${value}`;
        continue;
      case 'content-length':
        hasLength = true;
        lengths += `content-length: ${value}\r\n`;
        continue;
      // What frames an HTTP/1.1 message, or is about its connection, has no place here; nghttp2 refuses it, too.
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
  // RFC 9113 §8.5: what is connected to has neither scheme nor path.
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
 * The request target of a stream. One that is not for http or https is in absolute-form, which the router answers with
 * 400 (RFC 9110 §7.4).
 * @returns the empty string where there is none
 */
function targetOf(method: string, scheme: string, authority: string, path: string): string {
  if (!HTTP.test(scheme)) return SCHEME.test(scheme) ? `${scheme}://${authority}${path}` : '';
  // RFC 9113 §8.3.1. An absolute URL would be for another host than `:authority`, which the certificate was asked about.
  return path.startsWith('/') || (path === '*' && method === 'OPTIONS') ? path : '';
}

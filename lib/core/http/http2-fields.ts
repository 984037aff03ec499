/** Converts header sections between HTTP/1.1, which the router uses internally, and HTTP/2 (RFC 9113 §8). Pure. */

import { joinField } from './field-section.ts';

/** Fields of HTTP/1.1's connections and framing (§8.2.2); `host` becomes `:authority`. */
const NOT_IN_HTTP2 = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** What a request asks for. */
export interface Http2Target {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly path: string;
  /** Whether the client accepts trailers: only then the backend may send any. */
  readonly takesTrailers: boolean;
  /** It opens a WebSocket (RFC 8441 §4). */
  readonly isWebSocket: boolean;
}

/**
 * A request's header section for HTTP/2. Fields of one name become one (RFC 9110 §5.3, and for cookies RFC 9113 §8.2.3):
 * Node refuses some that come twice.
 * @param rawHeaders names and values in turn, as for an HTTP/1.1 backend
 */
export function http2Fields(rawHeaders: readonly string[], target: Http2Target): Record<string, string> {
  const { method, scheme, authority, path, takesTrailers, isWebSocket } = target;
  // Without a prototype: a field may have any name.
  const fields = Object.assign(Object.create(null) as Record<string, string>, {
    ':method': isWebSocket ? 'CONNECT' : method,
    ':scheme': scheme,
    ':authority': authority,
    ':path': path,
    ...(isWebSocket && { ':protocol': 'websocket' }),
  });
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (NOT_IN_HTTP2.has(name) || (isWebSocket && name === 'sec-websocket-key')) continue;
    joinField(fields, name, value);
  }
  if (takesTrailers) fields['te'] = 'trailers';
  return fields;
}

/**
 * Maximum size of a response's header section, bytes: with the router's own fields it fits into 64 KiB, as much as most
 * clients accept.
 */
export const MOST_SECTION_BYTES = 61_440;
/** Size of a field beside its name and value (RFC 9113 §6.5.2), bytes. */
export const FIELD_BYTES = 32;

/** Whether a header section that came by HTTP/2 is too large to pass on. Node bounds the number of its fields only. */
export function isTooLarge(raw: readonly string[]): boolean {
  let bytes = (raw.length / 2) * FIELD_BYTES;
  for (const text of raw) bytes += text.length;
  return bytes > MOST_SECTION_BYTES;
}

/** A header section that came by HTTP/2, without what begins with a colon. @param raw names and values in turn */
export function withoutPseudo(raw: readonly string[]): string[] {
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!name.startsWith(':')) fields.push(name, raw[i + 1] ?? '');
  }
  return fields;
}

/** Whether a client accepts trailers (RFC 9110 §6.5.1). gRPC requires them. */
export function asksForTrailers(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (name === 'te' && /(?:^|,)[ \t]*trailers[ \t]*(?:,|;|$)/i.test(value)) return true;
    if (name === 'content-type' && /^application\/grpc(?:[+;]|$)/i.test(value)) return true;
  }
  return false;
}

import { type Framing, hasNoFraming, isLength } from './framing.ts';
import { hopByHop } from './hop-by-hop.ts';
import { trimmed } from './white-space.ts';

/** The properties of a response that decide how it is passed on. */
export interface ResponseHead {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  /** To HEAD: there is no body, and the framing fields describe the one that GET would get. */
  readonly toHead: boolean;
  readonly clientVersion: '1.0' | '1.1';
}

/** The header section of a response to a client. */
export interface OutgoingResponse {
  /** Names and values in turn; order, case and duplicates as the backend sent them. */
  readonly headers: string[];
  /** `none`: no body follows, whatever the fields say. `chunked` never to HTTP/1.0. Null: it ends as the connection does. */
  readonly framing: Framing | null;
}

/**
 * Makes the header section for the client.
 * @returns the reason as a string when the response's framing is ambiguous (RFC 9112 §6.3): then it is a 502
 */
export function responseHeaders(response: ResponseHead): OutgoingResponse | string {
  const { rawHeaders, status } = response;
  const dropped = hopByHop(rawHeaders);
  const isFrameless = hasNoFraming(status);
  const isBodiless = response.toHead || isFrameless || status === 304;
  const headers: string[] = [];
  const lengths: string[] = [];
  const codings: string[] = [];
  const trailers: string[] = [];

  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (dropped.has(lower)) continue;
    switch (lower) {
      // Only the router may send it: it shows that no backend has responded.
      case 'x-router-error':
        continue;
      case 'transfer-encoding':
        if (!isFrameless) codings.push(value);
        continue;
      case 'trailer':
        trailers.push(name, value);
        continue;
      case 'content-length':
        if (isFrameless) continue;
        lengths.push(value);
        break;
    }
    headers.push(name, value);
  }

  if (codings.length > 0) {
    if (trimmed(codings.join(',')).toLowerCase() !== 'chunked') return 'a transfer coding other than chunked';
    if (lengths.length > 0) return 'both Content-Length and Transfer-Encoding';
  }
  if (lengths.length > 1 || (lengths[0] !== undefined && !isLength(lengths[0]))) return 'invalid Content-Length';
  if (isBodiless) {
    // RFC 9112 §6.1: HEAD and 304 may say how the body would have come, but not to HTTP/1.0.
    if (codings.length > 0 && response.toHead && response.clientVersion === '1.1') {
      headers.push('Transfer-Encoding', 'chunked');
    }
    return { headers, framing: { kind: 'none' } };
  }
  if (lengths[0] !== undefined) return { headers, framing: { kind: 'length', bytes: Number(lengths[0]) } };
  if (response.clientVersion === '1.0') return { headers, framing: null };
  headers.push(...trailers, 'Transfer-Encoding', 'chunked');
  return { headers, framing: { kind: 'chunked' } };
}

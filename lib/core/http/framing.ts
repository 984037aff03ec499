import { RouterError } from '../errors.ts';
import { trimmed } from './white-space.ts';

/** How a message says where its body ends (RFC 9112 §6). */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

const NONE: Framing = Object.freeze({ kind: 'none' });
const CHUNKED: Framing = Object.freeze({ kind: 'chunked' });
/** Leading zeros do not matter (RFC 9110 §8.6); 15 more digits are exact as a number. */
const LENGTH = /^0*[0-9]{1,15}$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** Codings that RFC 9112 §7 names besides chunked. `identity` was withdrawn, and is a smuggler's word. */
const KNOWN_CODINGS = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress']);

/**
 * The framing of a request.
 * @param lengths every Content-Length value received
 * @param codings every Transfer-Encoding value received
 * @throws RouterError `bad-request` when it is ambiguous; `coding-unknown` for a coding that the router cannot decode
 */
export function requestFraming(version: string, lengths: readonly string[], codings: readonly string[]): Framing {
  if (codings.length > 0) {
    // RFC 9112 §6.1: a Transfer-Encoding in HTTP/1.0 must be taken for faulty framing.
    if (version === '1.0') throw new RouterError('bad-request', 'Transfer-Encoding in an HTTP/1.0 request');
    if (lengths.length > 0) throw new RouterError('bad-request', 'both Content-Length and Transfer-Encoding');
    return codingsFraming(codings);
  }
  if (lengths.length === 0) return NONE;
  return lengthFraming(lengths);
}

/** Whether a body comes with a message; one of 0 bytes is none, and a chunked one may be anything. */
export function hasBody(framing: Framing): boolean {
  switch (framing.kind) {
    case 'none':
      return false;
    case 'length':
      return framing.bytes > 0;
    case 'chunked':
      return true;
  }
}

function codingsFraming(values: readonly string[]): Framing {
  const codings = values
    .join(',')
    .toLowerCase()
    .split(',')
    .map((coding) => trimmed(coding));
  if (codings.length === 1 && codings[0] === 'chunked') return CHUNKED;
  const last = codings.pop();
  if (last === 'chunked' && codings.every((coding) => KNOWN_CODINGS.has(coding))) {
    throw new RouterError('coding-unknown', 'a transfer coding other than chunked');
  }
  throw new RouterError(
    'bad-request',
    `invalid Transfer-Encoding${last !== undefined && TOKEN.test(last) ? ` "${last}"` : ''}`,
  );
}

/** Whether a Content-Length value is one. */
export function isLength(value: string): boolean {
  return LENGTH.test(value);
}

function lengthFraming(values: readonly string[]): Framing {
  const [value = ''] = values;
  if (values.length > 1 || !isLength(value)) throw new RouterError('bad-request', 'invalid Content-Length');
  return { kind: 'length', bytes: Number(value) };
}

/**
 * Whether the body that GET would get ends with the connection: then the backend is about to close it after its response
 * to HEAD, too, whatever it says, and it is not kept for a next request.
 * @param isFramed whether the response has a Content-Length or Transfer-Encoding field
 */
export function endsByClose(status: number, isFramed: boolean): boolean {
  return !isFramed && status !== 204 && status !== 304;
}

/**
 * Whether a response of this status may have neither Content-Length nor Transfer-Encoding (RFC 9110 §8.6, RFC 9112 §6.1):
 * they are not sent on, and nothing is framed by them. HEAD and 304 are other: theirs describe what GET would get.
 */
export function hasNoFraming(status: number): boolean {
  return status < 200 || status === 204;
}

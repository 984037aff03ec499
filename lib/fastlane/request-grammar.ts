/**
 * The strict grammar of request heads that the fast lane serves. No I/O. A head that does not match goes to the full
 * lane, so that only one place rejects requests.
 */
import { isClientCertificateField } from '../core/http/client-certificate.ts';
import { aliasedName } from '../core/http/field-alias.ts';
import { isForwardedField } from '../core/http/forwarded.ts';
import { hasToken } from '../core/http/request-head.ts';
import { digitsOf, endOf, framingOf, isAliasOf, isNamed, isNeat, valueOf } from '../http1/field-lines.ts';

/** A request head with unambiguous framing. */
export interface ReadRequest {
  /** The head as received, including the empty line; latin1. */
  readonly text: string;
  readonly method: string;
  readonly target: string;
  /**
   * The fast lane can serve the request. Otherwise it is handed off: where the head and the body end is still
   * certain.
   */
  readonly isPlain: boolean;
  /** The value of the Host field; empty if there is none, or more than one. */
  readonly host: string;
  /** How the body is framed. */
  readonly framing: 'none' | 'length' | 'chunked';
  /** Bytes of the body; 0 unless the framing is `length`. */
  readonly length: number;
  /** The client asks to close the connection after the response (RFC 9112 §9.6). */
  readonly isLast: boolean;
  /** The field lines to pass on unchanged, without Connection; null when more has to be changed. */
  readonly fields: string | null;
  /** The head has a field of W3C Trace Context. */
  readonly hasTrace: boolean;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

// RFC 9110 §5.6.2 (token), RFC 9112 §3 (request line), RFC 9110 §5.5 (field values: no control but the tab).
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
// Bytes outside ASCII in a target are passed on, as nginx, h2o and Apache do.
const LINE = `${TOKEN} [!-~\\x80-\\xff]+ HTTP\\/1\\.[01]\\r\\n`;
const FIELD = `${TOKEN}:[\\t -~\\x80-\\xff]*\\r\\n`;
const HEAD = new RegExp(`${LINE}(?:${FIELD})*\\r\\n`, 'y');
const BEGINNING = new RegExp(`^(?:${LINE}(?:${FIELD})*)?$`);
const UNFINISHED = /^[\t -~\x80-\xff]*\r?$/;

const LETTER_X = 0x78;

/** Whether this text is a valid prefix of a head. */
export function mayBegin(text: string): boolean {
  const end = text.lastIndexOf('\r\n') + 2;
  const whole = end < 2 ? '' : text.slice(0, end);
  return BEGINNING.test(whole) && UNFINISHED.test(text.slice(whole.length));
}

/**
 * Parses a whole head.
 * @param text latin1, at least up to the empty line
 * @returns null when the head is incomplete, or not for this lane
 */
export function readRequest(text: string): ReadRequest | null {
  HEAD.lastIndex = 0;
  if (!HEAD.test(text)) return null;
  const headEnd = HEAD.lastIndex;
  const lineEnd = text.indexOf('\r\n');
  const methodEnd = text.indexOf(' ');
  const method = text.slice(0, methodEnd);
  const target = text.slice(methodEnd + 1, lineEnd - 9);
  const isOld = text.charCodeAt(lineEnd - 1) !== 0x31;

  let isPlain = !isOld && target.startsWith('/') && !target.includes('#');
  let isUsual = true;
  let hosts = 0;
  let host = '';
  let length = -1;
  let isChunked = false;
  let isLast = false;
  let hasTrace = false;
  let referer: string | undefined;
  let userAgent: string | undefined;
  const fieldsEnd = headEnd - 2;
  /** The range of the Connection line, which is left out. */
  let dropFrom = fieldsEnd;
  let dropTo = fieldsEnd;

  for (let at = lineEnd + 2; at < fieldsEnd;) {
    const colon = text.indexOf(':', at);
    const end = endOf(text, colon);
    if (!isNeat(text, colon, end)) isUsual = false;
    if ((text.charCodeAt(at) | 0x20) === LETTER_X) {
      const name = aliasedName(text.slice(at, colon).toLowerCase());
      if (name === 'x-debug') isPlain = false;
      else if (name === 'x-request-id' || isForwardedField(name)) isUsual = false;
      else if (isClientCertificateField(name)) isUsual = false;
    } else {
      // Every relevant name has one of these lengths: fields are distinguished without creating strings.
      switch (colon - at) {
        case 2:
          if (isNamed(text, at, 'te')) isUsual = false;
          break;
        case 4:
          if (isNamed(text, at, 'host')) {
            hosts++;
            host = valueOf(text, colon, end);
          }
          break;
        case 5:
          if (isNamed(text, at, 'proxy')) isUsual = false;
          break;
        case 6:
          if (isNamed(text, at, 'expect')) isPlain = false;
          break;
        case 7:
          // After it, Node's parser may no longer be in use.
          if (isNamed(text, at, 'upgrade')) return null;
          if (isNamed(text, at, 'trailer')) isUsual = false;
          else if (isNamed(text, at, 'referer')) referer ??= valueOf(text, colon, end);
          break;
        case 9:
          if (isNamed(text, at, 'forwarded')) isUsual = false;
          break;
        case 10:
          if (isNamed(text, at, 'user-agent')) {
            userAgent ??= valueOf(text, colon, end);
          } else if (isNamed(text, at, 'keep-alive')) {
            isUsual = false;
          } else if (isNamed(text, at, 'connection')) {
            const value = valueOf(text, colon, end).toLowerCase();
            if ((value === 'keep-alive' || value === 'close') && dropFrom === fieldsEnd) {
              dropFrom = at;
              dropTo = end + 2;
              isLast = value === 'close';
            } else {
              isUsual = false;
              isLast ||= hasToken(value, 'close');
            }
          } else if (isNamed(text, at, 'tracestate')) {
            hasTrace = true;
          }
          break;
        case 11:
          if (isNamed(text, at, 'traceparent')) hasTrace = true;
          break;
        case 14:
          if (isNamed(text, at, 'http2-settings')) {
            isUsual = false;
          } else if (isNamed(text, at, 'content-length')) {
            const value = framingOf(text, colon, end);
            if (length >= 0) return null;
            length = digitsOf(value);
            if (length < 0) return null;
            if (value.length > 1 && value.startsWith('0')) isUsual = false;
          } else if (isAliasOf(text, at, 'content-length')) {
            isUsual = false;
          }
          break;
        case 16:
          if (isNamed(text, at, 'proxy-connection')) isUsual = false;
          break;
        case 17:
          if (isNamed(text, at, 'transfer-encoding')) {
            const value = framingOf(text, colon, end);
            if (isChunked || isOld || value.toLowerCase() !== 'chunked') return null;
            isChunked = true;
            if (value !== 'chunked') isUsual = false;
          } else if (isAliasOf(text, at, 'transfer-encoding')) {
            isUsual = false;
          }
      }
    }
    at = end + 2;
  }

  if ((isChunked && length >= 0) || method === 'CONNECT') return null;
  if (hosts !== 1 || host === '') isPlain = false;
  return {
    text: text.slice(0, headEnd),
    method,
    target,
    isPlain,
    host: hosts === 1 ? host : '',
    framing: isChunked ? 'chunked' : length >= 0 ? 'length' : 'none',
    length: Math.max(0, length),
    isLast,
    fields: isUsual ? text.slice(lineEnd + 2, dropFrom) + text.slice(dropTo, fieldsEnd) : null,
    hasTrace,
    referer,
    userAgent,
  };
}

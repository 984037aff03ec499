/** The strict grammar of backends' responses (RFC 9112 §4, §6.3). No I/O. */
import { endsByClose, hasNoFraming } from '../core/http/framing.ts';
import { interimFields } from '../core/http/interim-fields.ts';
import { hasToken } from '../core/http/request-head.ts';
import { responseHeaders } from '../core/http/response-headers.ts';
import { digitsOf, endOf, fieldLines, framingOf, isNamed, isNeat, rawFields, valueOf } from './field-lines.ts';

/** An unambiguous response head. */
export interface ReadResponse {
  readonly status: number;
  /** The status line and the field lines to pass on. */
  readonly head: string;
  /** Where the head ends in the text, after its empty line. */
  readonly end: number;
  /** How the body is framed. `close`: it ends with the connection. `none`: responses that never have one. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Bytes of the body; 0 unless the framing is `length`. */
  readonly length: number;
  /** The backend's connection can serve a next request. */
  readonly isKept: boolean;
  /** For how long the backend keeps the connection, ms; Infinity when not stated. */
  readonly keepMs: number;
  readonly hasDate: boolean;
  readonly hasRequestId: boolean;
  readonly hasRetryAfter: boolean;
}

const LINE = 'HTTP\\/1\\.[01] [1-9][0-9]{2}(?: [\\t -~\\x80-\\xff]*)?\\r\\n';
const FIELD = "[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\\t -~\\x80-\\xff]*\\r\\n";
const HEAD = new RegExp(`${LINE}(?:${FIELD})*\\r\\n`, 'y');
const BEGINNING = new RegExp(`^(?:${LINE}(?:${FIELD})*)?$`.replaceAll('\\r\\n', '\\r?\\n'));
const UNFINISHED = /^[\t -~\x80-\xff]*\r?$/;
const PROTOCOL = 'HTTP/1.';
// The field is standardised in RFC 2068 only, but widely used.
const KEEP_SECONDS = /\btimeout=([0-9]{1,9})/i;
const VERSION_AT = 7;
const STATUS_AT = 9;
const ONE = 0x31;

/** Whether this text may be the prefix of a head; lines may end with a bare LF. */
export function mayBeginResponse(text: string): boolean {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return (
    text.slice(0, PROTOCOL.length) === PROTOCOL.slice(0, text.length) &&
    BEGINNING.test(whole) &&
    UNFINISHED.test(text.slice(whole.length))
  );
}

/**
 * Parses a whole head.
 * @param text latin1, at least up to the empty line
 * @param toHead it is the response to HEAD: no body follows, whatever its fields say
 * @returns why it cannot be passed on, if so
 */
export function readResponse(text: string, toHead: boolean): ReadResponse | string {
  HEAD.lastIndex = 0;
  if (!HEAD.test(text)) return 'the head of the response is not HTTP/1.1';
  const headEnd = HEAD.lastIndex;
  const lineEnd = text.indexOf('\r');
  const isOld = text.charCodeAt(VERSION_AT) !== ONE;
  const status = digitsOf(text.slice(STATUS_AT, STATUS_AT + 3));

  const isFrameless = hasNoFraming(status);
  let isUsual = true;
  let length = -1;
  let isChunked = false;
  let keepMs = Infinity;
  let saysClose = false;
  let saysKeep = !isOld;
  let hasDate = false;
  let hasRequestId = false;
  let hasRetryAfter = false;
  const fieldsEnd = headEnd - 2;
  // RFC 9112 §4: the space before the reason is required even if the reason is empty.
  const isGoodLine = !isOld && lineEnd > STATUS_AT + 3;
  let head = isGoodLine ? '' : `HTTP/1.1 ${status} ${text.slice(STATUS_AT + 4, lineEnd)}\r\n`;
  /** Start of the lines that are not in `head` yet. */
  let from = isGoodLine ? 0 : lineEnd + 2;

  for (let at = lineEnd + 2; at < fieldsEnd;) {
    const colon = text.indexOf(':', at);
    const end = endOf(text, colon);
    if (!isNeat(text, colon, end)) isUsual = false;
    let isLeftOut = false;
    switch (colon - at) {
      case 2:
        if (isNamed(text, at, 'te')) isUsual = false;
        break;
      case 4:
        if (isNamed(text, at, 'date')) hasDate = true;
        break;
      case 7:
        if (isNamed(text, at, 'upgrade') || isNamed(text, at, 'trailer')) isUsual = false;
        break;
      case 10:
        if (isNamed(text, at, 'keep-alive')) {
          isLeftOut = true;
          keepMs = Number(KEEP_SECONDS.exec(text.slice(colon + 1, end))?.[1] ?? Infinity) * 1000;
        } else if (isNamed(text, at, 'connection')) {
          const value = valueOf(text, colon, end).toLowerCase();
          isLeftOut = true;
          if (value === 'close') saysClose = true;
          else if (value === 'keep-alive') saysKeep = true;
          else {
            isUsual = false;
            saysClose ||= hasToken(value, 'close');
            saysKeep ||= hasToken(value, 'keep-alive');
          }
        }
        break;
      case 11:
        if (isNamed(text, at, 'retry-after')) hasRetryAfter = true;
        break;
      case 12:
        if (isNamed(text, at, 'x-request-id')) hasRequestId = true;
        break;
      case 14:
        if (isNamed(text, at, 'x-router-error')) {
          isLeftOut = true;
        } else if (isNamed(text, at, 'http2-settings')) {
          isUsual = false;
        } else if (isNamed(text, at, 'content-length')) {
          if (isFrameless) {
            isLeftOut = true;
            break;
          }
          if (length >= 0) return 'two Content-Length fields';
          length = digitsOf(framingOf(text, colon, end));
          if (length < 0) return 'invalid Content-Length';
        }
        break;
      case 16:
        if (isNamed(text, at, 'proxy-connection')) isUsual = false;
        break;
      case 17:
        if (isNamed(text, at, 'transfer-encoding')) {
          isLeftOut = true;
          if (isFrameless) break;
          if (isChunked || framingOf(text, colon, end).toLowerCase() !== 'chunked') {
            return 'a transfer coding other than chunked';
          }
          isChunked = true;
        }
    }
    if (isLeftOut) {
      head += text.slice(from, at);
      from = end + 2;
    }
    at = end + 2;
  }
  head += text.slice(from, fieldsEnd);
  if (isChunked && length >= 0) return 'both Content-Length and Transfer-Encoding';

  const isBodiless = toHead || isFrameless || status === 304;
  const framing = isBodiless ? 'none' : isChunked ? 'chunked' : length >= 0 ? 'length' : 'close';
  if (!isUsual) {
    const whole = text.slice(0, headEnd);
    head = `HTTP/1.1 ${status} ${text.slice(STATUS_AT + 4, lineEnd)}\r\n`;
    head += status < 200 ? interim(whole) : composed(whole, status, toHead);
  } else if (framing === 'chunked' || framing === 'close' || (isChunked && toHead)) {
    // The client's connection stays open: a body without framing is sent in chunks (RFC 9112 §6.1).
    head += 'Transfer-Encoding: chunked\r\n';
  }
  const isUnframed = toHead && status >= 200 && endsByClose(status, length >= 0 || isChunked);
  return {
    status,
    head,
    end: headEnd,
    framing,
    length: framing === 'length' ? length : 0,
    // RFC 9112 §6.1: HTTP/1.0 has no chunks, so a connection with both is not used again.
    isKept: saysKeep && !saysClose && framing !== 'close' && !isUnframed && !(isOld && isChunked),
    keepMs,
    hasDate,
    hasRequestId,
    hasRetryAfter,
  };
}

/** The field lines by the full lane's rule, for heads that need more than leaving out a line. */
function composed(text: string, status: number, toHead: boolean): string {
  const response = responseHeaders({
    status,
    rawHeaders: rawFields(text),
    toHead,
    clientVersion: '1.1',
  });
  // All its errors were already detected above.
  return typeof response === 'string' ? '' : fieldLines(response.headers);
}

/** The field lines of a 1xx response. */
function interim(text: string): string {
  return fieldLines(interimFields(rawFields(text)));
}

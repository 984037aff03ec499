/** What a backend's answer must look like to be passed on (RFC 9112 §4, §6.3). One strict grammar, no I/O. */
import { hopByHop } from '../core/hop-by-hop.ts';
import { hasToken } from '../core/request-head.ts';
import { responseHeaders } from '../core/response-headers.ts';
import { framingOf, rawFields, valueOf } from './request-grammar.ts';

/** A head that can be passed on without ambiguity. */
export interface ReadAnswer {
  readonly status: number;
  /** The status line to pass on, line end included. */
  readonly line: string;
  /** The field lines to pass on. */
  readonly fields: string;
  /** What ends its body; `close`: the end of the connection. `none` for answers that have none by nature. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Of its body, bytes; 0 unless the framing is `length`. */
  readonly length: number;
  /** The backend's connection can serve a next request. */
  readonly isKept: boolean;
  /** For how long the backend keeps it, ms; Infinity where it does not say. */
  readonly keepMs: number;
  readonly hasDate: boolean;
  readonly hasRequestId: boolean;
  readonly hasRetryAfter: boolean;
}

const LINE = 'HTTP\\/1\\.[01] [1-9][0-9]{2}(?: [\\t -~\\x80-\\xff]*)?\\r\\n';
const FIELD = "[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\\t -~\\x80-\\xff]*\\r\\n";
const HEAD = new RegExp(`^${LINE}(?:${FIELD})*\\r\\n$`);
const BEGINNING = new RegExp(`^(?:${LINE}(?:${FIELD})*)?$`);
const UNFINISHED = /^[\t -~\x80-\xff]*\r?$/;
const PROTOCOL = 'HTTP/1.';
const DIGITS = /^[0-9]{1,15}$/;
// The field is in nobody's standard but RFC 2068, and in wide use.
const KEEP_SECONDS = /\btimeout=([0-9]{1,9})/i;
const STATUS_AT = 9;
const SPACE = 0x20;
const TAB = 0x09;

/** Whether these bytes may be the beginning of a head, as far as they go. */
export function mayBeginAnswer(text: string): boolean {
  const end = text.lastIndexOf('\r\n') + 2;
  const whole = end < 2 ? '' : text.slice(0, end);
  return (
    text.slice(0, PROTOCOL.length) === PROTOCOL.slice(0, text.length) &&
    BEGINNING.test(whole) &&
    UNFINISHED.test(text.slice(whole.length))
  );
}

/**
 * Reads a whole head.
 * @param text latin1, up to and including the empty line
 * @param toHead it answers a HEAD: no body follows, whatever its fields say
 * @returns why it cannot be passed on, where that is so
 */
export function readAnswer(text: string, toHead: boolean): ReadAnswer | string {
  if (!HEAD.test(text)) return 'the head of the answer is not HTTP/1.1';
  const lineEnd = text.indexOf('\r\n');
  const isOld = text.charCodeAt(STATUS_AT - 2) !== 0x31;
  const status = Number(text.slice(STATUS_AT, STATUS_AT + 3));
  const reason = text.slice(STATUS_AT + 4, lineEnd);

  let isUsual = true;
  let length: string | null = null;
  let isChunked = false;
  let keepMs = Infinity;
  let saysClose = false;
  let saysKeep = !isOld;
  let hasDate = false;
  let hasRequestId = false;
  let hasRetryAfter = false;
  const fieldsEnd = text.length - 2;
  let fields = '';
  /** Where the lines begin that are not in `fields` yet. */
  let from = lineEnd + 2;

  for (let at = from; at < fieldsEnd;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    if (
      text.charCodeAt(colon + 1) !== SPACE ||
      isBlank(text.charCodeAt(colon + 2)) ||
      isBlank(text.charCodeAt(end - 1))
    ) {
      isUsual = false;
    }
    let isLeftOut = false;
    switch (colon - at) {
      case 2:
        if (text.slice(at, colon).toLowerCase() === 'te') isUsual = false;
        break;
      case 4:
        if (text.slice(at, colon).toLowerCase() === 'date') hasDate = true;
        break;
      case 7: {
        const name = text.slice(at, colon).toLowerCase();
        if (name === 'upgrade' || name === 'trailer') isUsual = false;
        break;
      }
      case 10:
        switch (text.slice(at, colon).toLowerCase()) {
          case 'keep-alive':
            isLeftOut = true;
            keepMs = Number(KEEP_SECONDS.exec(text.slice(colon + 1, end))?.[1] ?? Infinity) * 1000;
            break;
          case 'connection': {
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
        }
        break;
      case 11:
        if (text.slice(at, colon).toLowerCase() === 'retry-after') hasRetryAfter = true;
        break;
      case 12:
        if (text.slice(at, colon).toLowerCase() === 'x-request-id') hasRequestId = true;
        break;
      case 14:
        switch (text.slice(at, colon).toLowerCase()) {
          case 'http2-settings':
            isUsual = false;
            break;
          case 'content-length':
            if (length !== null) return 'two Content-Length fields';
            length = framingOf(text, colon, end);
            if (!DIGITS.test(length)) return 'invalid Content-Length';
        }
        break;
      case 16:
        if (text.slice(at, colon).toLowerCase() === 'proxy-connection') isUsual = false;
        break;
      case 17:
        if (text.slice(at, colon).toLowerCase() === 'transfer-encoding') {
          if (isOld) return 'Transfer-Encoding in an HTTP/1.0 answer';
          if (isChunked || framingOf(text, colon, end).toLowerCase() !== 'chunked') {
            return 'a transfer coding other than chunked';
          }
          isChunked = true;
          isLeftOut = true;
        }
    }
    if (isLeftOut) {
      fields += text.slice(from, at);
      from = end + 2;
    }
    at = end + 2;
  }
  fields += text.slice(from, fieldsEnd);
  if (isChunked && length !== null) return 'both Content-Length and Transfer-Encoding';

  const isBodiless = toHead || status < 200 || status === 204 || status === 304;
  const framing = isBodiless ? 'none' : isChunked ? 'chunked' : length !== null ? 'length' : 'close';
  if (!isUsual) fields = status < 200 ? interim(text) : composed(text, status, toHead, isOld);
  else if (framing === 'chunked' || framing === 'close' || (isChunked && toHead && status !== 204)) {
    // RFC 9112 §6.1: the end of a connection is not a body's end for our client, so what has none is made chunks of.
    fields += 'Transfer-Encoding: chunked\r\n';
  }
  return {
    status,
    line: `HTTP/1.1 ${status} ${reason}\r\n`,
    fields,
    framing,
    length: framing === 'length' ? Number(length) : 0,
    isKept: saysKeep && !saysClose && framing !== 'close',
    keepMs,
    hasDate,
    hasRequestId,
    hasRetryAfter,
  };
}

/** The field lines as the rule that the full lane keeps makes them, for heads that take more than leaving out a line. */
function composed(text: string, status: number, toHead: boolean, isOld: boolean): string {
  const answer = responseHeaders({
    status,
    version: isOld ? '1.0' : '1.1',
    rawHeaders: rawFields(text),
    toHead,
    clientVersion: '1.1',
  });
  // It has no objection that was not raised above already.
  return typeof answer === 'string' ? '' : fieldLines(answer.headers);
}

/** The field lines of a 1xx: it has no body, so nothing frames one (RFC 9112 §6.1). */
function interim(text: string): string {
  const raw = rawFields(text);
  const dropped = hopByHop(raw);
  return fieldLines(raw.filter((_, i) => !dropped.has(raw[i - (i % 2)]?.toLowerCase() ?? '')));
}

/** Names and values in turn, as lines. */
export function fieldLines(fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

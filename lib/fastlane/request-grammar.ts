/**
 * Which request heads the fast lane takes for itself. One strict grammar, no I/O: what it does not match is the full
 * lane's, so that only one place refuses anything.
 */
import { isForwardedField } from '../core/forwarded.ts';
import { hasToken } from '../core/request-head.ts';

/** A head whose framing is beyond doubt. */
export interface ReadRequest {
  /** All of it as it came, the empty line included; latin1. */
  readonly text: string;
  readonly method: string;
  readonly target: string;
  /**
   * Nothing in it has to be thought about. Otherwise its end and its body's end are certain, and the full lane may
   * have it alone.
   */
  readonly isPlain: boolean;
  /** The value of its only Host field; empty where there is none, or more than one. */
  readonly host: string;
  /** What ends its body. */
  readonly framing: 'none' | 'length' | 'chunked';
  /** Of its body, bytes; 0 unless the framing is `length`. */
  readonly length: number;
  /** Its client wants the connection closed after the answer (RFC 9112 §9.6). */
  readonly isLast: boolean;
  /** The field lines to pass on as they stand, or null when that takes more than leaving out Connection. */
  readonly fields: string | null;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

// RFC 9110 §5.6.2 (token), RFC 9112 §3 (request line), RFC 9110 §5.5 (field values: no control but the tab).
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const LINE = `${TOKEN} [!-~]+ HTTP\\/1\\.[01]\\r\\n`;
const FIELD = `${TOKEN}:[\\t -~\\x80-\\xff]*\\r\\n`;
const HEAD = new RegExp(`^${LINE}(?:${FIELD})*\\r\\n$`);
const BEGINNING = new RegExp(`^(?:${LINE}(?:${FIELD})*)?$`);
const UNFINISHED = /^[\t -~\x80-\xff]*\r?$/;
const DIGITS = /^[0-9]{1,15}$/;

/** Methods that Node's parser and the lane's rules both know. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const TAB = 0x09;
const SPACE = 0x20;
const LETTER_X = 0x78;

/** Whether these bytes may be the beginning of a head, as far as they go. */
export function mayBegin(text: string): boolean {
  const end = text.lastIndexOf('\r\n') + 2;
  const whole = end < 2 ? '' : text.slice(0, end);
  return BEGINNING.test(whole) && UNFINISHED.test(text.slice(whole.length));
}

/** Reads a whole head. @param text latin1, up to and including the empty line. @returns null when it is not for this lane */
export function readRequest(text: string): ReadRequest | null {
  if (!HEAD.test(text)) return null;
  const lineEnd = text.indexOf('\r\n');
  const methodEnd = text.indexOf(' ');
  const method = text.slice(0, methodEnd);
  const target = text.slice(methodEnd + 1, lineEnd - 9);
  const isOld = text.charCodeAt(lineEnd - 1) !== 0x31;

  let isPlain = !isOld && METHODS.has(method) && target.startsWith('/') && !target.includes('#');
  let isUsual = true;
  let hosts = 0;
  let host = '';
  let length = -1;
  let isChunked = false;
  let isLast = false;
  let referer: string | undefined;
  let userAgent: string | undefined;
  const fieldsEnd = text.length - 2;
  /** The lines to leave out: at most one, in the usual case. */
  let dropFrom = fieldsEnd;
  let dropTo = fieldsEnd;

  for (let at = lineEnd + 2; at < fieldsEnd;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    // Exactly one space before a value and none after it: as Node writes a field, too.
    const isNeat =
      text.charCodeAt(colon + 1) === SPACE &&
      !isBlank(text.charCodeAt(colon + 2)) &&
      !isBlank(text.charCodeAt(end - 1));
    if (!isNeat) isUsual = false;
    if ((text.charCodeAt(at) | 0x20) === LETTER_X) {
      const name = text.slice(at, colon).toLowerCase();
      if (name === 'x-debug') isPlain = false;
      else if (name === 'x-request-id' || name === 'x_request_id' || isForwardedField(name)) isUsual = false;
    } else {
      // A name that matters has one of these lengths: most fields are told apart without making a string of them.
      switch (colon - at) {
        case 2:
          if (text.slice(at, colon).toLowerCase() === 'te') isUsual = false;
          break;
        case 4:
          if (text.slice(at, colon).toLowerCase() === 'host') {
            hosts++;
            host = valueOf(text, colon, end);
          }
          break;
        case 6:
          if (text.slice(at, colon).toLowerCase() === 'expect') isPlain = false;
          break;
        case 7:
          switch (text.slice(at, colon).toLowerCase()) {
            case 'upgrade':
              // Node's parser may stop being one after it.
              return null;
            case 'trailer':
              isUsual = false;
              break;
            case 'referer':
              referer ??= valueOf(text, colon, end);
          }
          break;
        case 9:
          if (isForwardedField(text.slice(at, colon).toLowerCase())) isUsual = false;
          break;
        case 10:
          switch (text.slice(at, colon).toLowerCase()) {
            case 'user-agent':
              userAgent ??= valueOf(text, colon, end);
              break;
            case 'keep-alive':
              isUsual = false;
              break;
            case 'connection': {
              const value = valueOf(text, colon, end).toLowerCase();
              if ((value === 'keep-alive' || value === 'close') && dropFrom === fieldsEnd) {
                dropFrom = at;
                dropTo = end + 2;
                isLast = value === 'close';
              } else {
                isUsual = false;
                isLast ||= hasToken(value, 'close');
              }
            }
          }
          break;
        case 14:
          switch (text.slice(at, colon).toLowerCase()) {
            case 'http2-settings':
              isUsual = false;
              break;
            case 'content-length': {
              const value = framingOf(text, colon, end);
              if (length >= 0 || !DIGITS.test(value)) return null;
              length = Number(value);
              if (value.length > 1 && value.startsWith('0')) isUsual = false;
            }
          }
          break;
        case 16:
          if (text.slice(at, colon).toLowerCase() === 'proxy-connection') isUsual = false;
          break;
        case 17:
          if (text.slice(at, colon).toLowerCase() === 'transfer-encoding') {
            const value = framingOf(text, colon, end);
            if (isChunked || isOld || value.toLowerCase() !== 'chunked') return null;
            isChunked = true;
            if (value !== 'chunked') isUsual = false;
          }
      }
    }
    at = end + 2;
  }

  if ((isChunked && length >= 0) || method === 'CONNECT') return null;
  if (hosts !== 1 || host === '') isPlain = false;
  return {
    text,
    method,
    target,
    isPlain,
    host: hosts === 1 ? host : '',
    framing: isChunked ? 'chunked' : length >= 0 ? 'length' : 'none',
    length: Math.max(0, length),
    isLast,
    fields: isUsual ? text.slice(lineEnd + 2, dropFrom) + text.slice(dropTo, fieldsEnd) : null,
    referer,
    userAgent,
  };
}

/** Names and values in turn, as Node's parser gives them: without the white space around a value. */
export function rawFields(text: string): string[] {
  const fields: string[] = [];
  const fieldsEnd = text.length - 2;
  for (let at = text.indexOf('\r\n') + 2; at < fieldsEnd;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    fields.push(text.slice(at, colon), valueOf(text, colon, end));
    at = end + 2;
  }
  return fields;
}

/** The value of a field line, without the white space around it (RFC 9112 §5.1). */
export function valueOf(text: string, colon: number, end: number): string {
  let from = colon + 1;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** The same for a framing field. Where Node's parser does not take a tab for white space, it is part of the value here. */
export function framingOf(text: string, colon: number, end: number): string {
  const value = valueOf(text, colon, end);
  return text.slice(colon + 1, end).includes('\t') ? `${value}\t` : value;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

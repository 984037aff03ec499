/**
 * Response heads that are not in the strict grammar, but have only one interpretation: lines that end with a bare LF,
 * the same Content-Length more than once, a tab before a framing field's value. Requests are never parsed by these
 * rules.
 */
import { digitsOf, valueOf } from './field-lines.ts';
import { mayBeginResponse, type ReadResponse, readResponse } from './response-grammar.ts';

/** A head in the strict grammar, and where the original ends in the text. */
interface StrictHead {
  readonly text: string;
  readonly end: number;
}

/**
 * Maximum size of a response's head, including the empty line, bytes. Two to four times that of nginx, HAProxy and
 * Apache; HTTP/2 can transmit it to a client (nghttp2 sends 64 KiB).
 */
export const HEAD_BYTES = 32_768;
/** How many bytes are decoded at most, if a body follows a head. */
const TEXT_BYTES = 16_384;
const HEAD_END = '\r\n\r\n';

const LINE = 'HTTP\\/1\\.[01] [1-9][0-9]{2}(?: [\\t -~\\x80-\\xff]*)?\\r?\\n';
const FIELD = "[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\\t -~\\x80-\\xff]*\\r?\\n";
const HEAD = new RegExp(`${LINE}(?:${FIELD})*\\r?\\n`, 'y');

/**
 * A response's head as both lanes accept it. `strict`: the head in the strict grammar, if it was parsed leniently;
 * else "".
 */
export type TakenResponse = ReadResponse & { readonly strict?: string };

/**
 * Parses a head. After a lenient one the connection is not used again.
 * @param text latin1, from its first byte
 * @param toHead it is the response to HEAD
 * @returns why it cannot be passed on, or null while it is incomplete
 */
export function takeResponse(text: string, toHead: boolean): TakenResponse | string | null {
  const response = readResponse(text, toHead);
  if (typeof response !== 'string') return response;
  const head = strictHead(text);
  if (head === null) return mayBeginResponse(text) ? null : response;
  const read = readResponse(head.text, toHead);
  return typeof read === 'string' ? read : { ...read, end: head.end, isKept: false, strict: head.text };
}

/** A whole head in the strict form; null when incomplete. */
function strictHead(text: string): StrictHead | null {
  HEAD.lastIndex = 0;
  if (!HEAD.test(text)) return null;
  const end = HEAD.lastIndex;
  const [statusLine = '', ...lines] = text.slice(0, end).split(/\r?\n/);
  let strict = `${statusLine}\r\n`;
  let length: string | null = null;
  for (const line of lines.slice(0, -2)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = valueOf(line, colon, line.length);
    switch (name.toLowerCase()) {
      case 'content-length': {
        const told = sameLength(value);
        if (told === length) continue;
        length = told;
        strict += `${name}: ${told}\r\n`;
        break;
      }
      case 'transfer-encoding':
        strict += `${name}: ${value}\r\n`;
        break;
      default:
        strict += `${line}\r\n`;
    }
  }
  return { text: `${strict}\r\n`, end };
}

/** RFC 9112 §6.3: a list of equal lengths is that length. Other values are not changed. */
function sameLength(value: string): string {
  const [first = '', ...others] = value.split(',').map((item) => valueOf(item, -1, item.length));
  return digitsOf(first) >= 0 && others.every((other) => other === first) ? first : value;
}

/** Where decoding ends, to find a head: at the end of the bytes, unless much follows the head. */
export function headEnd(bytes: Buffer, at: number): number {
  if (bytes.length - at <= TEXT_BYTES) return bytes.length;
  const end = bytes.indexOf(HEAD_END, at, 'latin1');
  return Math.min(bytes.length, end < 0 ? at + HEAD_BYTES : end + HEAD_END.length);
}

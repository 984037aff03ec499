/**
 * Response heads that are not in the strict grammar and have one reading all the same: lines that end with a bare LF, the
 * same Content-Length more than once, a tab before a framing field's value. Requests are never read by these rules.
 */
import { digitsOf, valueOf } from './field-lines.ts';
import { mayBeginResponse, type ReadResponse, readResponse } from './response-grammar.ts';

/** A head in the strict grammar, and where it ends in what was read. */
interface StrictHead {
  readonly text: string;
  readonly end: number;
}

/**
 * A response's head, its empty line included, bytes. Twice to four times what nginx, HAProxy and Apache take; HTTP/2 can carry
 * it to a client (nghttp2 sends 64 KiB).
 */
export const HEAD_BYTES = 32_768;
/** So much at most is made text of, for a body behind a head, bytes. */
const TEXT_BYTES = 16_384;
const HEAD_END = '\r\n\r\n';

const LINE = 'HTTP\\/1\\.[01] [1-9][0-9]{2}(?: [\\t -~\\x80-\\xff]*)?\\r?\\n';
const FIELD = "[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\\t -~\\x80-\\xff]*\\r?\\n";
const HEAD = new RegExp(`${LINE}(?:${FIELD})*\\r?\\n`, 'y');

/** A response's head as both lanes take it. `strict`: the head in the strict grammar, where it was read leniently; else "". */
export type TakenResponse = ReadResponse & { readonly strict?: string };

/**
 * Reads a head; one that is read leniently is the last that its connection serves.
 * @param text latin1, from its first byte
 * @param toHead it answers a HEAD
 * @returns why it cannot be sent on, or null while it is not whole
 */
export function takeResponse(text: string, toHead: boolean): TakenResponse | string | null {
  const response = readResponse(text, toHead);
  if (typeof response !== 'string') return response;
  const head = strictHead(text);
  if (head === null) return mayBeginResponse(text) ? null : response;
  const read = readResponse(head.text, toHead);
  return typeof read === 'string' ? read : { ...read, end: head.end, isKept: false, strict: head.text };
}

/** A whole head with all liberties taken out that have one reading; null when there is no whole head. */
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

/** RFC 9112 §6.3: a list of one length is that length. Anything else is left as it is. */
function sameLength(value: string): string {
  const [first = '', ...others] = value.split(',').map((item) => valueOf(item, -1, item.length));
  return digitsOf(first) >= 0 && others.every((other) => other === first) ? first : value;
}

/** How far bytes are to be made text of, to find a head in them: all, unless there is much behind it. */
export function headEnd(bytes: Buffer, at: number): number {
  if (bytes.length - at <= TEXT_BYTES) return bytes.length;
  const end = bytes.indexOf(HEAD_END, at, 'latin1');
  return Math.min(bytes.length, end < 0 ? at + HEAD_BYTES : end + HEAD_END.length);
}

/**
 * Parses a chunked body as it streams (RFC 9112 §7.1): finds its end, and passes its bytes on without decoding them.
 * What implementations interpret differently is removed: chunk extensions, and trailer fields about framing.
 */
import { trailerFields } from '../core/http/trailers.ts';
import { fieldLines, rawFields } from './field-lines.ts';

/**
 * Maximum size of one chunk's extensions, bytes: more is an attack. Not for the whole body: some protocols sign every
 * chunk. Node's parser has the same rule.
 */
const EXTENSION_BYTES = 16_384;
/** Maximum size of a trailer section, bytes. */
const TRAILER_BYTES = 16_384;
/** Maximum number of hexadecimal digits of a chunk's size: numbers up to 2^52 are exact. */
const SIZE_DIGITS = 13;
/** Maximum number of zeros before one size. RFC 9112 §7.1 has no limit; no sender needs as many. */
const ZEROS = 16_384;

/** Fields about framing in a trailer section are dropped: they can only be an attack on a recipient that uses them. */
const FRAMING = /^(?:content-length|transfer-encoding)$/i;
const LINE_END = /\r?\n/g;
const TRAILERS_END = /\n\r?\n/g;
const TRAILERS = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+\r\n$/;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const DELETE = 0x7f;

const CRLF = Buffer.from('\r\n');

type State =
  | 'size'
  | 'blank'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'end'
  | 'end-lf'
  | 'trailers'
  | 'done';

/**
 * Lenient parsing, for responses: lines without an extension may end with a bare LF, and white space may follow a
 * size (RFC 9112 §7.1.1 allows it before an extension only). Both have only one interpretation, and are sent on in
 * the strict form.
 */
export class Chunks {
  readonly #isLenient: boolean;
  #state: State = 'size';
  /** The current chunk's size so far, then its missing bytes. */
  #left = 0;
  /** Number of digits of the size, and of zeros before them. */
  #digits = 0;
  #zeros = 0;
  #extensions = 0;
  #trailers = '';
  /** Position in the current bytes: those before were passed on or dropped. */
  #from = 0;
  #pieces: Buffer[] | null = null;
  /** Decoded bytes so far. */
  payload = 0;
  /** The bytes that the last call passes on; null when there are none. */
  output: Buffer | null = null;
  /** The body was not in the strict grammar: the connection is not used again. */
  isDoubtful = false;

  constructor(isLenient = false) {
    this.#isLenient = isLenient;
  }

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /**
   * Parses more bytes. `output` has those to pass on.
   * @param at where the body begins or continues in `bytes`
   * @returns where it ends: before the end of `bytes` only when the body is done; -1 when it is malformed
   */
  read(bytes: Buffer, at: number): number {
    this.#from = at;
    this.#pieces = null;
    const end = this.#scan(bytes, at);
    if (end < 0) return end;
    const rest = end > this.#from ? bytes.subarray(this.#from, end) : null;
    if (this.#pieces === null) this.output = rest;
    else this.output = Buffer.concat(rest === null ? this.#pieces : [...this.#pieces, rest]);
    if (this.output?.length === 0) this.output = null;
    return end;
  }

  #scan(bytes: Buffer, start: number): number {
    const { length } = bytes;
    let at = start;
    while (at < length) {
      if (this.#state === 'data') {
        const taken = Math.min(this.#left, length - at);
        this.#left -= taken;
        this.payload += taken;
        at += taken;
        if (this.#left === 0) this.#state = 'data-cr';
        continue;
      }
      const code = bytes[at] ?? 0;
      switch (this.#state) {
        case 'size': {
          const digit = digitOf(code);
          if (digit >= 0) {
            if (!this.#addDigit(digit, bytes, at)) return -1;
          } else if (this.#digits + this.#zeros === 0) {
            return -1;
          } else if (code === CR) {
            this.#state = 'size-lf';
          } else if (code === SEMICOLON) {
            this.#keep(bytes, at);
            this.#extensions = 0;
            this.#state = 'extension';
          } else if (!this.#isLenient) {
            return -1;
          } else if (code === LF) {
            this.#mendLine(bytes, at);
            this.#endSize();
          } else if (code === SPACE || code === TAB) {
            this.#keep(bytes, at);
            this.#extensions = 0;
            this.#state = 'blank';
          } else {
            return -1;
          }
          break;
        }
        case 'blank':
          if (code === SPACE || code === TAB) {
            if (++this.#extensions > EXTENSION_BYTES) return -1;
          } else if (code === SEMICOLON) {
            this.#state = 'extension';
          } else if (code === CR) {
            this.isDoubtful = true;
            this.#from = at;
            this.#state = 'size-lf';
          } else if (code === LF) {
            this.#from = at;
            this.#mendLine(bytes, at);
            this.#endSize();
          } else {
            return -1;
          }
          break;
        case 'extension':
          if (code !== SEMICOLON && code !== EQUALS && code !== CR && ++this.#extensions > EXTENSION_BYTES) return -1;
          if (code === CR) {
            this.#from = at;
            this.#state = 'size-lf';
          } else if (code === DELETE || (code < SPACE && code !== TAB)) {
            return -1;
          }
          break;
        case 'size-lf':
          if (code !== LF) return -1;
          this.#endSize();
          break;
        case 'data-cr':
          if (code === LF && this.#isLenient) {
            this.#mendLine(bytes, at);
            this.#state = 'size';
            break;
          }
          if (code !== CR) return -1;
          this.#state = 'data-lf';
          break;
        case 'data-lf':
          if (code !== LF) return -1;
          this.#state = 'size';
          break;
        case 'end':
          if (code === CR) {
            this.#state = 'end-lf';
            break;
          }
          if (code === LF && this.#isLenient) {
            this.#mendLine(bytes, at);
            this.#state = 'done';
            return at + 1;
          }
          this.#keep(bytes, at);
          this.#trailers = '\r\n';
          this.#state = 'trailers';
          continue;
        case 'end-lf':
          if (code !== LF) return -1;
          this.#state = 'done';
          return at + 1;
        case 'trailers':
          return this.#readTrailers(bytes, at);
        case 'done':
          return at;
      }
      at++;
    }
    // The bytes dropped up to here must not be passed on at the end of the call.
    if (this.#state === 'extension' || this.#state === 'blank') this.#from = length;
    return length;
  }

  /** Adds a digit to the size. @returns false when there are too many */
  #addDigit(digit: number, bytes: Buffer, at: number): boolean {
    if (digit === 0 && this.#left === 0) {
      // Only one zero is passed on: some parsers limit the number of digits.
      if (++this.#zeros > 1) this.#cutOut(bytes, at);
      return this.#zeros <= ZEROS;
    }
    this.#left = this.#left * 16 + digit;
    return ++this.#digits <= SIZE_DIGITS - Math.min(this.#zeros, 1);
  }

  #endSize(): void {
    this.#digits = 0;
    this.#zeros = 0;
    this.#state = this.#left === 0 ? 'end' : 'data';
  }

  /** Replaces a bare LF by CRLF. */
  #mendLine(bytes: Buffer, at: number): void {
    this.isDoubtful = true;
    this.#cutOut(bytes, at);
    this.#pieces?.push(CRLF);
  }

  /** Passes on the bytes before and after this position, but not the byte here. */
  #cutOut(bytes: Buffer, at: number): void {
    this.#keep(bytes, at);
    this.#from = at + 1;
  }

  /** Collects the trailer section, which is passed on when complete. */
  #readTrailers(bytes: Buffer, at: number): number {
    const before = this.#trailers.length;
    this.#trailers += bytes.toString('latin1', at, at + TRAILER_BYTES);
    const end = this.#trailersEnd(Math.max(0, before - 3));
    this.#from = bytes.length;
    if (end < 0) return this.#trailers.length > TRAILER_BYTES ? -1 : bytes.length;
    const text = this.#trailers.slice(0, end);
    const strict = this.#isLenient ? text.replaceAll(LINE_END, '\r\n') : text;
    if (strict !== text) this.isDoubtful = true;
    if (!TRAILERS.test(strict.slice(2))) return -1;
    // rawFields() skips a first line, which trailer sections do not have.
    const fields = rawFields(strict);
    if (fields.some((name, i) => i % 2 === 0 && FRAMING.test(name))) return -1;
    const kept = trailerFields(fields).flat();
    this.#pieces ??= [];
    this.#pieces.push(Buffer.from(`${fieldLines(kept)}\r\n`, 'latin1'));
    this.#state = 'done';
    this.#from = at + end - before;
    return this.#from;
  }

  /** Returns where the trailer section ends; -1 while incomplete. @param from where its end may begin */
  #trailersEnd(from: number): number {
    if (!this.#isLenient) {
      const at = this.#trailers.indexOf('\r\n\r\n', from);
      return at < 0 ? -1 : at + 4;
    }
    TRAILERS_END.lastIndex = from;
    return TRAILERS_END.test(this.#trailers) ? TRAILERS_END.lastIndex : -1;
  }

  /** Passes on the bytes up to here. Later ones are not passed on, unless `#from` is set again. */
  #keep(bytes: Buffer, at: number): void {
    this.#pieces ??= [];
    if (at > this.#from) this.#pieces.push(bytes.subarray(this.#from, at));
    this.#from = bytes.length;
  }
}

function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

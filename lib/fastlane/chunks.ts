/**
 * Follows a chunked body as it streams (RFC 9112 §7.1): finds its end, and passes its bytes on without decoding them.
 * What not everybody reads alike stays here: chunk extensions, and trailer fields that come too late to be believed.
 */
import { trailerFields } from '../core/trailers.ts';
import { fieldLines, rawFields } from './field-lines.ts';

/**
 * Names and values of one chunk's extensions, bytes: past it somebody is up to something. Not of the whole body: there
 * are protocols that sign every chunk. Node's parser counts so, too.
 */
const EXTENSION_BYTES = 16_384;
/** A trailer section, bytes. */
const TRAILER_BYTES = 16_384;
/** Hexadecimal digits of a chunk's size: 2 to the 52nd is counted exactly. */
const SIZE_DIGITS = 13;

/** A body's framing cannot be told at its end: whoever says it there hopes for somebody who believes it. */
const FRAMING = /^(?:content-length|transfer-encoding)$/i;
const TRAILERS = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+\r\n$/;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const DELETE = 0x7f;

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'end' | 'end-lf' | 'trailers' | 'done';

export class Chunks {
  #state: State = 'size';
  /** Of the chunk that is being read: its size so far, then what is missing of it. */
  #left = 0;
  #digits = 0;
  #extensions = 0;
  #trailers = '';
  /** Of the bytes being read: those before were passed on or dropped. */
  #from = 0;
  #pieces: Buffer[] | null = null;
  /** Decoded bytes so far. */
  payload = 0;
  /** What the last call passes on; null when that is nothing. */
  output: Buffer | null = null;

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /**
   * Reads on. What is to be passed on is in `output`.
   * @param at where the body's bytes begin, or go on
   * @returns where they end: before the end of `bytes` only once the body is done; -1 when they are no chunks
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
            if (++this.#digits > SIZE_DIGITS) return -1;
            this.#left = this.#left * 16 + digit;
          } else if (this.#digits > 0 && code === CR) {
            this.#state = 'size-lf';
          } else if (this.#digits > 0 && code === SEMICOLON) {
            this.#keep(bytes, at);
            this.#extensions = 0;
            this.#state = 'extension';
          } else {
            return -1;
          }
          break;
        }
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
          this.#digits = 0;
          this.#state = this.#left === 0 ? 'end' : 'data';
          break;
        case 'data-cr':
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
    // What was dropped up to here must not be passed on at the end of the call.
    if (this.#state === 'extension') this.#from = length;
    return length;
  }

  /** Gathers the trailer section, which is passed on when it is whole. */
  #readTrailers(bytes: Buffer, at: number): number {
    const before = this.#trailers.length;
    this.#trailers += bytes.toString('latin1', at, at + TRAILER_BYTES);
    const end = this.#trailers.indexOf('\r\n\r\n', Math.max(0, before - 3)) + 4;
    this.#from = bytes.length;
    if (end < 4) return this.#trailers.length > TRAILER_BYTES ? -1 : bytes.length;
    const lines = this.#trailers.slice(2, end);
    if (!TRAILERS.test(lines)) return -1;
    // A first line stands in the place of the one that heads have and trailer sections do not.
    const fields = rawFields(this.#trailers.slice(0, end));
    if (fields.some((name, i) => i % 2 === 0 && FRAMING.test(name))) return -1;
    const kept = trailerFields(fields).flat();
    this.#pieces ??= [];
    this.#pieces.push(Buffer.from(`${fieldLines(kept)}\r\n`, 'latin1'));
    this.#state = 'done';
    this.#from = at + end - before;
    return this.#from;
  }

  /** Passes on what was read up to here; what comes next is not, unless `#from` is set again. */
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

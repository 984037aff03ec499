import { CODE, ConnectionError, FLAG, read31 } from './frames/frames.ts';
import { FloodError } from './frames/floods.ts';
import { HpackDecoder } from './hpack/decoder.ts';

/** The table that clients may use for their fields, bytes: the initial size (RFC 9113 §6.5.2). */
const TABLE_BYTES = 4_096;
/** The maximum number of CONTINUATION frames of one section. */
const MAX_CONTINUATIONS = 16;
/** The maximum size of a block, or four times that of the section if that is more, bytes. */
const MAX_BLOCK_BYTES = 65_536;

/** A field section that a client sent. */
export interface ReceivedSection {
  readonly id: number;
  readonly isEnd: boolean;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** The section is larger than allowed: the last fields are missing. */
  readonly isTooLarge: boolean;
  /** It names itself as the stream that it depends on (RFC 9113 §5.3.2). */
  readonly isSelfDependent: boolean;
}

/** Joins HEADERS and CONTINUATION frames, and decodes them (RFC 9113 §4.3). */
export class HeaderBlocks {
  readonly #decoder = new HpackDecoder(TABLE_BYTES);
  readonly #maxListBytes: number;
  /** The parts of a block whose end is awaited; null when none is. */
  #parts: Buffer[] | null = null;
  #bytes = 0;
  #id = 0;
  #isEnd = false;
  #isSelfDependent = false;

  /** @param maxListBytes the maximum size of a section, as RFC 9113 §6.5.2 counts */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** A block has begun: only its CONTINUATION may follow. */
  get isOpen(): boolean {
    return this.#parts !== null;
  }

  /** Reads a HEADERS frame. @returns null while CONTINUATION must follow. Throws a ConnectionError */
  begin(flags: number, id: number, bytes: Buffer, begin: number, end: number): ReceivedSection | null {
    let from = begin;
    let to = end;
    if ((flags & FLAG.padded) !== 0) to -= bytes[from++] ?? 0;
    this.#isSelfDependent = false;
    if ((flags & FLAG.priority) !== 0) {
      this.#isSelfDependent = read31(bytes, from) === id;
      from += 5;
    }
    if (from > end) throw new ConnectionError(CODE.frameSize, 'HEADERS that is too short for its flags');
    if (to < from) throw new ConnectionError(CODE.protocol, 'HEADERS with more padding than its length');
    this.#id = id;
    this.#isEnd = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) return this.#decode(bytes, from, to);
    this.#parts = [Buffer.from(bytes.subarray(from, to))];
    this.#bytes = to - from;
    return null;
  }

  /** Reads a CONTINUATION frame. @returns as `begin` */
  proceed(flags: number, id: number, bytes: Buffer, begin: number, end: number): ReceivedSection | null {
    const parts = this.#parts;
    if (parts === null || id !== this.#id) throw new ConnectionError(CODE.protocol, 'CONTINUATION without HEADERS');
    parts.push(Buffer.from(bytes.subarray(begin, end)));
    this.#bytes += end - begin;
    // The sections that are allowed are never longer when they are encoded sensibly; one that is too large by some is
    // decoded, to be refused with a status.
    if (parts.length > MAX_CONTINUATIONS + 1 || this.#bytes > Math.max(4 * this.#maxListBytes, MAX_BLOCK_BYTES)) {
      throw new FloodError('continuation');
    }
    if ((flags & FLAG.endHeaders) === 0) return null;
    this.#parts = null;
    const block = Buffer.concat(parts);
    return this.#decode(block, 0, block.length);
  }

  /** The client has acknowledged the settings. */
  acknowledged(): void {
    this.#decoder.settingsAcknowledged();
  }

  #decode(bytes: Buffer, begin: number, end: number): ReceivedSection {
    const list = this.#decoder.decode(bytes, begin, end, this.#maxListBytes);
    if (list === null) throw new ConnectionError(CODE.compression, `HPACK: ${this.#decoder.fault}`);
    const { fields, isTooLarge } = list;
    return { id: this.#id, isEnd: this.#isEnd, fields, isTooLarge, isSelfDependent: this.#isSelfDependent };
  }
}

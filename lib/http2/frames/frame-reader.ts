import { CODE, ConnectionError, FLAG, FRAME, HEAD_BYTES, MAX_PAYLOAD, read31 } from './frames.ts';

/** Receives the frames of a connection. Bytes are valid during the call only. It may throw a ConnectionError. */
export interface FrameSink {
  /** A DATA frame begins. @param length of its payload with padding, which counts for the windows */
  onDataHead(flags: number, id: number, length: number): void;
  /** A part of its content. */
  onData(bytes: Buffer, begin: number, end: number): void;
  /** All of it was read. @param padding how many bytes of the payload were no content */
  onDataEnd(padding: number): void;
  /** A whole frame of another type. @param begin where its payload begins in `bytes`. @param end where it ends */
  onFrame(type: number, flags: number, id: number, bytes: Buffer, begin: number, end: number): void;
}

/** The first bytes of every HTTP/2 connection (RFC 9113 §3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/**
 * Cuts a client's bytes into frames, however they arrive. Content of DATA frames passes through at once; a frame of
 * another type is kept until it is whole, which is at most 16 KiB.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** How much of the preface was read. */
  #prefaceBytes = 0;
  /** The beginning of a frame that is not whole yet. */
  #held: Buffer | null = null;
  #heldBytes = 0;
  /** Of a DATA frame: whether its first byte, the length of the padding, is awaited. */
  #awaitsPadLength = false;
  /** Of a DATA frame: bytes of content, then of padding, to come. */
  #content = 0;
  #padding = 0;
  /** Of a DATA frame: bytes that are no content, its pad length included. */
  #overhead = 0;
  #isInData = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Reads the next bytes. Throws a ConnectionError, after which nothing more may be read. */
  read(bytes: Buffer): void {
    let at = this.#prefaceBytes === PREFACE.length ? 0 : this.#readPreface(bytes);
    while (at < bytes.length) {
      if (this.#isInData) at = this.#readData(bytes, at);
      else if (this.#held !== null) at = this.#fill(this.#held, bytes, at);
      else at = this.#readFrame(bytes, at);
    }
  }

  #readPreface(bytes: Buffer): number {
    const length = Math.min(bytes.length, PREFACE.length - this.#prefaceBytes);
    if (bytes.compare(PREFACE, this.#prefaceBytes, this.#prefaceBytes + length, 0, length) !== 0) {
      throw new ConnectionError(CODE.protocol, 'the connection does not begin as HTTP/2 does');
    }
    this.#prefaceBytes += length;
    return length;
  }

  /** Reads a frame of which nothing was read. @returns where the next one begins */
  #readFrame(bytes: Buffer, at: number): number {
    if (bytes.length - at < HEAD_BYTES) return this.#hold(bytes, at, HEAD_BYTES);
    const length = lengthAt(bytes, at);
    const end = at + HEAD_BYTES + length;
    if (bytes[at + 3] === FRAME.data) {
      this.#beginData(bytes, at, length);
      return at + HEAD_BYTES;
    }
    if (end > bytes.length) return this.#hold(bytes, at, HEAD_BYTES + length);
    this.#emit(bytes, at, end);
    return end;
  }

  /** Keeps the rest of the bytes: the beginning of something of `size` bytes. */
  #hold(bytes: Buffer, at: number, size: number): number {
    this.#held = Buffer.allocUnsafe(size);
    this.#heldBytes = bytes.copy(this.#held, 0, at);
    return bytes.length;
  }

  /** Adds to what is held. @returns where the bytes behind it begin */
  #fill(held: Buffer, bytes: Buffer, at: number): number {
    const copied = bytes.copy(held, this.#heldBytes, at);
    this.#heldBytes += copied;
    if (this.#heldBytes < held.length) return at + copied;
    if (held.length > HEAD_BYTES || lengthAt(held, 0) === 0 || held[3] === FRAME.data) {
      this.#held = null;
      if (held[3] === FRAME.data) this.#beginData(held, 0, lengthAt(held, 0));
      else this.#emit(held, 0, held.length);
    } else {
      // The head is whole: now the size of the frame is known.
      this.#hold(held, 0, HEAD_BYTES + lengthAt(held, 0));
    }
    return at + copied;
  }

  #emit(bytes: Buffer, at: number, end: number): void {
    const id = read31(bytes, at + 5);
    this.#sink.onFrame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, id, bytes, at + HEAD_BYTES, end);
  }

  #beginData(bytes: Buffer, at: number, length: number): void {
    const flags = bytes[at + 4] ?? 0;
    const isPadded = (flags & FLAG.padded) !== 0;
    this.#sink.onDataHead(flags, read31(bytes, at + 5), length);
    if (isPadded && length === 0) throw new ConnectionError(CODE.frameSize, 'DATA with padding and no length of it');
    this.#isInData = true;
    this.#awaitsPadLength = isPadded;
    this.#content = length;
    this.#padding = 0;
    this.#overhead = 0;
    if (length === 0) this.#endData();
  }

  #readData(bytes: Buffer, begin: number): number {
    let at = begin;
    if (this.#awaitsPadLength) {
      this.#awaitsPadLength = false;
      this.#padding = bytes[at++] ?? 0;
      this.#overhead = this.#padding + 1;
      this.#content -= this.#overhead;
      if (this.#content < 0) throw new ConnectionError(CODE.protocol, 'DATA with more padding than its length');
    }
    const content = Math.min(this.#content, bytes.length - at);
    if (content > 0) {
      this.#content -= content;
      this.#sink.onData(bytes, at, at + content);
      at += content;
    }
    if (this.#content > 0) return at;
    const padding = Math.min(this.#padding, bytes.length - at);
    this.#padding -= padding;
    if (this.#padding === 0) this.#endData();
    return at + padding;
  }

  #endData(): void {
    this.#isInData = false;
    this.#sink.onDataEnd(this.#overhead);
  }
}

/** The length of a frame's payload. */
function lengthAt(bytes: Buffer, at: number): number {
  const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (length > MAX_PAYLOAD) throw new ConnectionError(CODE.frameSize, `a frame of ${length} bytes`);
  return length;
}

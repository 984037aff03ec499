/** Part of a byte array that is too large for one message. Plain data: it is sent between processes. */
export interface Piece {
  /** The size of the whole, bytes. */
  readonly of: number;
  /** The offset of this part. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A message of this size is written, read and copied within a fraction of a millisecond. */
const PIECE_BYTES = 256 * 1024;

/** The piece at offset `at`. */
export function pieceAt(whole: Uint8Array, at: number): Piece {
  return { of: whole.length, at, bytes: whole.subarray(at, at + PIECE_BYTES) };
}

/** Joins pieces that arrive in order. */
export class Joiner {
  #whole = new Uint8Array(0);

  /** Adds a piece; the piece at offset 0 starts again. @returns the whole with its last piece, else null */
  add({ of, at, bytes }: Piece): Uint8Array | null {
    if (at === 0) this.#whole = new Uint8Array(of);
    this.#whole.set(bytes, at);
    if (at + bytes.length < of) return null;
    const whole = this.#whole;
    this.#whole = new Uint8Array(0);
    return whole;
  }
}

/** A part of some bytes that are too many for one message. Plain data: it travels between processes. */
export interface Piece {
  /** How many bytes there are in all. */
  readonly of: number;
  /** Where these belong. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A message of this many bytes is written, read and copied within a fraction of a millisecond. */
const PIECE_BYTES = 256 * 1024;

/** The piece that begins at `at`. */
export function pieceAt(whole: Uint8Array, at: number): Piece {
  return { of: whole.length, at, bytes: whole.subarray(at, at + PIECE_BYTES) };
}

/** Joins pieces that come in order. */
export class Joiner {
  #whole = new Uint8Array(0);

  /**
   * Adds a piece; the first of a whole begins anew.
   * @returns the whole with its last piece, else null
   */
  add({ of, at, bytes }: Piece): Uint8Array | null {
    if (at === 0) this.#whole = new Uint8Array(of);
    this.#whole.set(bytes, at);
    if (at + bytes.length < of) return null;
    const whole = this.#whole;
    this.#whole = new Uint8Array(0);
    return whole;
  }
}

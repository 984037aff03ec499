/** Pieces shorter than this are joined, bytes. */
const SMALL_BYTES = 1_024;
/** The size of the memory in which they are joined, bytes. */
const JOINED_BYTES = 4_096;

/**
 * The part of a request's body that can be sent again. A Buffer takes some hundred bytes of memory however little it
 * holds, and keeps all that was read with it: a client must not choose to send a body in pieces of one byte.
 */
export class KeptBody {
  readonly #parts: Buffer[] = [];
  /** The memory of the last part, if small pieces are joined in it; null otherwise. */
  #joined: Buffer | null = null;
  #length = 0;

  add(piece: Buffer): void {
    const last = this.#parts.length - 1;
    const small = this.#parts[last];
    if (piece.length >= SMALL_BYTES || small === undefined) return this.#push(piece);
    if (this.#joined === null) {
      if (small.length >= SMALL_BYTES) return this.#push(piece);
      this.#parts.pop();
      this.#begin();
      this.#join(small);
    } else if (this.#length + piece.length > JOINED_BYTES) {
      this.#end();
      this.#begin();
    }
    this.#join(piece);
  }

  /** All pieces, in order. */
  parts(): readonly Buffer[] {
    this.#end();
    return this.#parts;
  }

  #push(piece: Buffer): void {
    this.#end();
    this.#parts.push(piece);
  }

  #begin(): void {
    this.#joined = Buffer.allocUnsafeSlow(JOINED_BYTES);
    this.#length = 0;
    this.#parts.push(this.#joined);
  }

  #join(piece: Buffer): void {
    this.#length += piece.copy(this.#joined ?? piece, this.#length);
  }

  /** What is joined so far becomes a part. */
  #end(): void {
    if (this.#joined === null) return;
    this.#parts[this.#parts.length - 1] = this.#joined.subarray(0, this.#length);
    this.#joined = null;
  }
}

/** Pieces shorter than this are joined, bytes. */
const SMALL_BYTES = 1_024;
/** So many small pieces of a body are passed on as they are: most bodies have fewer. */
const FREE = 8;
/** The most that is joined, bytes. */
const JOINED_BYTES = 16_384;

/**
 * Joins small pieces of a body that come together. A backend can send 10,000 chunks in one read, and each write takes
 * some hundred bytes of memory, however little it writes.
 */
export class SmallPieces {
  readonly #pass: (bytes: Buffer) => void;
  #free = FREE;
  /** The first piece that is held. */
  #first: Buffer | null = null;
  /** Memory with all that are held, once there are two. */
  #joined: Buffer | null = null;
  #length = 0;

  /** @param pass takes pieces, joined or not, in order */
  constructor(pass: (bytes: Buffer) => void) {
    this.#pass = pass;
  }

  /** Passes a piece on now, or with those that follow it in this turn of the event loop. */
  add(piece: Buffer): void {
    if (piece.length >= SMALL_BYTES || this.#free > 0) {
      if (piece.length < SMALL_BYTES) this.#free--;
      this.flush();
      return this.#pass(piece);
    }
    if (this.#length + piece.length > JOINED_BYTES) this.flush();
    if (this.#first === null) {
      this.#first = piece;
      this.#length = piece.length;
      process.nextTick(this.flush);
      return;
    }
    if (this.#joined === null) {
      this.#joined = Buffer.allocUnsafeSlow(JOINED_BYTES);
      this.#first.copy(this.#joined);
    }
    this.#length += piece.copy(this.#joined, this.#length);
  }

  /** Passes on what is held. */
  readonly flush = (): void => {
    if (this.#first === null) return;
    const bytes = this.#joined?.subarray(0, this.#length) ?? this.#first;
    this.clear();
    // A few bytes must not keep all the memory.
    this.#pass(bytes.length < SMALL_BYTES ? Buffer.from(bytes) : bytes);
  };

  /** Drops what is held. */
  clear(): void {
    this.#first = null;
    this.#joined = null;
    this.#length = 0;
  }
}

const LF = 0x0a;

/** Takes the data out of a chunked body in the strict form: what `Body.output` has of one. */
export class ChunkData {
  /** The missing bytes of the current chunk. */
  #left = 0;
  #line = '';
  #isOver = false;

  /** @returns the data in these bytes, in pieces */
  read(bytes: Buffer): readonly Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length && !this.#isOver;) {
      if (this.#left > 0) {
        const piece = bytes.subarray(at, at + this.#left);
        this.#left -= piece.length;
        at += piece.length;
        pieces.push(piece);
        continue;
      }
      const end = bytes.indexOf(LF, at);
      this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end);
      if (end < 0) break;
      at = end + 1;
      this.#endLine();
    }
    return pieces;
  }

  /** A size, or the empty line after a chunk's data. Trailers come after the chunk of size 0. */
  #endLine(): void {
    const line = this.#line.trim();
    this.#line = '';
    if (line === '') return;
    this.#left = Number.parseInt(line, 16);
    this.#isOver = this.#left === 0;
  }
}

import { Chunks } from './chunks.ts';

/** Follows a body to its end, whatever it is framed by. */
export class Body {
  #kind: 'none' | 'length' | 'chunked' | 'close' = 'none';
  #left = 0;
  #chunks: Chunks | null = null;
  #payload = 0;
  /** What the last `read` passes on; null when that is nothing. */
  output: Buffer | null = null;

  /** Begins a new one. @param length of a body framed by it, bytes */
  start(kind: 'none' | 'length' | 'chunked' | 'close', length: number): void {
    this.#kind = kind;
    this.#left = length;
    this.#payload = 0;
    this.#chunks = kind === 'chunked' ? new Chunks() : null;
    this.output = null;
  }

  get isDone(): boolean {
    if (this.#chunks !== null) return this.#chunks.isDone;
    return this.#left === 0 && this.#kind !== 'close';
  }

  /** Its bytes so far, chunk framing left out. */
  get payload(): number {
    return this.#chunks === null ? this.#payload : this.#chunks.payload;
  }

  /**
   * Reads on. What is to be passed on is in `output`.
   * @param at where its bytes begin in `bytes`, or go on
   * @returns where they end; -1 when they are not what the framing says
   */
  read(bytes: Buffer, at: number): number {
    if (this.#chunks !== null) {
      const end = this.#chunks.read(bytes, at);
      this.output = this.#chunks.output;
      return end;
    }
    const available = bytes.length - at;
    const taken = this.#kind === 'close' ? available : Math.min(this.#left, available);
    if (this.#kind === 'length') this.#left -= taken;
    this.#payload += taken;
    this.output = taken === 0 ? null : taken === bytes.length ? bytes : bytes.subarray(at, at + taken);
    return at + taken;
  }
}

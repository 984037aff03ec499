import { Chunks } from './chunks.ts';

/** Finds the end of a body, for every kind of framing. */
export class Body {
  #kind: 'none' | 'length' | 'chunked' | 'close' = 'none';
  #left = 0;
  #chunks: Chunks | null = null;
  #payload = 0;
  /** The bytes of the last `read`, unless chunked. */
  #bytes: Buffer | null = null;
  #from = 0;
  #to = 0;

  /** Starts a new body. @param length bytes, with kind `length`. @param isLenient parse chunks leniently: see Chunks */
  start(kind: 'none' | 'length' | 'chunked' | 'close', length: number, isLenient = false): void {
    this.#kind = kind;
    this.#left = length;
    this.#payload = 0;
    this.#chunks = kind === 'chunked' ? new Chunks(isLenient) : null;
    this.#bytes = null;
  }

  get isDone(): boolean {
    if (this.#chunks !== null) return this.#chunks.isDone;
    return this.#left === 0 && this.#kind !== 'close';
  }

  /** The framing was not in the strict grammar. */
  get isDoubtful(): boolean {
    return this.#chunks?.isDoubtful === true;
  }

  /** Bytes of the body so far, without chunk framing. */
  get payload(): number {
    return this.#chunks === null ? this.#payload : this.#chunks.payload;
  }

  /** The bytes that the last `read` passes on; null when there are none. */
  get output(): Buffer | null {
    if (this.#chunks !== null) return this.#chunks.output;
    const bytes = this.#bytes;
    if (bytes === null || this.#from === this.#to) return null;
    return this.#to - this.#from === bytes.length ? bytes : bytes.subarray(this.#from, this.#to);
  }

  /** The same as text. @param text the argument of the last `read`, as latin1 */
  outputOf(text: string): string {
    if (this.#chunks !== null) return this.#chunks.output?.toString('latin1') ?? '';
    return text.slice(this.#from, this.#to);
  }

  /**
   * Parses more bytes. `output` has those to pass on.
   * @param at where the body begins or continues in `bytes`
   * @returns where it ends; -1 when it is malformed
   */
  read(bytes: Buffer, at: number): number {
    if (this.#chunks !== null) return this.#chunks.read(bytes, at);
    const available = bytes.length - at;
    const taken = this.#kind === 'close' ? available : Math.min(this.#left, available);
    if (this.#kind === 'length') this.#left -= taken;
    this.#payload += taken;
    this.#bytes = bytes;
    this.#from = at;
    this.#to = at + taken;
    return at + taken;
  }
}

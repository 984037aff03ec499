import { Chunks } from './chunks.ts';

/** Follows a body to its end, whatever it is framed by. */
export class Body {
  #kind: 'none' | 'length' | 'chunked' | 'close' = 'none';
  #left = 0;
  #chunks: Chunks | null = null;
  #payload = 0;
  /** What the last `read` passes on of what it read, unless they are chunks. */
  #bytes: Buffer | null = null;
  #from = 0;
  #to = 0;

  /** Begins a new one. @param length of a body framed by it, bytes. @param isLenient its chunks may be: see there */
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

  /** It was framed in a way that the grammar does not have. */
  get isDoubtful(): boolean {
    return this.#chunks?.isDoubtful === true;
  }

  /** Its bytes so far, chunk framing left out. */
  get payload(): number {
    return this.#chunks === null ? this.#payload : this.#chunks.payload;
  }

  /** What the last `read` passes on; null when that is nothing. */
  get output(): Buffer | null {
    if (this.#chunks !== null) return this.#chunks.output;
    const bytes = this.#bytes;
    if (bytes === null || this.#from === this.#to) return null;
    return this.#to - this.#from === bytes.length ? bytes : bytes.subarray(this.#from, this.#to);
  }

  /** The same, cut out of `text`: what the last `read` was given, as latin1. */
  outputOf(text: string): string {
    if (this.#chunks !== null) return this.#chunks.output?.toString('latin1') ?? '';
    return text.slice(this.#from, this.#to);
  }

  /**
   * Reads on. What is to be passed on is in `output`.
   * @param at where its bytes begin in `bytes`, or go on
   * @returns where they end; -1 when they are not what the framing says
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

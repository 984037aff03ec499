/** How much of a body is searched, bytes. */
export const MAX_BODY_BYTES = 65_536;

/** Looks for a text in the pieces of a body. */
export class BodySearch {
  readonly #wanted: Buffer;
  #held: Buffer = Buffer.alloc(0);
  #read = 0;
  #isFound: boolean;

  /** @param wanted "" is in each body */
  constructor(wanted: string) {
    this.#wanted = Buffer.from(wanted);
    this.#isFound = wanted === '';
  }

  get isFound(): boolean {
    return this.#isFound;
  }

  /** Whether more of the body makes no difference. */
  get isDone(): boolean {
    return this.#isFound || this.#read >= MAX_BODY_BYTES;
  }

  add(whole: Buffer): void {
    if (this.isDone) return;
    const piece = whole.subarray(0, MAX_BODY_BYTES - this.#read);
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    this.#read += piece.length;
    this.#isFound = bytes.includes(this.#wanted);
    // The text may go on in the next piece.
    this.#held = Buffer.from(bytes.subarray(Math.max(0, bytes.length - this.#wanted.length + 1)));
  }
}

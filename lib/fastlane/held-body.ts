import { REPLAY_BYTES } from '../core/limits/client-limits.ts';
import { kept } from '../http1/read-buffer.ts';

/** Latin1 where it is small: made once, for sending it and for keeping it. */
export type HeldPart = string | Buffer;
/** The size of a part up to which it is small, bytes: the head before it is text, too. */
const TEXT_BYTES = 15_360;

/** A request's body, as far as it could be sent once more. */
export class HeldBody {
  #parts: HeldPart[] = [];
  #bytes = 0;
  #isLost = false;

  /** Forgets all: for a next request. */
  clear(): void {
    if (this.#parts.length > 0) this.#parts = [];
    this.#bytes = 0;
    this.#isLost = false;
  }

  /** @param isSent it goes to a backend at once: then there is a bound. Before, it is all that there is */
  add(bytes: Buffer, isSent: boolean): void {
    this.#bytes += bytes.length;
    if (this.#isLost) return;
    if (isSent && this.#bytes > REPLAY_BYTES) {
      this.#isLost = true;
      this.#parts = [];
    } else {
      this.#parts.push(bytes.length <= TEXT_BYTES ? bytes.toString('latin1') : kept(bytes));
    }
  }

  /** There is a good deal of it: whoever sends it is not slow. */
  get isMuch(): boolean {
    return this.#bytes >= REPLAY_BYTES;
  }

  /** It was too much to keep. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get parts(): readonly HeldPart[] {
    return this.#parts;
  }
}

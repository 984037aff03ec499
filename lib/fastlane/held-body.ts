import { REPLAY_BYTES } from '../core/limits/client-limits.ts';
import { kept } from '../http1/read-buffer.ts';

/** A small part is a latin1 string: made once, both to send it and to keep it. */
export type HeldPart = string | Buffer;
/** Maximum size of a small part, bytes. Leaves space for the head, which is sent in the same string. */
const TEXT_BYTES = 15_360;

/** The part of a request's body that can be sent again. */
export class HeldBody {
  #parts: HeldPart[] = [];
  #bytes = 0;
  #isLost = false;

  /** Empties it for the next request. */
  clear(): void {
    if (this.#parts.length > 0) this.#parts = [];
    this.#bytes = 0;
    this.#isLost = false;
  }

  /** @param isSent it is also sent to a backend now, so it may be dropped past REPLAY_BYTES */
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

  /** Enough has come to assume that the client is not slow. */
  get isMuch(): boolean {
    return this.#bytes >= REPLAY_BYTES;
  }

  /** It was too large to keep. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get parts(): readonly HeldPart[] {
    return this.#parts;
  }
}

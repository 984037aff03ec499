/** Flow control (RFC 9113 §5.2, §6.9): one window for each stream and one for the connection, in each direction. */

import { MAX_31_BITS } from './frames.ts';

/** The window of a stream before any SETTINGS, and of a connection, bytes. */
export const INITIAL_WINDOW = 65_535;

/** How many bytes of DATA the client allows to be sent. */
export class SendWindow {
  /** Negative after the client has lowered its initial window (§6.9.2). */
  available: number;

  constructor(available: number) {
    this.available = available;
  }

  /** Grows, or shrinks by a change of the initial window. @returns false when it would be larger than allowed */
  grow(by: number): boolean {
    this.available += by;
    return this.available <= MAX_31_BITS;
  }
}

/** How many bytes of DATA the client may send. */
export class ReceiveWindow {
  readonly #size: number;
  #available: number;
  /** Bytes that were taken, for which no WINDOW_UPDATE was sent. */
  #taken = 0;

  constructor(size: number) {
    this.#size = size;
    this.#available = size;
  }

  /** Counts bytes that arrived. @returns false when they are more than the client may send */
  receive(length: number): boolean {
    this.#available -= length;
    return this.#available >= 0;
  }

  /**
   * Gives bytes back, which were read.
   * @returns by how much to open the client's window now; 0 while less than half of the window was taken
   */
  take(length: number): number {
    this.#taken += length;
    if (this.#taken * 2 < this.#size) return 0;
    const opened = this.#taken;
    this.#taken = 0;
    this.#available += opened;
    return opened;
  }
}

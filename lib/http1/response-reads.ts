import type { OnReadOpts } from 'node:net';
import { type LentMemory, mayRest, takeMemory } from './lent-memory.ts';
import { SHARED } from './read-buffer.ts';

/** A read of more bytes than this is part of a large response. */
const LARGE_BYTES = 16_384;

/** The connection that is read. */
export interface Reader {
  /** It is not read for now: the client is slow. */
  readonly isPaused: boolean;
  /** @param bytes valid during the call only */
  onBytes(bytes: Buffer): void;
}

/**
 * Reads the responses of one connection: small ones into the shared buffer, large ones into lent memory. A large
 * response begins in the shared buffer, unless the one before it was large, too.
 */
export class ResponseReads {
  readonly #reader: Reader;
  #memory: LentMemory | null = null;
  #isLarge = false;
  #hasEnded = false;
  /** For `net.connect`. Node asks for the buffer of the next read when the call for the last one has returned. */
  readonly options: OnReadOpts;

  constructor(reader: Reader) {
    this.#reader = reader;
    this.options = { buffer: () => this.#next(), callback: (length, buffer) => this.#read(length, buffer as Buffer) };
  }

  /** A response is complete. @param bodyBytes of it */
  rest(bodyBytes: number): void {
    this.#isLarge = bodyBytes > LARGE_BYTES && mayRest();
  }

  /** The socket is closed: nothing more is read. Idempotent. */
  end(): void {
    this.#hasEnded = true;
    this.#memory?.leave();
    this.#memory = null;
  }

  #read(length: number, buffer: Buffer): boolean {
    if (length > LARGE_BYTES) this.#isLarge = true;
    this.#reader.onBytes(buffer.subarray(0, length));
    return true;
  }

  #next(): Buffer {
    const isLarge = this.#isLarge && !this.#hasEnded && !this.#reader.isPaused;
    const memory = this.#memory;
    if (memory !== null) {
      if (isLarge && !memory.isHeld) return memory.room;
      memory.leave();
    }
    this.#memory = isLarge ? takeMemory() : null;
    return this.#memory?.room ?? SHARED;
  }
}

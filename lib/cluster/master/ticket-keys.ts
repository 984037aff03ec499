import { randomBytes } from 'node:crypto';

/** Node's ticket keys: a name, an HMAC key and an AES key of 16 bytes each. */
const BYTES = 48;
/**
 * Who obtains a key can read the sessions that were resumed with it. A client with an older ticket makes a full
 * handshake.
 */
export const ROTATION_MS = 8 * 3_600_000;

/**
 * The keys of TLS session tickets, the same in all workers: a session of one worker can be resumed in another (RFC
 * 5077, RFC 8446 §2.2). They are made here, are never written to disk, and end with the program.
 */
export class TicketKeys {
  #current: Uint8Array = randomBytes(BYTES);
  readonly #timer: NodeJS.Timeout;

  /** @param onChange called with new keys every `rotationMs` */
  constructor(rotationMs: number, onChange: (keys: Uint8Array) => void) {
    this.#timer = setInterval(() => {
      this.#current = randomBytes(BYTES);
      onChange(this.#current);
    }, rotationMs).unref();
  }

  /** The keys for new workers. */
  get current(): Uint8Array {
    return this.#current;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

import { randomBytes } from 'node:crypto';

/** Node's ticket keys: a name, an HMAC key and an AES key of 16 bytes each. */
const BYTES = 48;
/** Whoever learns a key can read what was resumed with it; a client whose ticket is older makes a full handshake. */
export const ROTATION_MS = 8 * 3_600_000;

/**
 * What the session tickets of TLS are sealed with, in all workers: a session that began in one is resumed in another
 * (RFC 5077, RFC 8446 §2.2). They are made here, are never written anywhere, and end with the program.
 */
export class TicketKeys {
  #current: Uint8Array = randomBytes(BYTES);
  readonly #timer: NodeJS.Timeout;

  /** @param onChange told the new ones every `rotationMs` */
  constructor(rotationMs: number, onChange: (keys: Uint8Array) => void) {
    this.#timer = setInterval(() => {
      this.#current = randomBytes(BYTES);
      onChange(this.#current);
    }, rotationMs).unref();
  }

  /** What new workers begin with. */
  get current(): Uint8Array {
    return this.#current;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

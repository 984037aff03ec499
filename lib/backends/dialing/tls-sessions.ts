/** Servers whose session is remembered. */
const MAX_SERVERS = 1_000;

/** TLS sessions, so that a further connection to a server is spared the long handshake (RFC 8446 §2.2). */
export class TlsSessions {
  readonly #sessions = new Map<string, Buffer>();

  of(server: string): Buffer | undefined {
    return this.#sessions.get(server);
  }

  keep(server: string, session: Buffer): void {
    this.#sessions.delete(server);
    this.#sessions.set(server, session);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MAX_SERVERS) break;
      this.#sessions.delete(oldest);
    }
  }

  /** One that may be why a handshake has failed is not tried again. */
  forget(server: string): void {
    this.#sessions.delete(server);
  }
}

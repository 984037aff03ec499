/** Maximum number of cached sessions. */
const MAX_SERVERS = 1_000;

/** Caches TLS sessions, so that further connections to a server resume them (RFC 8446 §2.2). */
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

  /** Drops a session that may be the cause of a failed handshake. */
  forget(server: string): void {
    this.#sessions.delete(server);
  }
}

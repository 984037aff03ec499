/** Reports whether a client's connection is busy, so that only idle connections are closed at the connection limit. */
export interface Activity {
  /** An exchange has begun. Idempotent. */
  busy(): void;
  /** No exchange is under way, and all of the last response was written. Idempotent. */
  idle(): void;
  /** Closes an idle connection at the connection limit; null destroys the socket. */
  close: (() => void) | null;
}

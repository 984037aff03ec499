/** How whatever serves a client's connection reports what it is doing, so that only idle connections are closed for want of room. */
export interface Activity {
  /** An exchange has begun. Idempotent. */
  busy(): void;
  /** No exchange is under way, and all of the last response was written. Idempotent. */
  idle(): void;
  /** How an idle connection is closed to make room; null destroys its socket. */
  close: (() => void) | null;
}

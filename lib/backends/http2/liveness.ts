/** After so long without a byte from the backend it gets a PING, ms. */
const PING_MS = 5_000;
/** After so long, new requests use another connection, ms. */
const AVOID_MS = 10_000;
/** After so long the connection is closed, with all its streams, ms: it is longer than a busy event loop is blocked. */
const DEAD_MS = 30_000;

/** How often `look` is to be called while requests are under way, ms. */
export const LOOK_MS = 2_500;

/** What is to be done with a connection. `rest`: no sign of life is awaited. */
export type Liveness = 'rest' | 'await' | 'ping' | 'avoid' | 'close';

/**
 * Tells whether a backend's HTTP/2 connection is alive. All requests share it, so one that is dead without a sign (the
 * backend's machine is gone, or Node has lost a write: nodejs/node#55804) would fail all of them, each after its own
 * time limit. A backend that is only slow responds to a PING (RFC 9113 §6.7). At most one is sent for each request,
 * and none while requests only wait: some servers close connections with many (gRPC's `too_many_pings`).
 */
export class LivenessWatch {
  /** When the first request began that no byte has come after; null without one. */
  #since: number | null = null;
  /** What had been received then. */
  #received = 0;
  #hasPinged = false;

  /** No byte has come since a request began. */
  get isAwaiting(): boolean {
    return this.#since !== null;
  }

  /** A request begins, while nothing is awaited. @param received bytes so far. @param now ms; only differences count */
  begin(received: number, now: number): void {
    this.#since = now;
    this.#received = received;
    this.#hasPinged = false;
  }

  /** Whether a byte has come since, or nothing is awaited. @param received bytes so far */
  hasReceived(received: number): boolean {
    return this.#since === null || received !== this.#received;
  }

  /** The connection has closed, or has shown that it is alive. */
  stop(): void {
    this.#since = null;
  }

  /** @param received bytes so far. @param now ms */
  look(received: number, now: number): Liveness {
    if (this.#since === null) return 'rest';
    if (this.hasReceived(received)) {
      this.#since = null;
      return 'rest';
    }
    const silentMs = now - this.#since;
    if (silentMs >= DEAD_MS) return 'close';
    if (silentMs >= AVOID_MS) return 'avoid';
    if (silentMs < PING_MS || this.#hasPinged) return 'await';
    this.#hasPinged = true;
    return 'ping';
  }
}

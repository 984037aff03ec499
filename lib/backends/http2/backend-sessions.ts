import { Timer } from '../../clock/time-limits.ts';
import { IDLE_MS } from '../idle-limit.ts';
import type { Backend } from '../../core/routing/types.ts';
import { BackendSession, type SessionKeeper, type SessionParts } from './session.ts';

export interface Http2SessionsParts extends SessionParts {
  /** Maximum number of connections to one backend. */
  readonly maxSockets: number;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
}

type Waiter = (session: BackendSession) => void;

/** HTTP/2 connections to one backend, each shared by as many requests as the backend allows. */
export class BackendSessions implements SessionKeeper {
  readonly #backend: Backend;
  readonly #parts: Http2SessionsParts;
  readonly #sessions = new Map<BackendSession, Timer>();
  /** Requests that wait for a stream, in order. */
  readonly #waiting = new Set<Waiter>();

  constructor(backend: Backend, parts: Http2SessionsParts) {
    this.#backend = backend;
    this.#parts = parts;
  }

  /**
   * Requests a stream on a connection, which may still be connecting. Release it with `session.leave()`.
   * @returns leaves the queue; does nothing after the waiter was called
   */
  enter(waiter: Waiter): () => void {
    this.#waiting.add(waiter);
    this.#serve();
    return () => {
      this.#waiting.delete(waiter);
    };
  }

  /** Maximum number of concurrent streams on one connection, as far as is known. */
  get limit(): number {
    let most = 1;
    for (const { limit } of this.#sessions.keys()) most = Math.max(most, limit);
    return most;
  }

  /** Open connections, including those being made. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Connections without streams. */
  get idle(): number {
    let count = 0;
    for (const { streams } of this.#sessions.keys()) if (streams === 0) count++;
    return count;
  }

  onFreeStream(session: BackendSession): void {
    this.#serve();
    const timer = this.#sessions.get(session);
    if (timer === undefined || session.streams > 0) return;
    if (this.#parts.keepAlive) this.#parts.clock.set(timer, IDLE_MS);
    else session.close();
  }

  onGone(session: BackendSession): void {
    const timer = this.#sessions.get(session);
    if (timer === undefined) return;
    this.#parts.clock.clear(timer);
    this.#sessions.delete(session);
    // Serves the waiting requests with another connection; later, not within this call.
    if (this.#waiting.size > 0) setImmediate(() => this.#serve());
  }

  /** Closes every connection, busy ones too. */
  close(): void {
    for (const session of this.#sessions.keys()) session.destroy();
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      const session = this.#leastBusy();
      if (session === null) return;
      this.#waiting.delete(waiter);
      const timer = this.#sessions.get(session);
      if (timer) this.#parts.clock.clear(timer);
      waiter(session);
    }
  }

  /** The connection with the fewest streams, or a new one when all are full. */
  #leastBusy(): BackendSession | null {
    let best: BackendSession | null = null;
    for (const session of this.#sessions.keys()) {
      if (session.hasFreeStream && (best === null || session.streams < best.streams)) best = session;
    }
    if (best !== null || this.#sessions.size >= this.#parts.maxSockets) return best;
    // Wait for the settings of the first connection: otherwise too many requests would wait for it, and too many
    // connections would be made.
    const known = [...this.#sessions.keys()];
    if (known.length > 0 && known.every(({ connecting }) => connecting)) return null;
    // The backend has less room than it says.
    if (known.some(({ isResting }) => isResting)) return null;
    const most = Math.max(1, ...known.map(({ limit }) => limit));
    const session = new BackendSession(this.#backend, this.#parts, this, most);
    this.#sessions.set(session, new Timer(() => session.close()));
    return session;
  }
}

import { serverOf } from '../core/backend.ts';
import type { Backend } from '../core/types.ts';
import type { Dialer } from '../dial/dialer.ts';
import { Alarm, type AlarmClock } from './alarms.ts';
import { BackendSession, type SessionKeeper } from './http2-session.ts';

/** How long a connection without streams is kept, ms. */
const IDLE_MS = 60_000;

export interface Http2SessionsParts {
  /** Connections to one backend. */
  readonly maxSockets: number;
  /** Whether connections are kept for the next request. */
  readonly keepAlive: boolean;
  readonly dialer: Pick<Dialer, 'dial'>;
  readonly clock: AlarmClock;
}

type Waiter = (session: BackendSession) => void;

interface Server {
  readonly backend: Backend;
  readonly sessions: Map<BackendSession, Alarm>;
  /** Those for whom there was no room, in turn. */
  readonly waiting: Set<Waiter>;
}

/** HTTP/2 connections to backends, each shared by as many requests as the backend takes. */
export class Http2Sessions implements SessionKeeper {
  readonly #parts: Http2SessionsParts;
  readonly #servers = new Map<string, Server>();

  constructor(parts: Http2SessionsParts) {
    this.#parts = parts;
  }

  /**
   * Asks for room on a connection, which may still be on its way; it is the waiter's until `session.leave()`.
   * @returns leaves the queue; nothing happens once the waiter was called
   */
  enter(backend: Backend, waiter: Waiter): () => void {
    const name = serverOf(backend);
    const server = this.#servers.get(name) ?? { backend, sessions: new Map(), waiting: new Set() };
    this.#servers.set(name, server);
    server.waiting.add(waiter);
    this.#serve(server);
    return () => {
      server.waiting.delete(waiter);
      this.#forget(name, server);
    };
  }

  /** Requests that a backend takes at a time, as far as is known of it. */
  roomAt(backend: Backend): number {
    const known = this.#servers.get(serverOf(backend))?.sessions.keys() ?? [];
    return this.#parts.maxSockets * Math.max(1, ...[...known].map(({ room }) => room));
  }

  onRoom(session: BackendSession): void {
    const server = this.#servers.get(session.server);
    if (server === undefined) return;
    this.#serve(server);
    const alarm = server.sessions.get(session);
    if (alarm === undefined || session.streams > 0) return;
    if (this.#parts.keepAlive) this.#parts.clock.set(alarm, IDLE_MS);
    else session.close();
  }

  onGone(session: BackendSession): void {
    const server = this.#servers.get(session.server);
    const alarm = server?.sessions.get(session);
    if (server === undefined || alarm === undefined) return;
    this.#parts.clock.clear(alarm);
    server.sessions.delete(session);
    // Whoever waits is served by another one; not from within the call that brought the news.
    if (server.waiting.size > 0) setImmediate(() => this.#serve(server));
    else this.#forget(session.server, server);
  }

  /** Connections in all, for tests and counters. */
  get size(): number {
    return [...this.#servers.values()].reduce((sum, { sessions }) => sum + sessions.size, 0);
  }

  /** Closes every connection, busy ones too. */
  close(): void {
    for (const { sessions } of this.#servers.values()) for (const session of sessions.keys()) session.destroy();
  }

  #serve(server: Server): void {
    for (const waiter of server.waiting) {
      const session = this.#roomOf(server);
      if (session === null) return;
      server.waiting.delete(waiter);
      const alarm = server.sessions.get(session);
      if (alarm) this.#parts.clock.clear(alarm);
      waiter(session);
    }
  }

  /** The connection with the fewest streams, or a new one when all are full. */
  #roomOf(server: Server): BackendSession | null {
    let best: BackendSession | null = null;
    for (const session of server.sessions.keys()) {
      if (session.hasRoom && (best === null || session.streams < best.streams)) best = session;
    }
    if (best !== null || server.sessions.size >= this.#parts.maxSockets) return best;
    // What the first says of itself is waited for: too many on it would wait for each other, and more than it takes be made.
    const known = [...server.sessions.keys()];
    if (known.length > 0 && known.every(({ connecting }) => connecting)) return null;
    const limit = Math.max(1, ...known.map(({ room }) => room));
    const session = new BackendSession(server.backend, this.#parts.dialer, this, limit);
    server.sessions.set(session, new Alarm(() => session.close()));
    return session;
  }

  #forget(name: string, server: Server): void {
    if (server.sessions.size === 0 && server.waiting.size === 0) this.#servers.delete(name);
  }
}

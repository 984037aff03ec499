import { serverOf } from '../core/backend.ts';
import type { Backend, ConnectionUse } from '../core/types.ts';
import type { Dialer } from '../dial/dialer.ts';
import { BackendConnection, type BackendUser } from './backend-connection.ts';
import type { Deadlines } from './deadlines.ts';

/** How long one is kept, ms: long enough for any traffic, and nothing is kept for ever. */
const IDLE_MS = 60_000;
/** How much sooner it is given up than the backend has said it would, ms at most: a request could cross its close. */
const MARGIN_MS = 1_000;

/** An answer's body from which on it is large, bytes. */
const LARGE_BYTES = 16_384;
/** How many answers it takes to be sure what a backend's are like. */
const LEANING = 64;

/** The full lane's connections, as far as both lanes share a limit. */
export interface OtherPool {
  /** Open connections to a backend, idle ones included. */
  open(backend: Backend): number;
  /** Closes one that is idle. */
  closeIdle(backend: Backend): void;
}

export interface PoolParts {
  /** Connections to one backend, of both lanes. As many are kept when idle: a burst that comes again finds them. */
  readonly maxSockets: number;
  readonly deadlines: Deadlines;
  readonly other: OtherPool;
  readonly use: ConnectionUse;
  readonly dialer: Pick<Dialer, 'dial'>;
}

/** The lane's connections to one server. */
interface Server {
  open: number;
  /** Above 0 most of its answers are large, below it small; within `LEANING` of it. */
  leaning: number;
  /** The latest used last. */
  readonly idle: BackendConnection[];
}

/** Connections to backends, kept for the next request. */
export class Pool {
  readonly #parts: PoolParts;
  readonly #servers = new Map<string, Server>();

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  /** An idle connection, which is the caller's from then on; null when there is none. @param server as `serverOf` says */
  take(server: string, user: BackendUser): BackendConnection | null {
    // The latest used first: what was used a moment ago is least likely to have been closed by the other side.
    const connection = this.#servers.get(server)?.idle.pop();
    if (connection === undefined) return null;
    this.#parts.use.reused++;
    connection.due = Infinity;
    connection.isReused = true;
    connection.user = user;
    return connection;
  }

  /** A new connection, which is still being made. Only for who holds one of the backend's places. */
  open(backend: Backend, user: BackendUser): BackendConnection {
    const { maxSockets, other, deadlines, use, dialer } = this.#parts;
    use.opened++;
    const name = serverOf(backend);
    const server = this.#servers.get(name) ?? { open: 0, leaning: 0, idle: [] };
    this.#servers.set(name, server);
    // Fewer than the limit are busy, so one of the others is idle.
    if (server.open + other.open(backend) >= maxSockets) other.closeIdle(backend);
    const connection = new BackendConnection(backend, user, server.leaning <= 0, dialer, this.#onGone);
    server.open++;
    deadlines.add(connection);
    return connection;
  }

  /** Keeps a connection for the next request. @param bodyBytes of the answer. @param keepMs for how long the backend does */
  release(connection: BackendConnection, bodyBytes: number, keepMs: number): void {
    const server = this.#servers.get(connection.server);
    connection.user = null;
    const idleMs = Math.min(IDLE_MS, keepMs - Math.min(MARGIN_MS, keepMs / 2));
    if (
      idleMs <= 0 ||
      server === undefined ||
      !suits(connection, server, bodyBytes) ||
      server.idle.length >= this.#parts.maxSockets
    ) {
      connection.destroy();
      return;
    }
    connection.due = this.#parts.deadlines.after(idleMs);
    server.idle.push(connection);
  }

  /** Open connections to a backend, idle ones included. */
  opened(backend: Backend): number {
    return this.#servers.get(serverOf(backend))?.open ?? 0;
  }

  /** Closes the idle connection to a backend that was used longest ago. */
  closeIdle(backend: Backend): void {
    this.#servers.get(serverOf(backend))?.idle[0]?.destroy();
  }

  /** Closes the idle connections to a backend: one of them proved stale, so the others probably are. */
  forget(server: string): void {
    for (const connection of this.#servers.get(server)?.idle.slice() ?? []) connection.destroy();
  }

  /** Closes the idle connections. Busy ones are their users'. */
  close(): void {
    for (const { idle } of this.#servers.values()) for (const connection of idle.slice()) connection.destroy();
  }

  readonly #onGone = (connection: BackendConnection): void => {
    this.#parts.deadlines.remove(connection);
    const server = this.#servers.get(connection.server);
    if (server === undefined) return;
    const at = server.idle.indexOf(connection);
    if (at >= 0) server.idle.splice(at, 1);
    server.open--;
    if (server.open === 0) this.#servers.delete(connection.server);
  };
}

/** Notes the size of an answer. @returns false when the next ones want a connection that reads in the other way */
function suits({ isForSmall }: BackendConnection, server: Server, bodyBytes: number): boolean {
  const step = bodyBytes > LARGE_BYTES ? 1 : -1;
  server.leaning = Math.max(-LEANING, Math.min(LEANING, server.leaning + step));
  return Math.abs(server.leaning) < LEANING || isForSmall === server.leaning < 0;
}

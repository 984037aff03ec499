import type { Backend, ConnectionUse } from '../../core/routing/types.ts';
import type { Dialer } from '../dialing/dialer.ts';
import { IDLE_MS } from '../idle-limit.ts';
import type { BackendState } from '../state/backend-state.ts';
import { BackendConnection, type BackendUser } from './backend-connection.ts';
import type { TimeLimits } from '../../clock/time-limits.ts';

/**
 * How long before the backend's announced time-out a connection is closed, ms at most: a request could cross the
 * close.
 */
const MARGIN_MS = 1_000;

export interface PoolParts {
  /** Maximum number of connections to one backend, of both lanes. As many idle ones are kept, for repeated bursts. */
  readonly maxSockets: number;
  readonly clock: TimeLimits;
  /** The states of all backends. */
  readonly states: Iterable<BackendState>;
  readonly use: ConnectionUse;
  readonly dialer: Pick<Dialer, 'dial'>;
  /** ms; only differences count. */
  readonly now: () => number;
}

/** The fast lane's connections to backends, kept for the next request. */
export class RelayPool {
  readonly #parts: PoolParts;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  /**
   * Takes an idle connection; null when there is none.
   * @param user null while the end of the connection, or bytes from it, still mean that it cannot be used
   * @param maxIdleMs a connection that has been idle for longer is closed, and null is returned
   */
  take({ relay }: BackendState, user: BackendUser | null, maxIdleMs: number): BackendConnection | null {
    // The latest used first: it is the least likely to have been closed by the backend.
    const connection = relay.idle.pop();
    if (connection === undefined) return null;
    const { use, now } = this.#parts;
    if (maxIdleMs !== Infinity && now() - connection.idleSince > maxIdleMs) {
      connection.destroy();
      return null;
    }
    use.reused++;
    connection.due = Infinity;
    connection.isReused = true;
    connection.user = user;
    return connection;
  }

  /** Opens a new connection, which is still connecting. Call only with one of the backend's slots. */
  open(backend: Backend, state: BackendState, user: BackendUser): BackendConnection {
    const { maxSockets, clock, use, dialer } = this.#parts;
    const { relay } = state;
    use.opened++;
    state.makeRoom(maxSockets);
    const connection = new BackendConnection(backend, relay, user, dialer, this.#onGone);
    relay.open++;
    clock.add(connection);
    return connection;
  }

  /**
   * Keeps a connection for the next request. @param bodyBytes of the response. @param keepMs for how long the backend
   * keeps it
   */
  release(connection: BackendConnection, bodyBytes: number, keepMs: number): void {
    const { siblings } = connection;
    connection.rest(bodyBytes);
    const idleMs = Math.min(IDLE_MS, keepMs - Math.min(MARGIN_MS, keepMs / 2));
    if (idleMs <= 0 || connection.isMoved || siblings.idle.length >= this.#parts.maxSockets) {
      connection.destroy();
      return;
    }
    connection.idleSince = this.#parts.now();
    connection.due = connection.idleSince + idleMs;
    siblings.idle.push(connection);
  }

  /** Closes the idle connections to a backend: this one was stale, so the others probably are, too. */
  forget({ siblings }: BackendConnection): void {
    for (const connection of siblings.idle.slice()) connection.destroy();
  }

  /** Closes the idle connections. */
  close(): void {
    for (const { relay } of this.#parts.states) for (const connection of relay.idle.slice()) connection.destroy();
  }

  readonly #onGone = (connection: BackendConnection): void => {
    this.#parts.clock.remove(connection);
    const { siblings } = connection;
    const at = siblings.idle.indexOf(connection);
    if (at >= 0) siblings.idle.splice(at, 1);
    siblings.open--;
  };
}

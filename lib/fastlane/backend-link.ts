import { mayResend, STALE_LIMIT, UNSAFE_IDLE_MS } from '../core/health/retry.ts';
import type { Backend } from '../core/routing/types.ts';
import type { BackendConnection, BackendUser } from '../backends/http1/backend-connection.ts';
import type { RelayPool } from '../backends/http1/relay-pool.ts';
import { sentBy } from '../backends/dialing/backend-socket.ts';
import type { BackendState } from '../backends/state/backend-state.ts';
import type { NextTurn, TurnWaiter } from './next-turn.ts';
import type { LaneShared } from './shared.ts';

/** What sends by the connection. */
export interface LinkUser extends BackendUser {
  /** The idle connection is open. */
  onOpen(): void;
  /** The idle connection had been closed. */
  onClosed(): void;
}

/**
 * The connection by which a request goes to its backend: an idle one, or a new one. The backend may have closed an idle
 * one, and the router not know of it yet: `check` finds that out, and `mayResend` says whether a failure is due to it.
 */
export class BackendLink implements TurnWaiter {
  readonly #user: LinkUser;
  readonly #pool: RelayPool;
  readonly #nextTurn: NextTurn;
  #connection: BackendConnection | null = null;
  /** Connections in a row that the backend had closed. */
  #stale = 0;
  /** Bytes that the connection had sent before: see `sentBy`. */
  #sentBefore = 0;

  constructor(user: LinkUser, { pool, nextTurn }: LaneShared) {
    this.#user = user;
    this.#pool = pool;
    this.#nextTurn = nextTurn;
  }

  get connection(): BackendConnection | null {
    return this.#connection;
  }

  /** A next request comes. */
  reset(): void {
    this.#stale = 0;
  }

  /**
   * Takes an idle connection.
   * @param isSafe the request may be sent twice; otherwise the connection must pass `check` first
   * @returns false when there is none
   */
  takeIdle(state: BackendState, isSafe: boolean): boolean {
    const connection = this.#pool.take(state, isSafe ? this.#user : null, isSafe ? Infinity : UNSAFE_IDLE_MS);
    this.#connection = connection;
    if (connection === null) return false;
    if (connection.socket !== null) this.#sentBefore = sentBy(connection.socket);
    return true;
  }

  /** Lets the event loop read what has come by the idle connection. Calls `onOpen` or `onClosed`. */
  check(): void {
    this.#nextTurn.wait(this);
  }

  /** Makes a new connection. */
  open(backend: Backend, state: BackendState): void {
    this.#connection = this.#pool.open(backend, state, this.#user);
  }

  /** Had the connection been closed, it would have ended, or brought bytes, by now. */
  onTurn(): void {
    const connection = this.#connection;
    if (connection === null || connection.user !== null) return;
    if (connection.isOpen) {
      connection.user = this.#user;
      return this.#user.onOpen();
    }
    this.#pool.forget(connection);
    this.#user.onClosed();
  }

  get isReused(): boolean {
    return this.#connection?.isReused === true;
  }

  /** Whether the request may go by another connection: this one has failed, and not a byte had come back. */
  mayResend(method: string): boolean {
    const connection = this.#connection;
    if (connection === null || !connection.isReused || this.#stale >= STALE_LIMIT) return false;
    const isUnsent = connection.socket !== null && sentBy(connection.socket) === this.#sentBefore;
    return mayResend(method, isUnsent);
  }

  /** The backend had closed the connection: closes the other idle ones, which are as old. */
  dropStale(): void {
    const connection = this.#connection;
    if (connection === null) return;
    this.#stale++;
    connection.destroy();
    this.#pool.forget(connection);
  }

  /** Gives the connection to the caller. */
  handOver(): BackendConnection | null {
    const connection = this.#connection;
    this.#connection = null;
    return connection;
  }

  /** Closes the connection. Idempotent. */
  end(): void {
    this.handOver()?.destroy();
  }
}

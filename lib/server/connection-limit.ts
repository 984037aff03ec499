import type { Socket } from 'node:net';
import { clientKey } from '../core/limits/client-key.ts';
import type { CloseReason, ConnectionLimits } from '../core/limits/connection-limits.ts';
import { IdleQueue } from './idle-queue.ts';
import { type ActivityListener, type Client, TrackedConnection } from './tracked-connection.ts';

/** Called when the limit is reached, and when connections may be accepted again. */
export interface ConnectionLimitListener {
  onFull(): void;
  onFree(): void;
}

/** Called for each connection closed because of the limit. @param client its address; null when the worker's limit was reached */
export type OnEvicted = (reason: CloseReason, client: string | null) => void;

/** The part of all connections that is closed at once when no file descriptors are left. */
const SHED_PART = 1 / 32;
/** How many of the longest idle connections are examined to find one that can be closed. */
const TRIES = 8;

/**
 * Bounds the client connections of a worker, and those of each client. At the limit the connection that has been idle
 * longest is closed for each new one. Only when every connection is busy, accepting stops. Each step takes constant time.
 */
export class ConnectionLimit implements ActivityListener {
  readonly #limits: ConnectionLimits;
  readonly #onEvicted: OnEvicted;
  /** Accepting starts again when so few are busy. */
  readonly #again: number;
  readonly #listeners: ConnectionLimitListener[] = [];
  readonly #idle = new IdleQueue<TrackedConnection>();
  /** Clients that have a connection, by key. */
  readonly #clients = new Map<string, Client>();
  #inside = 0;
  #secure = 0;
  #isFull = false;
  #onEmpty: () => void = () => {};

  constructor(limits: ConnectionLimits, onEvicted: OnEvicted) {
    this.#limits = limits;
    this.#onEvicted = onEvicted;
    // Not at the first one that becomes free: pausing and resuming an acceptor costs more than a request.
    this.#again = limits.connections - 1 - Math.floor(limits.connections / 32);
  }

  /** How many connections are open. */
  get inside(): number {
    return this.#inside;
  }

  /** How many of them use TLS. */
  get secure(): number {
    return this.#secure;
  }

  /** Adds a listener; there is no way to remove it. */
  add(listener: ConnectionLimitListener): void {
    this.#listeners.push(listener);
  }

  /** Resolves when no connection is open. A second call replaces the first, which then never resolves. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.#inside === 0) resolve();
    });
  }

  /** Records an accepted connection, and closes another one when the limit is exceeded. */
  enter(socket: Socket): TrackedConnection {
    const connection = new TrackedConnection(socket, this.#idle, this);
    this.#inside++;
    // Connections that are being closed still count, so one eviction for each new connection keeps the bound.
    if (this.#inside > this.#limits.connections) {
      if (this.#evict(this.#idle, connection)) this.#onEvicted('full', null);
      else this.#reportFull();
    }
    return connection;
  }

  /** Counts the connection as one that uses TLS. Call it once. */
  secured(connection: TrackedConnection): void {
    connection.isSecure = true;
    this.#secure++;
  }

  /** Removes a closed connection. */
  leave(connection: TrackedConnection): void {
    if (connection.isSecure) this.#secure--;
    this.#forget(connection.leave());
    this.#inside--;
    if (this.#inside === 0) this.#onEmpty();
    this.#reportFree();
  }

  /**
   * Counts a connection to its client. At the client's limit, the client's longest idle connection is closed.
   * @returns false when none of them is idle; the caller must close the new connection
   */
  claim(connection: TrackedConnection, address: string): boolean {
    const { perClient } = this.#limits;
    if (perClient === Infinity) return true;
    const client = this.#clientOf(address);
    if (client.count >= perClient) {
      if (!this.#evict(client.idle, connection)) {
        this.#onEvicted('client-refused', address);
        return false;
      }
      this.#onEvicted('client-idle', address);
    }
    // The eviction may have removed the client's entry with its last connection.
    this.#clients.set(client.key, client);
    connection.countTo(client);
    return true;
  }

  /** Closes some of the longest idle connections, because no file descriptors are left. */
  shed(): void {
    for (let left = Math.max(1, Math.floor(this.#inside * SHED_PART)); left > 0; left--) {
      if (!this.#evict(this.#idle, null)) return;
      this.#onEvicted('full', null);
    }
  }

  onBusy(): void {
    if (this.#inside - this.#idle.size >= this.#limits.connections) this.#reportFull();
  }

  onIdle(): void {
    this.#reportFree();
  }

  /** @param newest is never closed. @returns whether one was closed */
  #evict(queue: IdleQueue<TrackedConnection>, newest: TrackedConnection | null): boolean {
    for (let tries = 0; tries < TRIES; tries++) {
      const longest = queue.first;
      if (longest === null || longest === newest) return false;
      if (longest.spare()) continue;
      this.#forget(longest.leave());
      longest.evict();
      return true;
    }
    return false;
  }

  #clientOf(address: string): Client {
    const key = clientKey(address);
    return this.#clients.get(key) ?? { key, count: 0, idle: new IdleQueue() };
  }

  #forget(client: Client | null): void {
    if (client !== null && client.count === 0) this.#clients.delete(client.key);
  }

  #reportFull(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    for (const listener of this.#listeners) listener.onFull();
  }

  /** Idle connections do not count here: they can be closed for new ones. */
  #reportFree(): void {
    if (!this.#isFull || this.#inside - this.#idle.size > this.#again) return;
    this.#isFull = false;
    for (const listener of this.#listeners) listener.onFree();
  }
}

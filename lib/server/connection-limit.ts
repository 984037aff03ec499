import type { Socket } from 'node:net';
import { clientKey } from '../core/limits/client-key.ts';
import type { CloseReason, ConnectionLimits } from '../core/limits/connection-limits.ts';
import { IdleQueue } from './idle-queue.ts';
import { type ActivityKeeper, type Client, TrackedConnection } from './tracked-connection.ts';

/** Told when connections may come, and when none may. */
export interface ConnectionLimitListener {
  onFull(): void;
  onFree(): void;
}

/** Told of each connection that was closed for want of room. @param client its address; null where any client's was closed */
export type OnEvicted = (reason: CloseReason, client: string | null) => void;

/** This part of the connections that there may be is closed at once when the system has no descriptors left. */
const SHED_PART = 1 / 32;
/** So many that were idle longest are looked at for one that can be closed now. */
const TRIES = 8;

/**
 * The connections of a worker. Where there are as many as there may be, one that is idle makes room for one that comes,
 * the longest idle first; only when an exchange is under way on each of them, others wait. Each step takes the same time with any number.
 */
export class ConnectionLimit implements ActivityKeeper {
  readonly #limits: ConnectionLimits;
  readonly #onEvicted: OnEvicted;
  /** From this number on, when it was full, others may come. */
  readonly #again: number;
  readonly #acceptors: ConnectionLimitListener[] = [];
  readonly #idle = new IdleQueue<TrackedConnection>();
  /** By key, those with a connection. */
  readonly #clients = new Map<string, Client>();
  #inside = 0;
  #secure = 0;
  #isFull = false;
  #onEmpty: () => void = () => {};

  constructor(limits: ConnectionLimits, onEvicted: OnEvicted) {
    this.#limits = limits;
    this.#onEvicted = onEvicted;
    // Not at each that leaves: to stop and to begin again costs more than a request.
    this.#again = limits.connections - 1 - Math.floor(limits.connections / 32);
  }

  /** How many connections there are. */
  get inside(): number {
    return this.#inside;
  }

  /** How many of them speak TLS. */
  get secure(): number {
    return this.#secure;
  }

  add(door: ConnectionLimitListener): void {
    this.#acceptors.push(door);
  }

  /** Resolves when nobody is inside; calls of one are not for two. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
      if (this.#inside === 0) resolve();
    });
  }

  /** A connection was accepted. */
  enter(socket: Socket): TrackedConnection {
    const connection = new TrackedConnection(socket, this.#idle, this);
    this.#inside++;
    // One for one: those that are being closed still count.
    if (this.#inside > this.#limits.connections) {
      if (this.#evict(this.#idle, connection)) this.#onEvicted('full', null);
      else this.#pauseAccepting();
    }
    return connection;
  }

  /** It speaks TLS. To be called once. */
  secured(connection: TrackedConnection): void {
    connection.isSecure = true;
    this.#secure++;
  }

  /** It is closed. */
  leave(connection: TrackedConnection): void {
    if (connection.isSecure) this.#secure--;
    this.#forget(connection.leave());
    this.#inside--;
    if (this.#inside === 0) this.#onEmpty();
    this.#resumeAccepting();
  }

  /**
   * Counts a connection to its client. One that has as many as it may loses its own that was idle longest.
   * @returns false when none of them is idle: then this one must be closed
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
    // Its last one may have been evicted just now.
    this.#clients.set(client.key, client);
    connection.countTo(client);
    return true;
  }

  /** Closes some of those that were idle longest: the system has no descriptors left. */
  shed(): void {
    for (let left = Math.max(1, Math.floor(this.#inside * SHED_PART)); left > 0; left--) {
      if (!this.#evict(this.#idle, null)) return;
      this.#onEvicted('full', null);
    }
  }

  onBusy(): void {
    if (this.#inside - this.#idle.size >= this.#limits.connections) this.#pauseAccepting();
  }

  onIdle(): void {
    this.#resumeAccepting();
  }

  /** @param newest never closed. @returns whether one was closed */
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

  #pauseAccepting(): void {
    if (this.#isFull) return;
    this.#isFull = true;
    for (const door of this.#acceptors) door.onFull();
  }

  /** Those that are idle are in nobody's way. */
  #resumeAccepting(): void {
    if (!this.#isFull || this.#inside - this.#idle.size > this.#again) return;
    this.#isFull = false;
    for (const door of this.#acceptors) door.onFree();
  }
}

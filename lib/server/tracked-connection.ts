import type { Socket } from 'node:net';
import type { ProxiedAddresses } from '../core/http/proxy-protocol.ts';
import type { Activity } from '../core/limits/activity.ts';
import { IdleLink, IdleQueue } from './idle-queue.ts';

/** The connections of one client: of an IPv4 address or an IPv6 network. */
export interface Client {
  readonly key: string;
  /** How many connections are open, without those that are being closed. */
  count: number;
  /** The idle ones among them. */
  readonly idle: IdleQueue<TrackedConnection>;
}

/** Called when a connection becomes idle or busy. */
export interface ActivityListener {
  onBusy(): void;
  onIdle(): void;
}

/**
 * The record of an accepted connection, for ConnectionLimit. A connection is idle from its accept until a whole request
 * head was read, and between two requests. An incomplete handshake or head does not count as activity, so that a client
 * cannot keep connections busy by sending one byte at a time.
 */
export class TrackedConnection implements Activity {
  /** The socket as accepted, below TLS. */
  readonly raw: Socket;
  /** The same socket, or the TLS socket above it: what the lanes read and write. */
  socket: Socket;
  /** Closes it when it is evicted; null destroys `socket`. */
  close: (() => void) | null = null;
  /** Whether it is a TLS connection. */
  isSecure = false;
  /** The addresses in its PROXY protocol header; null without one. */
  proxied: ProxiedAddresses | null = null;
  /** Null for trusted proxies, and until the client's address is known. */
  #client: Client | null = null;
  readonly #listener: ActivityListener;
  readonly #all: IdleQueue<TrackedConnection>;
  readonly #link = new IdleLink<TrackedConnection>(this);
  #clientLink: IdleLink<TrackedConnection> | null = null;
  /** `closing`: it is in no queue any more. */
  #state: 'idle' | 'busy' | 'closing' = 'idle';
  #wasSpared = false;

  /** @param all the idle connections of the worker */
  constructor(socket: Socket, all: IdleQueue<TrackedConnection>, listener: ActivityListener) {
    this.raw = socket;
    this.socket = socket;
    this.#all = all;
    this.#listener = listener;
    all.push(this.#link);
  }

  busy(): void {
    if (this.#state !== 'idle') return;
    this.#unlink();
    this.#state = 'busy';
    this.#listener.onBusy();
  }

  idle(): void {
    if (this.#state !== 'busy') return;
    this.#state = 'idle';
    this.#wasSpared = false;
    this.#push();
    this.#listener.onIdle();
  }

  /** Counts the connection towards its client. Call it once, before the first `busy`. */
  countTo(client: Client): void {
    if (this.#state !== 'idle') return;
    client.count++;
    this.#client = client;
    this.#clientLink = new IdleLink<TrackedConnection>(this);
    client.idle.push(this.#clientLink);
  }

  /**
   * Moves the connection to the end of the queue when the end of a response is still being written to it. Works once
   * per idle period. @returns whether it was moved; false means that it may be evicted
   */
  spare(): boolean {
    if (this.#wasSpared || this.socket.writableLength === 0) return false;
    this.#wasSpared = true;
    this.#unlink();
    this.#push();
    return true;
  }

  /** Closes the connection to free its slot. Call `leave` first. */
  evict(): void {
    if (this.close === null) this.socket.destroy();
    else this.close();
  }

  /** Removes the connection from all queues, because it is closed or being closed. Idempotent. @returns its client, if it still counted to one */
  leave(): Client | null {
    if (this.#state === 'idle') this.#unlink();
    this.#state = 'closing';
    const client = this.#client;
    this.#client = null;
    if (client !== null) client.count--;
    return client;
  }

  #push(): void {
    this.#all.push(this.#link);
    if (this.#client !== null && this.#clientLink !== null) this.#client.idle.push(this.#clientLink);
  }

  #unlink(): void {
    this.#all.remove(this.#link);
    if (this.#client !== null && this.#clientLink !== null) this.#client.idle.remove(this.#clientLink);
  }
}

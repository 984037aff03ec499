import type { Socket } from 'node:net';
import type { Activity } from '../core/limits/activity.ts';
import { IdleLink, IdleQueue } from './idle-queue.ts';

/** The connections of one client: an address, or an IPv6 network. */
export interface Client {
  readonly key: string;
  /** How many there are, without those that are being closed to make room. */
  count: number;
  readonly idle: IdleQueue<TrackedConnection>;
}

/** Told when connections become idle or busy. */
export interface ActivityKeeper {
  onBusy(): void;
  onIdle(): void;
}

/**
 * An accepted connection, as the limits of number see it. It is idle from its beginning until a request was read, and
 * between two requests: a handshake or a head that is not complete does not count as activity, however it trickles in.
 */
export class TrackedConnection implements Activity {
  /** As it was accepted. */
  readonly raw: Socket;
  /** The same, or the TLS socket above it: what the lanes write to. */
  socket: Socket;
  close: (() => void) | null = null;
  /** It speaks TLS. */
  isSecure = false;
  /** Null for proxies that are trusted, and before the client's address is known. */
  #client: Client | null = null;
  readonly #keeper: ActivityKeeper;
  readonly #all: IdleQueue<TrackedConnection>;
  readonly #link = new IdleLink<TrackedConnection>(this);
  #clientLink: IdleLink<TrackedConnection> | null = null;
  /** `closing`: it is no longer in any queue. */
  #state: 'idle' | 'busy' | 'closing' = 'idle';
  #wasSpared = false;

  /** @param all the idle connections of the worker */
  constructor(socket: Socket, all: IdleQueue<TrackedConnection>, keeper: ActivityKeeper) {
    this.raw = socket;
    this.socket = socket;
    this.#all = all;
    this.#keeper = keeper;
    all.push(this.#link);
  }

  busy(): void {
    if (this.#state !== 'idle') return;
    this.#unlink();
    this.#state = 'busy';
    this.#keeper.onBusy();
  }

  idle(): void {
    if (this.#state !== 'busy') return;
    this.#state = 'idle';
    this.#wasSpared = false;
    this.#push();
    this.#keeper.onIdle();
  }

  /** Counts it to its client. To be called once, before it can be busy. */
  countTo(client: Client): void {
    if (this.#state !== 'idle') return;
    client.count++;
    this.#client = client;
    this.#clientLink = new IdleLink<TrackedConnection>(this);
    client.idle.push(this.#clientLink);
  }

  /**
   * The end of a response may still be on its way to the socket. Such a connection is spared once: then it is the last
   * in the queue, and has until its next turn.
   */
  spare(): boolean {
    if (this.#wasSpared || this.socket.writableLength === 0) return false;
    this.#wasSpared = true;
    this.#unlink();
    this.#push();
    return true;
  }

  /** Closes it to make room. Only for one that was idle, and has left the queues. */
  evict(): void {
    if (this.close === null) this.socket.destroy();
    else this.close();
  }

  /** It is closed, or being closed: it is in no queue any more. Idempotent. @returns its client, if it still counted to one */
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

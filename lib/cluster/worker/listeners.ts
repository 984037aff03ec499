import type { AddressInfo } from 'node:net';
import type { Config } from '../../config/config.ts';
import { bracketed } from '../../core/routing/hostname.ts';
import type { Log } from '../../observe/log.ts';
import { Listener, type ListenerParts } from '../../server/listener.ts';
import { ConnectionCount } from './connection-count.ts';
import { listenFault } from '../listen-fault.ts';
import type { ToMaster } from '../messages.ts';

/** How long a pause lasts without `accept`, ms: the other workers may hang or die meanwhile. */
const PAUSE_MS = 1_000;
/** How often missing file descriptors are logged, ms. */
const REMIND_MS = 60_000;

/** What Listeners needs. The other parts of a listener are made here. */
export interface ListenersParts extends Omit<ListenerParts, 'count' | 'requestSocket' | 'onOpen' | 'onFault'> {
  readonly say: (message: ToMaster) => void;
  /** Called when there is no file descriptor left to accept a connection. */
  readonly onShortage: () => void;
  readonly log: Log;
}

/** The listeners of a worker. The master has their sockets, and pauses workers to keep connections even. */
export class Listeners {
  readonly #parts: ListenersParts;
  readonly #all: readonly Listener[];
  /** Whether there are other workers. */
  readonly #isOneOfMany: boolean;
  /** Called when a listener accepts for the first time, or cannot. */
  readonly #starting = new Map<Listener, (outcome: AddressInfo | Error) => void>();
  #pausing: NodeJS.Timeout | null = null;
  #remindedAt = -Infinity;
  #securePort: number | null = null;

  constructor({ listeners, server }: Config, parts: ListenersParts) {
    this.#parts = parts;
    this.#isOneOfMany = server.workers > 1;
    const connectionCount = this.#isOneOfMany ? new ConnectionCount((open) => parts.say({ type: 'open', open })) : null;
    const ownParts: ListenerParts = {
      ...parts,
      count: connectionCount && ((by) => connectionCount.change(by)),
      requestSocket: (listener) => parts.say({ type: 'want-socket', index: this.#all.indexOf(listener) }),
      onOpen: (listener, address) => this.#onOpen(listener, address),
      onFault: (listener, error) => this.#onFault(listener, error),
    };
    this.#all = listeners.map((listener) => new Listener(listener, ownParts));
  }

  /**
   * Starts to accept, one listener after the other. @returns their URLs. @throws Error with a sentence for the operator
   */
  async open(): Promise<readonly string[]> {
    const where: string[] = [];
    for (const listener of this.#all) {
      const { address, tls } = listener.config;
      const { port } = await this.#firstOpen(listener);
      if (tls) this.#securePort ??= port;
      where.push(`${tls ? 'https' : 'http'}://${bracketed(address)}:${port}`);
    }
    return where;
  }

  /** The first port where clients can use TLS; null if there is none, or before `open`. */
  get securePort(): number | null {
    return this.#securePort;
  }

  /**
   * Makes a listener listen. @param socket the socket sent with the message; undefined makes the worker bind its own
   */
  take(index: number, socket: object | undefined): void {
    const listener = this.#all[index];
    listener?.listen(socket ?? listener.ownTarget);
  }

  /** Sets the keys of session tickets. */
  sealWith(ticketKeys: Uint8Array): void {
    for (const listener of this.#all) listener.sealWith(ticketKeys);
  }

  /** Stops accepting until `accept`, or for a second. Other workers accept meanwhile. */
  pause(): void {
    for (const listener of this.#all) listener.pause('ahead');
    clearTimeout(this.#pausing ?? undefined);
    this.#pausing = setTimeout(() => this.accept(), PAUSE_MS);
  }

  /** Ends a pause. */
  accept(): void {
    if (this.#pausing === null) return;
    clearTimeout(this.#pausing);
    this.#pausing = null;
    for (const listener of this.#all) listener.resume('ahead');
  }

  /** Resolves when no listener accepts any more. Connections stay open. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((listener) => listener.stop()));
  }

  /** The number of HTTP/2 sessions, and of their streams. */
  get http2(): { readonly sessions: number; readonly streams: number } {
    let sessions = 0;
    let streams = 0;
    for (const { http2 } of this.#all) {
      sessions += http2.sessions;
      streams += http2.streams;
    }
    return { sessions, streams };
  }

  /** Closes the full lane's connections that wait for a next request. */
  closeIdle(): void {
    for (const listener of this.#all) listener.closeIdle();
  }

  /** Resolves when the last responses of HTTP/2 were sent. */
  async flushed(): Promise<void> {
    await Promise.all(this.#all.map((listener) => listener.flushed()));
  }

  /** Ends what listeners do in the background, after the last request. */
  close(): void {
    for (const listener of this.#all) listener.close();
  }

  #firstOpen(listener: Listener): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#starting.set(listener, (outcome) => {
        this.#starting.delete(listener);
        if (!(outcome instanceof Error)) return resolve(outcome);
        const { address, port } = listener.config;
        reject(new Error(`cannot listen on ${address} port ${port}: ${listenFault(outcome)}`, { cause: outcome }));
      });
      listener.open();
    });
  }

  #onOpen(listener: Listener, address: AddressInfo): void {
    this.#starting.get(listener)?.(address);
    if (this.#isOneOfMany) this.#parts.say({ type: 'accepts' });
  }

  #onFault(listener: Listener, error: NodeJS.ErrnoException): void {
    const starting = this.#starting.get(listener);
    if (starting) return starting(error);
    const { log, say } = this.#parts;
    const cause = listenFault(error);
    if (error.syscall === 'accept') {
      this.#parts.onShortage();
      if (performance.now() < this.#remindedAt + REMIND_MS) return;
      this.#remindedAt = performance.now();
      log.error({ event: 'accept-failed', cause }, `cannot accept connections for the moment: ${cause}`);
      return;
    }
    log.error({ event: 'listen-failed', cause }, `this worker cannot accept again: ${cause}`);
    say({ type: 'leaving' });
  }
}

import { setImmediate as turn } from 'node:timers/promises';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { ProxiedAddresses } from '../core/proxy-protocol.ts';
import { unmapped } from '../core/forwarded.ts';
import { greet } from './proxy-header.ts';

export interface DoorParts {
  /** Connections served at a time; 0 for any number. */
  readonly limit: number;
  readonly proxyProtocol: 'off' | 'optional' | 'required';
  /** How long a PROXY header may take, ms; 0 for ever. */
  readonly headerMs: number;
  readonly isTrusted: (address: string) => boolean;
  /** Told of every connection that comes or goes; null when nobody wants to know. */
  readonly count: ((by: 1 | -1) => void) | null;
  /** Takes a connection over, which may be paused. `proxied`: who the load balancer in front says its client is. */
  readonly admit: (socket: Socket, proxied: ProxiedAddresses | null) => void;
}

/** How long a door that closes lets in those who have knocked, ms: there may be no end of them. */
const LAST_MS = 1_000;

/** Where connections come in: at most so many at a time, and each with the address of its real client. */
export class Door {
  readonly #parts: DoorParts;
  readonly #server: Server;
  #inside = 0;
  #isClosing = false;
  /** Connections accepted so far. */
  #accepted = 0;
  /** Accepted, and not read from: their clients wait as they would in the system's own queue. */
  readonly #waiting = new Set<Socket>();

  constructor(parts: DoorParts) {
    this.#parts = parts;
    const mustWait = parts.limit > 0 || parts.proxyProtocol !== 'off';
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: mustWait }, (socket) =>
      this.#onConnection(socket),
    );
  }

  /** Starts to accept, or does so again after a pause. @throws the system's error, EADDRINUSE for example */
  listen(options: ListenOptions): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(options, () => {
        this.#server.off('error', reject);
        if (this.#isClosing) this.#server.close();
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Accepts no more until `listen` is called again. Those that have come stay. */
  pause(): void {
    if (this.#server.listening && !this.#isClosing) this.#server.close();
  }

  /** Lets in those who have connected already, then accepts no more, and sends away those that wait. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#emptyQueue();
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  /** The system's queue is reset with the last one that listens: its clients have connected, and would be cut. */
  async #emptyQueue(): Promise<void> {
    const deadline = performance.now() + LAST_MS;
    // Node accepts one connection in each turn as long as there is any. The first of two turns is the rest of this one.
    for (let quiet = 0; quiet < 2 && this.#server.listening && performance.now() < deadline;) {
      const before = this.#accepted;
      await turn();
      quiet = this.#accepted === before ? quiet + 1 : 0;
    }
  }

  #onConnection(socket: Socket): void {
    const { limit, count } = this.#parts;
    this.#accepted++;
    if (count) {
      count(1);
      socket.once('close', () => count(-1));
    }
    if (limit === 0 || this.#inside < limit) {
      this.#enter(socket);
      return;
    }
    // As many may wait as are served; beyond that, an attacker would only be given file descriptors.
    if (this.#waiting.size >= limit) {
      socket.destroy();
      return;
    }
    this.#waiting.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#waiting.delete(socket));
  }

  #enter(socket: Socket): void {
    if (this.#parts.limit > 0) {
      this.#inside++;
      socket.once('close', () => this.#leave());
    }
    const { proxyProtocol, headerMs, isTrusted, admit } = this.#parts;
    if (proxyProtocol === 'off') {
      admit(socket, null);
      return;
    }
    const mayTell = isTrusted(unmapped(socket.remoteAddress ?? ''));
    if (mayTell) greet(socket, proxyProtocol === 'required', headerMs, admit);
    // From anybody else a header would be a forgery; where it must come first, there is nothing to talk about.
    else if (proxyProtocol === 'required') socket.destroy();
    else admit(socket, null);
  }

  #leave(): void {
    this.#inside--;
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      if (next.destroyed) continue;
      this.#enter(next);
      return;
    }
  }
}

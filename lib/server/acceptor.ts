import { setImmediate as turn } from 'node:timers/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ProxiedAddresses } from '../core/http/proxy-protocol.ts';
import { unmapped } from '../core/http/forwarded.ts';
import { awaitProxyHeader } from './proxy-header.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import type { TrackedConnection } from './tracked-connection.ts';

export interface AcceptorParts {
  readonly connectionLimit: ConnectionLimit;
  readonly proxyProtocol: 'off' | 'optional' | 'required';
  /** How long a PROXY header may take, ms; 0 for ever. */
  readonly headerMs: number;
  readonly isTrusted: (address: string) => boolean;
  /** Told of every connection that comes or goes; null when nobody wants to know. */
  readonly count: ((by: 1 | -1) => void) | null;
  /** Asks for something to listen on, which `take` is given then. */
  readonly requestSocket: () => void;
  /** Told each time it begins to accept. */
  readonly onOpen: (address: AddressInfo) => void;
  /** Told when it cannot. */
  readonly onFault: (error: Error) => void;
  /** Takes a connection over, which may be paused. `proxied`: who the load balancer in front says its client is. */
  readonly admit: (connection: TrackedConnection, proxied: ProxiedAddresses | null) => void;
}

/** Why a door is shut for a while: others are to catch up, there is no room, or the system has no descriptors left. */
export type PauseReason = 'ahead' | 'full' | 'exhausted';

/** Connections that the system keeps for us until they are accepted, at most. */
export const BACKLOG = 4_096;
/** How long a door that closes lets in those who have knocked, ms: there may be no end of them. */
const LAST_MS = 1_000;
/** How long it stays shut after the system could accept no connection, ms. */
const EXHAUSTED_MS = 500;

/**
 * Where connections come in: as long as there is room, and each with the address of its real client. Those that come
 * while it is shut wait in the system's queue, which other workers accept from, too.
 */
export class Acceptor {
  readonly #parts: AcceptorParts;
  readonly #server: Server;
  readonly #pauseReasons = new Set<PauseReason>();
  #isOpening = false;
  #isClosing = false;
  /** Connections accepted so far. */
  #accepted = 0;

  constructor(parts: AcceptorParts) {
    this.#parts = parts;
    const pauseOnConnect = parts.proxyProtocol !== 'off';
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect }, (socket) =>
      this.#onConnection(socket),
    );
    this.#server.on('error', (error) => this.#onError(error));
    this.#server.on('listening', () => this.#onListening());
    parts.connectionLimit.add({ onFull: () => this.pause('full'), onFree: () => this.resume('full') });
  }

  /** Asks for a socket to listen on, unless there is one or none may be. */
  open(): void {
    if (this.#pauseReasons.size > 0 || this.#server.listening || this.#isOpening || this.#isClosing) return;
    this.#isOpening = true;
    this.#parts.requestSocket();
  }

  /** Listens. @param target what `net.Server` listens on; it is used up, also when the door must not open any more */
  listen(target: object): void {
    this.#server.listen(target, BACKLOG);
  }

  /** Accepts no more until it is reopened. Those that have come stay. */
  pause(reason: PauseReason): void {
    this.#pauseReasons.add(reason);
    if (this.#server.listening) this.#server.close();
  }

  /** Takes a reason back. */
  resume(reason: PauseReason): void {
    if (this.#pauseReasons.delete(reason)) this.open();
  }

  /** Lets in those who have connected already, then accepts no more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#emptyQueue();
    if (this.#server.listening) this.#server.close();
  }

  #onListening(): void {
    this.#isOpening = false;
    const address = this.#server.address() as AddressInfo;
    if (this.#pauseReasons.size > 0 || this.#isClosing) this.#server.close();
    else this.#parts.onOpen(address);
  }

  /** Of listening, or of accepting: then the system's table of files is full, and its queue has been let go of. */
  #onError(error: NodeJS.ErrnoException): void {
    if (!this.#isOpening && this.#server.listening) {
      this.pause('exhausted');
      setTimeout(() => this.resume('exhausted'), EXHAUSTED_MS);
    }
    this.#isOpening = false;
    this.#parts.onFault(error);
  }

  /** Without another worker the queue is nobody's, and is reset: its clients have connected, and would be cut. */
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
    const { connectionLimit, count, proxyProtocol, headerMs, isTrusted } = this.#parts;
    this.#accepted++;
    const connection = connectionLimit.enter(socket);
    count?.(1);
    socket.once('close', () => {
      connectionLimit.leave(connection);
      count?.(-1);
    });
    if (proxyProtocol === 'off') {
      this.#admit(connection, null);
      return;
    }
    const mayTell = isTrusted(unmapped(socket.remoteAddress ?? ''));
    const admit = (proxied: ProxiedAddresses | null): void => this.#admit(connection, proxied);
    if (mayTell) awaitProxyHeader(socket, proxyProtocol === 'required', headerMs, admit);
    // From anybody else a header would be a forgery; where it must come first, there is nothing to talk about.
    else if (proxyProtocol === 'required') socket.destroy();
    else admit(null);
  }

  /** The client of a connection is known: it counts to the client's bound, unless it is a proxy that stands for many. */
  #admit(connection: TrackedConnection, proxied: ProxiedAddresses | null): void {
    const { connectionLimit, isTrusted, admit } = this.#parts;
    const address = unmapped(proxied?.source ?? connection.raw.remoteAddress ?? '');
    if (isTrusted(address) || connectionLimit.claim(connection, address)) admit(connection, proxied);
    else connection.raw.destroy();
  }
}

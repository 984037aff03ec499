import { setImmediate as turn } from 'node:timers/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ProxiedAddresses } from '../core/http/proxy-protocol.ts';
import { unmapped } from '../core/http/forwarded.ts';
import { awaitProxyHeader } from './proxy-header.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import type { TrackedConnection } from './tracked-connection.ts';

/** What an Acceptor needs. */
export interface AcceptorParts {
  readonly connectionLimit: ConnectionLimit;
  readonly proxyProtocol: 'off' | 'optional' | 'required';
  /** How long a client may take to send its PROXY header, ms; 0 is no limit. */
  readonly headerMs: number;
  readonly isTrusted: (address: string) => boolean;
  /** Called with 1 for each connection accepted and -1 for each one closed; null when nothing counts them. */
  readonly count: ((by: 1 | -1) => void) | null;
  /** Requests a listening socket; the reply comes by `listen`. */
  readonly requestSocket: () => void;
  /** Called each time accepting starts. */
  readonly onOpen: (address: AddressInfo) => void;
  /** Called when listening or accepting fails. */
  readonly onFault: (error: Error) => void;
  /** Takes over a connection, whose socket may be paused. */
  readonly admit: (connection: TrackedConnection) => void;
}

/**
 * Why accepting is paused. `ahead`: this worker has more connections than the others. `full`: the connection limit is
 * reached. `exhausted`: the process or the system has no file descriptors left.
 */
export type PauseReason = 'ahead' | 'full' | 'exhausted';

/** How many connections the kernel may queue until they are accepted. */
export const BACKLOG = 4_096;
/** On shutdown, how long to keep accepting connections already in the kernel's backlog, ms. */
const LAST_MS = 1_000;
/** How long accepting pauses when there are no file descriptors left, ms. */
const EXHAUSTED_MS = 500;

/**
 * Accepts connections of one listening socket while the connection limit allows it, and reads the PROXY protocol.
 * While it is paused, connections wait in the kernel's backlog, from which other workers accept, too.
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

  /** Requests a socket to listen on. Does nothing while paused, closing, or when it has one. */
  open(): void {
    if (this.#pauseReasons.size > 0 || this.#server.listening || this.#isOpening || this.#isClosing) return;
    this.#isOpening = true;
    this.#parts.requestSocket();
  }

  /** Listens. @param target what `net.Server` listens on. It is closed at once when accepting is paused or closing meanwhile */
  listen(target: object): void {
    this.#server.listen(target, BACKLOG);
  }

  /** Stops accepting until `resume` was called with the same reason. Open connections are unaffected. */
  pause(reason: PauseReason): void {
    this.#pauseReasons.add(reason);
    if (this.#server.listening) this.#server.close();
  }

  /** Removes a reason, and accepts again when no other is left. */
  resume(reason: PauseReason): void {
    if (this.#pauseReasons.delete(reason)) this.open();
  }

  /** Accepts what is in the backlog, for LAST_MS at most, then stops accepting. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#emptyBacklog();
    if (this.#server.listening) this.#server.close();
  }

  #onListening(): void {
    this.#isOpening = false;
    const address = this.#server.address() as AddressInfo;
    if (this.#pauseReasons.size > 0 || this.#isClosing) this.#server.close();
    else this.#parts.onOpen(address);
  }

  /** An error while already listening means that accept(2) failed: no file descriptors are left. */
  #onError(error: NodeJS.ErrnoException): void {
    if (!this.#isOpening && this.#server.listening) {
      this.pause('exhausted');
      setTimeout(() => this.resume('exhausted'), EXHAUSTED_MS);
    }
    this.#isOpening = false;
    this.#parts.onFault(error);
  }

  /** When the last process closes the socket, the kernel resets every connection in the backlog. */
  async #emptyBacklog(): Promise<void> {
    const deadline = performance.now() + LAST_MS;
    // Node accepts one connection per turn of the event loop. The first of the two quiet turns is the rest of this one.
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
    // Emitted once. `once` would keep three more objects for each connection.
    socket.on('close', () => {
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
    // A PROXY header from an untrusted address may be forged. Where the header is required, the connection is closed.
    else if (proxyProtocol === 'required') socket.destroy();
    else admit(null);
  }

  /** The client's address is known: counts the connection to the client, unless it is a trusted proxy with many clients. */
  #admit(connection: TrackedConnection, proxied: ProxiedAddresses | null): void {
    const { connectionLimit, isTrusted, admit } = this.#parts;
    connection.proxied = proxied;
    const address = unmapped(proxied?.source ?? connection.raw.remoteAddress ?? '');
    if (isTrusted(address) || connectionLimit.claim(connection, address)) admit(connection);
    else connection.raw.destroy();
  }
}

import type { Socket } from 'node:net';
import type { Backend } from '../../core/routing/types.ts';
import type { Dialer } from '../dialing/dialer.ts';
import type { Caller, Dialing } from '../dialing/dialing.ts';
import type { Timed } from '../../clock/time-limits.ts';
import { type Reader, ResponseReads } from '../../http1/response-reads.ts';

/** The fast lane's connections to one backend. */
export class RelayConnections {
  /** Number of connections, including idle ones and those being made. */
  open = 0;
  /** In order of last use. */
  readonly idle: BackendConnection[] = [];
}

/** The current user of a connection to a backend. */
export interface BackendUser {
  onConnected(): void;
  onBackendBytes(bytes: Buffer): void;
  /** The write buffer is empty: more may be written. */
  onBackendDrained(): void;
  /** The backend has ended its side. */
  onBackendEnd(): void;
  /** The connection has failed or was closed. No other method is called after this. */
  onBackendGone(cause: Error): void;
}

/** One connection to a backend, for one user after the other. Its listeners are attached once. */
export class BackendConnection implements Timed, Caller, Reader {
  due = Infinity;
  /** All connections of the fast lane to this backend. */
  readonly siblings: RelayConnections;
  /** Null until it is connected. */
  socket: Socket | null = null;
  /** Null while it is idle. */
  user: BackendUser | null;
  /** The connection has served a request before: the backend may have closed it, and the router not know yet. */
  isReused = false;
  /** When it became idle, ms. */
  idleSince = 0;
  /** The backend's name now resolves elsewhere: the connection is not kept. */
  isMoved = false;
  /** Null with TLS: the socket emits `data`. */
  readonly #reads: ResponseReads | null;
  readonly #dialing: Dialing;
  #cause: Error | null = null;
  #onGone: (connection: BackendConnection) => void;

  /** @param onGone called once, before the user, when the connection cannot be used any more */
  constructor(
    backend: Backend,
    siblings: RelayConnections,
    user: BackendUser,
    dialer: Pick<Dialer, 'dial'>,
    onGone: (connection: BackendConnection) => void,
  ) {
    this.siblings = siblings;
    this.user = user;
    this.#onGone = onGone;
    this.#reads = backend.protocol === 'http:' ? new ResponseReads(this) : null;
    this.#dialing = dialer.dial(backend, this, this.#reads?.options ?? null);
  }

  onSocket(socket: Socket): void {
    this.socket = socket;
    if (this.#reads === null) socket.on('data', (bytes: Buffer) => this.onBytes(bytes));
    socket
      .on('drain', () => this.user?.onBackendDrained())
      .on('end', () => this.#onEnd())
      .on('error', (error) => {
        this.#cause = error;
      })
      .on('close', () => {
        this.#reads?.end();
        this.#onClose();
      });
    this.user?.onConnected();
  }

  onNoSocket(cause: Error): void {
    this.#cause = cause;
    this.#onClose();
  }

  /** Whether the connection is open, as far as is known. */
  get isOpen(): boolean {
    return this.socket !== null && !this.socket.destroyed && !this.socket.readableEnded;
  }

  onMoved(): void {
    this.isMoved = true;
    if (this.user === null) this.destroy();
  }

  /** The connection has been idle for too long. */
  onTimeout(): void {
    this.destroy();
  }

  /** Closes the connection without calling its user. */
  destroy(): void {
    this.user = null;
    this.#tellGone();
    this.#dialing.cancel();
    this.socket?.destroy();
  }

  get isPaused(): boolean {
    return this.socket?.isPaused() === true;
  }

  onBytes(bytes: Buffer): void {
    // Unsolicited bytes must not be taken for the response to the next request.
    if (this.user === null) this.destroy();
    else this.user.onBackendBytes(bytes);
  }

  /** The response is complete, and no other is awaited. @param bodyBytes of it */
  rest(bodyBytes: number): void {
    this.user = null;
    this.#reads?.rest(bodyBytes);
  }

  #onEnd(): void {
    if (this.user === null) this.destroy();
    else this.user.onBackendEnd();
  }

  #onClose(): void {
    this.#tellGone();
    const { user } = this;
    this.user = null;
    user?.onBackendGone(this.#cause ?? new Error('the backend closed the connection'));
  }

  #tellGone(): void {
    const tell = this.#onGone;
    this.#onGone = () => {};
    tell(this);
  }
}

import type { Socket } from 'node:net';
import type { Backend } from '../../core/routing/types.ts';
import type { Dialer } from '../dialing/dialer.ts';
import type { Caller, Dialing } from '../dialing/dialing.ts';
import type { Timed } from '../../clock/time-limits.ts';
import { intoBuffer } from '../../http1/read-buffer.ts';

/** The fast lane's connections to one backend. */
export class RelayConnections {
  /** Idle ones, and those being made, included. */
  open = 0;
  /** Above 0 most of its responses are large, below it small. Within bounds that the pool sets. */
  leaning = 0;
  /** The latest used last. */
  readonly idle: BackendConnection[] = [];
}

/** Who a connection to a backend works for at the moment. */
export interface BackendUser {
  onConnected(): void;
  onBackendBytes(bytes: Buffer): void;
  /** What was written has gone; more may be. */
  onBackendDrained(): void;
  /** The backend has ended its side in good order. */
  onBackendEnd(): void;
  /** The connection is gone. Called once, and nothing after it. */
  onBackendGone(cause: Error): void;
}

/** One connection to a backend, for one user after the other. Its listeners are attached once. */
export class BackendConnection implements Timed, Caller {
  due = Infinity;
  /** Those of its backend. */
  readonly siblings: RelayConnections;
  /** Null until it is connected. */
  socket: Socket | null = null;
  /** Null while it is idle. */
  user: BackendUser | null;
  /** It has served a request before: the backend may have closed it, and we not heard of it yet. */
  isReused = false;
  /** When it became idle, ms. */
  idleSince = 0;
  /** The backend's name leads elsewhere now: it is not kept for another request. */
  isMoved = false;
  /** It reads into the shared buffer, which is best for small answers; large ones would have to be copied out of it. */
  readonly isForSmall: boolean;
  readonly #isShared: boolean;
  readonly #dialing: Dialing;
  #cause: Error | null = null;
  #onGone: (connection: BackendConnection) => void;

  /** @param isForSmall not taken for TLS. @param onGone told once, before the user, when it cannot be used any more */
  constructor(
    backend: Backend,
    siblings: RelayConnections,
    user: BackendUser,
    isForSmall: boolean,
    dialer: Pick<Dialer, 'dial'>,
    onGone: (connection: BackendConnection) => void,
  ) {
    this.isForSmall = isForSmall;
    this.siblings = siblings;
    this.user = user;
    this.#onGone = onGone;
    this.#isShared = isForSmall && backend.protocol === 'http:';
    this.#dialing = dialer.dial(backend, this, this.#isShared ? intoBuffer(this.#onBytes) : null);
  }

  onSocket(socket: Socket): void {
    this.socket = socket;
    if (!this.#isShared) socket.on('data', this.#onBytes);
    socket
      .on('drain', () => this.user?.onBackendDrained())
      .on('end', () => this.#onEnd())
      .on('error', (error) => {
        this.#cause = error;
      })
      .on('close', () => this.#onClose());
    this.user?.onConnected();
  }

  onNoSocket(cause: Error): void {
    this.#cause = cause;
    this.#onClose();
  }

  /** Whether the backend has not closed it, as far as is known. */
  get isOpen(): boolean {
    return this.socket !== null && !this.socket.destroyed && !this.socket.readableEnded;
  }

  onMoved(): void {
    this.isMoved = true;
    if (this.user === null) this.destroy();
  }

  /** An idle connection has lasted long enough. */
  onTimeout(): void {
    this.destroy();
  }

  /** Ends it without a word to its user. */
  destroy(): void {
    this.user = null;
    this.#tellGone();
    this.#dialing.cancel();
    this.socket?.destroy();
  }

  readonly #onBytes = (bytes: Buffer): void => {
    // Bytes that nobody asked for must not be taken for the answer to the next request.
    if (this.user === null) this.destroy();
    else this.user.onBackendBytes(bytes);
  };

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

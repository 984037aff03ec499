import type { Socket } from 'node:net';

/** The caller of `dial`. `onSocket` or `onNoSocket` is called once, never within `dial`, and not after `cancel`. */
export interface Caller {
  /** The socket is connected, including TLS, and has no listeners. */
  onSocket(socket: Socket): void;
  onNoSocket(cause: Error): void;
  /**
   * The backend's name now resolves elsewhere: the connection should not serve another request. Called at most once,
   * after `onSocket`.
   */
  onMoved?(): void;
}

/** A connection being made. */
export interface Dialing {
  /** Cancels: the caller is not called. Idempotent. Does nothing after the caller was called. */
  cancel(): void;
}

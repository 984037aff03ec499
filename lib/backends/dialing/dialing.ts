import type { Socket } from 'node:net';

/** Who wants a connection. One of the two is called, once and never from within `dial`, unless it calls off the dialing. */
export interface Caller {
  /** It can be used: it is connected, TLS included, and nobody listens to it. */
  onSocket(socket: Socket): void;
  onNoSocket(cause: Error): void;
  /**
   * The backend's name leads elsewhere now: the connection is not to serve another request. Called once at most, after
   * `onSocket`.
   */
  onMoved?(): void;
}

/** A connection on its way. */
export interface Dialing {
  /** Calls it off: nobody is told anything. Idempotent, and nothing happens once the caller was told. */
  cancel(): void;
}

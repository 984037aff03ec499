import type { ClientStream } from '../http1/client-stream.ts';
import type { EndReads, ReadAccepted } from '../http1/read-buffer.ts';

/** Handles the events of a client's socket. The functions are bound. */
export interface SocketHandler {
  /** @param bytes good for the time of the call only */
  readonly onData: (bytes: Buffer) => void;
  readonly onDrain: () => void;
  /** The client has ended its side. */
  readonly onEnd: () => void;
  readonly onClose: () => void;
}

/** Listens to a client's socket, until it is closed or given to the full lane. */
export class SocketEvents {
  readonly #socket: ClientStream;
  readonly #handler: SocketHandler;
  /** Null where the socket's stream gives the bytes. */
  readonly #endReads: EndReads | null;

  constructor(socket: ClientStream, handler: SocketHandler, readAccepted: ReadAccepted) {
    this.#socket = socket;
    this.#handler = handler;
    this.#endReads = readAccepted(socket, handler.onData);
    socket
      .on('drain', handler.onDrain)
      .on('end', handler.onEnd)
      .on('error', this.#onError)
      .on('close', handler.onClose);
  }

  /** Begins to read. The socket may be paused, and have been read from. */
  start(): void {
    const socket = this.#socket;
    const { onData } = this.#handler;
    if (this.#endReads === null) {
      socket.on('data', onData).resume();
      return;
    }
    const first = socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
    socket.resume();
    if (first !== null) onData(first);
  }

  /** Removes all listeners: the socket lives on. */
  end(): void {
    const { onData, onDrain, onEnd, onClose } = this.#handler;
    this.#endReads?.();
    this.#socket.off('data', onData).off('drain', onDrain).off('end', onEnd).off('error', this.#onError);
    this.#socket.off('close', onClose);
  }

  readonly #onError = (): void => {
    this.#socket.destroy();
  };
}

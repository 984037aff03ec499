import { type ConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

type Written = (error?: Error | null) => void;

/** The other side has closed the connection, or its own half for reading. */
const CLOSED = new Set(['EPIPE', 'ECONNRESET']);

/**
 * A socket that is read to its end although it cannot be written to any more: a backend that answers before it has read
 * all, 413 for instance, and closes, would be cut off from its client with the answer standing in the socket. Node
 * destroys a socket at the first write that fails; here that write fails when there is nothing left to read.
 */
export class BackendSocket extends Socket {
  #callback: Written = () => {};
  #fault: Error | null = null;

  /** @param onread where bytes are read to; null for `data` events */
  constructor(onread: OnReadOpts | null) {
    // Node's types have it with `connect()`, which makes a socket of its options.
    const options: SocketConstructorOpts & ConnectOpts = onread === null ? {} : { onread };
    super(options);
  }

  override _write(chunk: unknown, encoding: BufferEncoding, callback: Written): void {
    this.#callback = callback;
    // oxlint-disable-next-line no-underscore-dangle -- the name that Node's streams have for it
    super._write(chunk, encoding, this.#onWritten);
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], callback: Written): void {
    this.#callback = callback;
    // oxlint-disable-next-line no-underscore-dangle -- likewise
    super._writev?.(chunks, this.#onWritten);
  }

  // One write is under way at a time.
  readonly #onWritten: Written = (error) => {
    if (!error || !isClosed(error) || this.readableEnded || this.#fault !== null) return this.#callback(error);
    this.#fault = error;
    this.once('end', () => this.#callback(this.#fault));
  };
}

function isClosed({ code }: Error & { readonly code?: string }): boolean {
  return CLOSED.has(code ?? '');
}

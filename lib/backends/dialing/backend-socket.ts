import { type ConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

type Written = (error?: Error | null) => void;

/** The other side has closed the connection, or its own half for reading. */
const CLOSED = new Set(['EPIPE', 'ECONNRESET']);

/**
 * A socket that is read to its end although it cannot be written to any more: a backend that answers before it has read
 * all, 413 for instance, and closes, would be cut off from its client with the response standing in the socket. Node
 * destroys a socket at the first write that fails; here that write fails when there is nothing left to read.
 */
export class BackendSocket extends Socket {
  #callback: Written = () => {};
  #fault: Error | null = null;
  #taken = 0;
  #isWriting = false;

  /** @param onread where bytes are read to; null for `data` events */
  constructor(onread: OnReadOpts | null) {
    // Node's types have it with `connect()`, which makes a socket of its options.
    const options: SocketConstructorOpts & ConnectOpts = onread === null ? {} : { onread };
    super(options);
  }

  override _write(chunk: unknown, encoding: BufferEncoding, callback: Written): void {
    this.#callback = callback;
    this.#taken++;
    this.#isWriting = true;
    // oxlint-disable-next-line no-underscore-dangle -- the name that Node's streams have for it
    super._write(chunk, encoding, this.#onWritten);
    this.#isWriting = false;
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], callback: Written): void {
    this.#callback = callback;
    this.#taken++;
    this.#isWriting = true;
    // oxlint-disable-next-line no-underscore-dangle -- likewise
    super._writev?.(chunks, this.#onWritten);
    this.#isWriting = false;
  }

  /** Writes of which the system took at least a byte, or may take one still. */
  get taken(): number {
    return this.#taken;
  }

  // One write is under way at a time.
  readonly #onWritten: Written = (error) => {
    // An error that comes from within the call is that of the first system call: it took nothing.
    if (error && this.#isWriting) this.#taken--;
    if (!error || !isClosed(error) || this.readableEnded || this.#fault !== null) return this.#callback(error);
    this.#fault = error;
    this.once('end', () => this.#callback(this.#fault));
  };
}

/**
 * Grows with everything that may have left by a connection to a backend: the same as before means that not a byte has. By
 * TLS what was encrypted counts, whether it left or not.
 */
export function sentBy(socket: Socket): number {
  return socket instanceof BackendSocket ? socket.taken : socket.bytesWritten;
}

function isClosed({ code }: Error & { readonly code?: string }): boolean {
  return CLOSED.has(code ?? '');
}

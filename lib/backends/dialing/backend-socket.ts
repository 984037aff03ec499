import { type ConnectOpts, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

type Written = (error?: Error | null) => void;

/** The backend has closed the connection, or its half for reading. */
const CLOSED = new Set(['EPIPE', 'ECONNRESET']);

/**
 * A socket that is read to its end even after a write has failed. A backend may respond before it has read the whole
 * request, 413 for instance, and close: Node would destroy the socket at the first failed write, with the response
 * still in the socket. Here that write fails when there is nothing left to read.
 */
export class BackendSocket extends Socket {
  #callback: Written = () => {};
  #fault: Error | null = null;
  #taken = 0;
  #isWriting = false;

  /** @param onread the buffer for reads; null for `data` events */
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

  /** Writes of which the kernel has taken at least a byte, or still may. */
  get taken(): number {
    return this.#taken;
  }

  // Only one write is under way at a time.
  readonly #onWritten: Written = (error) => {
    // An error within the call is that of the first system call: the kernel took nothing.
    if (error && this.#isWriting) this.#taken--;
    if (!error || !isClosed(error) || this.readableEnded || this.#fault !== null) return this.#callback(error);
    this.#fault = error;
    this.once('end', () => this.#callback(this.#fault));
  };
}

/**
 * Grows with the bytes that may have been sent to a backend: an equal value means that not a byte was. With TLS
 * encrypted bytes count, even if not sent.
 */
export function sentBy(socket: Socket): number {
  return socket instanceof BackendSocket ? socket.taken : socket.bytesWritten;
}

function isClosed({ code }: Error & { readonly code?: string }): boolean {
  return CLOSED.has(code ?? '');
}

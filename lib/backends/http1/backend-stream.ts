import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { sentBy } from '../dialing/backend-socket.ts';
import { ResponseStream } from '../../http1/response-stream.ts';
import { NotHttp, type Wire } from '../backend-request.ts';

/** The full lane's connections to one backend: those of Node's agent. */
export class AgentConnections {
  /** Idle ones, and those being made, included. A tunnel is none of them any more. */
  open = 0;
  /** The latest used last. */
  readonly idle: BackendStream[] = [];
}

type Done = (error?: Error | null) => void;

/**
 * A connection to a backend as Node's HTTP client is given it: what it reads are responses in the strict grammar, whatever
 * liberties the backend took that have one reading. Node's own `insecureHTTPParser` would take more: bytes without a line
 * end behind a chunk, control bytes in values, both Content-Length and Transfer-Encoding. Destroyed with a NotHttp when what
 * comes is no response.
 */
export class BackendStream extends Duplex implements Wire {
  readonly connecting = false;
  readonly #socket: Socket;
  readonly #responses = new ResponseStream();
  #cause: Error | null = null;
  #hasEnded = false;
  /** When it became idle, `performance.now()`, ms. */
  idleSince = 0;
  /** It is not to be kept for a next request. */
  isLast = false;
  /** Those of its backend; null when it is none of them any more. */
  #siblings: AgentConnections | null;

  /** @param siblings it is counted there already */
  constructor(socket: Socket, siblings: AgentConnections) {
    // As a socket of Node's: its writable side ends with the other.
    super({ allowHalfOpen: false, decodeStrings: false });
    this.#socket = socket;
    this.#siblings = siblings;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose);
  }

  /** Grows with what may have left by it: see `sentBy`. */
  get sent(): number {
    return sentBy(this.#socket);
  }

  /** The responses so far leave no doubt where the next one begins. */
  get isKept(): boolean {
    return this.#responses.isKept;
  }

  /**
   * It was lost within a response. Node takes one that ends with its connection for whole then, whether the backend has
   * closed that or reset it.
   */
  get isBrokenOff(): boolean {
    return this.destroyed && !this.#hasEnded && this.#responses.isInBody;
  }

  /** It waits for a next request. */
  rest(): void {
    this.idleSince = performance.now();
    this.#siblings?.idle.push(this);
  }

  /** It does not wait any more. @returns whether it did */
  wake(): boolean {
    const idle = this.#siblings?.idle ?? [];
    const at = idle.lastIndexOf(this);
    if (at >= 0) idle.splice(at, 1);
    return at >= 0;
  }

  /** A request is sent by it. @param toHead it is HEAD. @param mayTunnel it asks for another protocol */
  expect(toHead: boolean, mayTunnel: boolean): void {
    this.#responses.start(toHead, mayTunnel);
  }

  /** After a 101, whose head was all that this read: the socket itself. It is the caller's from then on. */
  release(): Socket {
    this.#leave();
    const socket = this.#socket;
    // Errors are still listened to.
    socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    const rest = this.read() as Buffer | null;
    if (rest !== null) socket.unshift(rest);
    return socket;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void {
    this.#socket.write(chunk, encoding, this.#written(done));
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: Done): void {
    const socket = this.#socket;
    const last = chunks.length - 1;
    socket.cork();
    for (const [i, { chunk, encoding }] of chunks.entries()) {
      socket.write(chunk, encoding, i === last ? this.#written(done) : undefined);
    }
    socket.uncork();
  }

  override _final(done: Done): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return done();
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#leave();
    this.#socket.destroy();
    done(error);
  }

  /** What Node's agent and client ask of a socket. */
  setKeepAlive(isOn: boolean, delayMs: number): this {
    this.#socket.setKeepAlive(isOn, delayMs);
    return this;
  }

  setNoDelay(isOn: boolean): this {
    this.#socket.setNoDelay(isOn);
    return this;
  }

  setTimeout(timeoutMs: number): this {
    this.#socket.setTimeout(timeoutMs);
    return this;
  }

  ref(): this {
    this.#socket.ref();
    return this;
  }

  unref(): this {
    this.#socket.unref();
    return this;
  }

  /** Closes it when all that was written is away. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.#close();
    else this.once('finish', () => this.#close());
  }

  #leave(): void {
    if (this.#siblings === null) return;
    this.wake();
    this.#siblings.open--;
    this.#siblings = null;
  }

  #close(): void {
    this.#socket.destroySoon();
    this.destroy();
  }

  /** A socket that is read to its end first fails a write at that end: so does this. */
  #written(done: Done): Done {
    return (error) => {
      if (error && this.#hasEnded && !this.readableEnded && !this.destroyed) this.once('end', () => done(error));
      else done(error);
    };
  }

  readonly #onData = (bytes: Buffer): void => {
    const read = this.#responses.read(bytes);
    if (read === null) this.destroy(new NotHttp(this.#responses.fault));
    else if (read.length > 0 && !this.push(read)) this.#socket.pause();
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.push(null);
    // Between requests there is no one to read to the end.
    this.read(0);
  };

  readonly #onError = (cause: Error): void => {
    this.#cause = cause;
  };

  readonly #onClose = (): void => {
    if (!this.#hasEnded) this.destroy(this.#cause ?? undefined);
  };
}

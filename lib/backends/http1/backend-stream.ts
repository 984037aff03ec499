import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { sentBy } from '../dialing/backend-socket.ts';
import { ResponseStream } from '../../http1/response-stream.ts';
import { NotHttp, type Wire } from '../backend-request.ts';

/** The full lane's connections to one backend: those of Node's agent. */
export class AgentConnections {
  /** Number of connections, including idle ones and those being made, without tunnels. */
  open = 0;
  /** In order of last use. */
  readonly idle: BackendStream[] = [];
}

type Done = (error?: Error | null) => void;
/** An error is followed by `close`. */
const ignore = (): void => {};

/**
 * A connection to a backend for Node's HTTP client. It contains the responses in the strict grammar: a lenient
 * response with only one interpretation is rewritten. Node's own `insecureHTTPParser` accepts more: bytes without a
 * line end behind a chunk, control bytes in values, both Content-Length and Transfer-Encoding. Destroyed with a
 * NotHttp when the bytes are no response.
 */
export class BackendStream extends Duplex implements Wire {
  readonly connecting = false;
  readonly #socket: Socket;
  readonly #responses = new ResponseStream();
  #cause: Error | null = null;
  #hasEnded = false;
  /** When it became idle, `performance.now()`, ms. */
  idleSince = 0;
  /** Close the connection after the current request. */
  isLast = false;
  /** Called when the socket was given away by `release`. */
  onReleased = ignore;
  /** The connections of its backend; null when it is no longer one of them. */
  #siblings: AgentConnections | null;

  /** @param siblings already counts this connection */
  constructor(socket: Socket, siblings: AgentConnections) {
    // Like Node's sockets: the writable side ends with the readable side.
    super({ allowHalfOpen: false, decodeStrings: false });
    this.#socket = socket;
    this.#siblings = siblings;
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose);
  }

  /** Grows with the bytes sent: see `sentBy`. */
  get sent(): number {
    return sentBy(this.#socket);
  }

  /** It is certain where the next response begins. */
  get isKept(): boolean {
    return this.#responses.isKept;
  }

  /**
   * The connection was lost within a response. If the response ends with its connection, Node considers it whole,
   * whether the backend has closed or reset it.
   */
  get isBrokenOff(): boolean {
    return this.destroyed && !this.#hasEnded && this.#responses.isInBody;
  }

  /** The connection is idle. */
  rest(): void {
    this.idleSince = performance.now();
    this.#siblings?.idle.push(this);
  }

  /** Takes the connection out of the idle ones. @returns whether it was idle */
  wake(): boolean {
    const idle = this.#siblings?.idle ?? [];
    const at = idle.lastIndexOf(this);
    if (at >= 0) idle.splice(at, 1);
    return at >= 0;
  }

  /** A request is sent. @param toHead it is HEAD. @param mayTunnel it is an upgrade */
  expect(toHead: boolean, mayTunnel: boolean): void {
    this.#responses.start(toHead, mayTunnel);
  }

  /** Gives the socket to the caller, after a 101 of which only the head was read. */
  release(): Socket {
    this.#leave();
    this.onReleased();
    const socket = this.#socket;
    // A listener of its own would keep this stream, and the request, in memory for as long as the tunnel is open.
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose);
    socket.on('error', ignore);
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

  /** Methods that Node's agent and client call. */
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

  /** Closes the connection when its write buffer is empty. */
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

  /** A write fails after the end was read, as with a socket. */
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
    // Between requests nothing else reads, so the end would not be seen.
    this.read(0);
  };

  readonly #onError = (cause: Error): void => {
    this.#cause = cause;
  };

  readonly #onClose = (): void => {
    if (!this.#hasEnded) this.destroy(this.#cause ?? undefined);
  };
}

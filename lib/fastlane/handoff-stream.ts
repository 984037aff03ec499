import { Duplex } from 'node:stream';
import type { ClientStream } from '../http1/client-stream.ts';
import type { HeldPart } from './held-body.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import { kept } from '../http1/read-buffer.ts';
import type { ReadRequest } from './request-grammar.ts';
import { headForNode } from './stand-in-request.ts';

/** A client's connection, as a HandoffStream sees it. */
export interface HandoffClient {
  readonly socket: ClientStream;
  pause(): void;
  resume(): void;
  /** The exchange has ended. @param isLast the connection must be closed gracefully */
  finished(isLast: boolean, backend: null): void;
  /** Destroys the connection. */
  cut(): void;
}

/**
 * One exchange handed off to the full lane, as a stream that contains exactly one request and takes its response.
 * Afterwards the fast lane has the connection again, unless the full lane has ended the stream.
 */
export class HandoffStream extends Duplex implements ConnectionOwner {
  readonly #client: HandoffClient;
  /** The request's body is complete. */
  #isWhole: boolean;
  /** The full lane has ended the stream. */
  #isLast = false;
  /** The body is malformed, or part of it is lost: no next request can be found behind it. */
  #isSpoilt: boolean;
  #isResponding = false;
  #isOver = false;
  #onWritten: (() => void) | null = null;

  /** @param isWhole the request's body is complete @param isBodyLost the stream will not contain the body */
  constructor(client: HandoffClient, isWhole: boolean, isBodyLost: boolean) {
    super({ decodeStrings: false });
    this.#client = client;
    this.#isWhole = isWhole;
    this.#isSpoilt = isBodyLost;
    // The full lane removes its listener before it destroys the stream.
    this.on('error', () => {});
  }

  /** Pushes the request's head, and the part of its body that has come. */
  open(request: ReadRequest, held: readonly HeldPart[]): void {
    this.push(Buffer.from(headForNode(request), 'latin1'));
    for (const part of held) this.push(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  }

  onBody(bytes: Buffer | null, isWhole: boolean): void {
    this.#isWhole = isWhole;
    if (bytes !== null && !this.#isSpoilt && !this.push(kept(bytes))) this.#client.pause();
  }

  /** Passes the bytes unparsed: the full lane responds with the error. */
  onBadBody(rest: Buffer): void {
    if (!this.#isSpoilt) this.push(kept(rest));
    this.#isSpoilt = true;
  }

  onClientDrained(): void {
    const onWritten = this.#onWritten;
    this.#onWritten = null;
    onWritten?.();
  }

  onClientGone(): void {
    this.#isOver = true;
    this.destroy();
  }

  /** Does nothing: the full lane has its own time limits. */
  onTimeout(): void {}

  /** The response was written, and the full lane reads no more of the body: the fast lane gets the connection back. */
  onResponded(): void {
    this.#isResponding = true;
    // If the stream has been ended but not flushed, `_final` does it.
    if (!this.destroyed && (this.#isLast || !this.writableEnded)) this.#leave(this.#isSpoilt || this.#isLast);
  }

  override _read(): void {
    if (!this.#isWhole) this.#client.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    const { socket } = this.#client;
    const isFlowing = typeof chunk === 'string' ? socket.write(chunk, encoding) : socket.write(chunk);
    this.#await(isFlowing, done);
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: () => void): void {
    const { socket } = this.#client;
    let isFlowing = true;
    socket.cork();
    for (const { chunk, encoding } of chunks) {
      isFlowing = typeof chunk === 'string' ? socket.write(chunk, encoding) : socket.write(chunk);
    }
    socket.uncork();
    this.#await(isFlowing, done);
  }

  override _final(done: () => void): void {
    this.#isLast = true;
    done();
    if (this.#isSpoilt || this.#isResponding) this.#leave(true);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.cut();
  }

  #await(isFlowing: boolean, done: () => void): void {
    if (isFlowing) done();
    else this.#onWritten = done;
  }

  #leave(isLast: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.destroy();
    this.#client.finished(isLast, null);
  }
}

import { Duplex } from 'node:stream';
import type { ClientStream } from '../http1/client-stream.ts';
import type { HeldPart } from './held-body.ts';
import type { ConnectionOwner } from './connection-owner.ts';
import { kept } from '../http1/read-buffer.ts';
import type { ReadRequest } from './request-grammar.ts';
import { headForNode } from './stand-in-request.ts';

/** A client's connection, as one who was lent it sees it. */
export interface HandoffClient {
  readonly socket: ClientStream;
  pause(): void;
  resume(): void;
  /** The exchange has ended. @param isLast the connection has to be closed, in good order */
  finished(isLast: boolean, backend: null): void;
  /** The connection is to be destroyed. */
  cut(): void;
}

/**
 * One exchange of a client's connection, lent to the full lane: a stream that gives exactly one request's bytes and
 * takes its answer's. Then the connection is the fast lane's again, unless the full lane has ended the stream.
 */
export class HandoffStream extends Duplex implements ConnectionOwner {
  readonly #client: HandoffClient;
  /** All of the request's body was passed on. */
  #isWhole: boolean;
  /** The full lane has ended the stream. */
  #isLast = false;
  /** The body is not what its head announced, or part of it is gone: no next request can be found behind it. */
  #isSpoilt: boolean;
  #isResponding = false;
  #isOver = false;
  #onWritten: (() => void) | null = null;

  /**
   * @param isWhole nothing of the request's body is left to come
   * @param isBodyLost nothing of it will be given
   */
  constructor(client: HandoffClient, isWhole: boolean, isBodyLost: boolean) {
    super({ decodeStrings: false });
    this.#client = client;
    this.#isWhole = isWhole;
    this.#isSpoilt = isBodyLost;
    // Whoever was lent it listens, and lets go of it before it is destroyed.
    this.on('error', () => {});
  }

  /** Gives the request's head, and what has come of its body. */
  open(request: ReadRequest, held: readonly HeldPart[]): void {
    this.push(Buffer.from(headForNode(request), 'latin1'));
    for (const part of held) this.push(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  }

  onBody(bytes: Buffer | null, isWhole: boolean): void {
    this.#isWhole = isWhole;
    if (bytes !== null && !this.#isSpoilt && !this.push(kept(bytes))) this.#client.pause();
  }

  /** As it came: the full lane says what is wrong with it. */
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

  /** The full lane's limits apply. */
  onTimeout(): void {}

  /** All of the answer was written, and the full lane wants nothing more of the body: the connection is given back. */
  onResponded(): void {
    this.#isResponding = true;
    // What is still to be written before the end comes first.
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

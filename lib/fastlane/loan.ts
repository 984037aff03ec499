import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { Occupant } from './occupant.ts';
import { kept } from './read-buffer.ts';

/** A client's connection, as one who was lent it sees it. */
export interface LoanClient {
  readonly socket: Socket;
  /** See OccupiedClient. */
  due: number;
  pause(): void;
  resume(): void;
  /** The loan is over. @param isLast the connection has to be closed, in good order */
  returned(isLast: boolean): void;
  /** The connection is to be destroyed. */
  cut(): void;
}

/**
 * One exchange of a client's connection, lent to the full lane: a stream that gives exactly one request's bytes and
 * takes its answer's. Then the connection is the fast lane's again, unless the full lane has ended the stream.
 */
export class Loan extends Duplex implements Occupant {
  readonly #client: LoanClient;
  /** All of the request's body was passed on. */
  #isWhole: boolean;
  /** The body is not what its head announced, or part of it is gone: no next request can be found behind it. */
  #isSpoilt: boolean;
  #isAnswered = false;
  #isOver = false;
  #onWritten: (() => void) | null = null;
  readonly #bodyDue: () => number;

  /**
   * @param isWhole nothing of the request's body is left to come
   * @param isBodyLost nothing of it will be given
   * @param bodyDue when the next part of a body is due, on the clock of `client.due`
   */
  constructor(client: LoanClient, isWhole: boolean, isBodyLost: boolean, bodyDue: () => number) {
    super({ decodeStrings: false });
    this.#client = client;
    this.#isWhole = isWhole;
    this.#isSpoilt = isBodyLost;
    this.#bodyDue = bodyDue;
    // Whoever was lent it listens, and lets go of it before it is destroyed.
    this.on('error', () => {});
  }

  onBody(bytes: Buffer | null, isWhole: boolean): void {
    this.#isWhole = isWhole;
    if (bytes !== null && !this.#isSpoilt && !this.push(kept(bytes))) this.#client.pause();
    this.#return();
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

  /** The full lane's limits apply until it has answered; then the rest of the body has not come in time. */
  ring(): void {
    if (this.#isAnswered) this.#client.cut();
  }

  /** All of the answer was written. */
  onAnswered(): void {
    this.#isAnswered = true;
    this.#return();
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
    done();
    this.#leave(true);
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

  /** Gives the connection back once both the request and the answer are through. */
  #return(): void {
    if (!this.#isAnswered || this.writableEnded || this.destroyed) return;
    if (this.#isWhole) this.#leave(this.#isSpoilt);
    else this.#client.due = this.#bodyDue();
  }

  #leave(isLast: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.destroy();
    this.#client.returned(isLast);
  }
}

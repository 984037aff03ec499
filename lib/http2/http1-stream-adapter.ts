import { Duplex } from 'node:stream';
import { trailerFields } from '../core/http/trailers.ts';
import { kept } from '../http1/read-buffer.ts';
import { acceptOf } from '../http1/websocket-accept.ts';
import { CODE } from './frames/frames.ts';
import type { InnerRequest } from './inner-request.ts';
import { fieldsWithout, responseFields, valueOf } from './response-fields.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';
import type { ServerStream, StreamReceiver } from './stream.ts';

/** What an adapter reports to its session. */
export interface StreamAdapterOwner {
  /** The response was sent, and the adapter can take another stream. */
  onFree(adapter: Http1StreamAdapter): void;
  /** The adapter is closed. */
  onGone(adapter: Http1StreamAdapter): void;
  /** The response has a Priority field (RFC 9218 §8). */
  onPriority(stream: ServerStream, value: string): void;
}

/** How many bytes of a response may wait here before the router is paused. */
const HOLD_BYTES = 65_536;

/**
 * An HTTP/1.1 connection to the router's lanes, for the streams of an HTTP/2 session: one request and response at a
 * time. If the lanes close it before the response is complete, the stream is reset. If the client resets the stream,
 * the lanes see a closed connection.
 */
export class Http1StreamAdapter extends Duplex implements ResponseSink, StreamReceiver {
  readonly #owner: StreamAdapterOwner;
  readonly #response = new ResponseReader(this);
  #request: InnerRequest | null = null;
  #stream: ServerStream | null = null;
  /** The whole request was received. */
  #isWhole = true;
  /** The whole response was sent, and the rest of the request is still being received. */
  #isResponseSent = false;
  /** Bytes of the request body that the lanes have not taken. */
  #unread = 0;
  #onWritten: ((error?: Error) => void) | null = null;
  /** The last of these bytes, joined: each of many small DATA frames would otherwise take 500 bytes of memory. */
  #held: Buffer | null = null;
  #heldBytes = 0;
  #isBlocked = false;
  /** Bytes were copied to the session's buffer when a write is done. */
  readonly mayBorrow = true;
  /** It takes no further stream: the full lane keeps it, and the next stream is for the fast lane. */
  isLast: boolean;

  /** @param isLast it takes one stream only */
  constructor(owner: StreamAdapterOwner, isLast: boolean) {
    // Of what the lanes have not taken, the stream's window limits the bytes, and `#held` the number of pieces.
    super({ decodeStrings: false, writableHighWaterMark: HOLD_BYTES, readableHighWaterMark: 1 });
    this.#owner = owner;
    this.isLast = isLast;
    // The lane that serves it removes its own listeners before it is destroyed.
    this.on('error', () => {});
  }

  /** Serves a stream. */
  attach(stream: ServerStream, request: InnerRequest): void {
    this.#request = request;
    this.#stream = stream;
    this.#isWhole = stream.isWhole;
    this.#isResponseSent = false;
    this.#unread = 0;
    this.#held = null;
    this.#heldBytes = 0;
    this.#response.start(request.method === 'HEAD', request.webSocketKey !== null);
    stream.receiver = this;
    this.push(Buffer.from(request.text, 'latin1'));
  }

  onInformation(status: number, fields: readonly string[]): void {
    this.#stream?.respond(status, responseFields(fields), false);
  }

  onSwitched(fields: readonly string[]): void {
    if (valueOf('sec-websocket-accept', fields) !== acceptOf(this.#request?.webSocketKey ?? '')) return this.onFault();
    this.#stream?.respond(200, fieldsWithout('sec-websocket-accept', responseFields(fields)), false);
    if (this.#isWhole) this.push(null);
  }

  onHead(status: number, fields: readonly string[], hasBody: boolean): void {
    const stream = this.#stream;
    if (stream === null) return;
    // RFC 9110 §15.3.6: a 205 response has no content. Content that a backend sends is dropped.
    if (status === 205 && hasBody) return this.#endWith(stream, status, fieldsWithout('content-length', fields));
    // The end of the stream marks the end of the content. Without Content-Length a client reads on until then: curl
    // 7.88 stops sending its body once it has all bytes that a 2xx response announced, and waits for ever.
    const told = this.#isWhole || status >= 300 ? fields : fieldsWithout('content-length', fields);
    const priority = valueOf('priority', fields);
    if (priority !== null) this.#owner.onPriority(stream, priority);
    stream.respond(status, responseFields(told), !hasBody);
  }

  onBody(data: Buffer | string, isLast: boolean): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.#isBlocked = !stream.write(data);
    if (isLast) stream.end();
  }

  onBodyEnd(trailers: readonly string[]): void {
    this.#stream?.end(responseFields(trailers));
  }

  onFault(): void {
    this.destroy();
  }

  onData(bytes: Buffer): void {
    const isWaiting = this.#unread > 0;
    if (isWaiting) this.#hold(bytes);
    if (isWaiting || !this.push(this.#request?.isChunked ? chunkOf(bytes) : kept(bytes))) this.#unread += bytes.length;
    else this.#stream?.consume(bytes.length);
  }

  onEnd(trailers: readonly string[]): void {
    this.#pushHeld();
    if (this.#request?.isTunnel) {
      // Before the response, the lanes would take it for a client that has left.
      if (this.#response.isTunnel) this.push(null);
    } else if (this.#request?.isChunked) {
      let text = '0\r\n';
      for (const [name, value] of trailerFields(trailers)) text += `${name}: ${value}\r\n`;
      this.push(Buffer.from(`${text}\r\n`, 'latin1'));
    }
    this.#isWhole = true;
    if (this.#isResponseSent) this.#release();
  }

  onLeft(): boolean {
    // A client that has its response may stop sending its request.
    const isHarmless = this.#response.isTunnel || this.#isResponseSent;
    this.#detach();
    this.destroy();
    return isHarmless;
  }

  onDrain(): void {
    if (this.#isBlocked && this.#stream?.isEnding === false) this.#written();
  }

  onSent(): void {
    if (this.#stream === null) return;
    this.#isResponseSent = true;
    this.#written();
    // The lanes read the rest of the request body. Resetting the stream now is allowed (RFC 9113 §8.1), but some
    // clients report it as a failure.
    if (this.#isWhole) this.#release();
  }

  override _read(): void {
    if (this.#unread === 0) return;
    const taken = this.#unread - this.#heldBytes;
    this.#unread = this.#heldBytes;
    this.#stream?.consume(taken);
    this.#pushHeld();
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#isBlocked = false;
    this.#onWritten = done;
    this.#response.read(chunk);
    const stream = this.#stream;
    // The write that ends a response is done only when it is in the kernel: a worker that exits waits for that.
    if (stream !== null && stream.isEnding && !this.#isResponseSent) return;
    if (!this.#isBlocked || stream === null) this.#written();
  }

  override _final(done: () => void): void {
    done();
    if (this.#response.isTunnel) this.#stream?.end();
    else setImmediate(() => this.destroy());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const stream = this.#stream;
    this.#detach();
    this.#response.stop();
    stream?.keep();
    // Node does not call back for a write that was begun. What it wrote may be in lent memory.
    const written = this.#onWritten;
    this.#onWritten = null;
    written?.(error ?? new Error('the stream is closed'));
    if (stream !== null && !stream.isClosed) {
      // RFC 9113 §8.1: an incomplete response must not look complete.
      if (!stream.isEnding) stream.reset(CODE.internal);
      else if (!this.#isWhole) stream.abandon();
    }
    this.#owner.onGone(this);
    done(error);
  }

  /** Adds bytes to those that are held. */
  #hold(bytes: Buffer): void {
    const length = this.#heldBytes + bytes.length;
    if (this.#held === null || this.#held.length < length) {
      const larger = Buffer.allocUnsafe(2 * length);
      this.#held?.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldBytes);
    this.#heldBytes = length;
  }

  /** Gives the lanes the bytes that are held. */
  #pushHeld(): void {
    if (this.#held === null) return;
    const bytes = this.#held.subarray(0, this.#heldBytes);
    this.#held = null;
    this.#heldBytes = 0;
    this.push(this.#request?.isChunked ? chunkOf(bytes) : bytes);
  }

  /** The exchange is over: releases the adapter. */
  #release(): void {
    this.#detach();
    if (!this.isLast && !this.destroyed && !this.writableEnded) {
      this.#owner.onFree(this);
    } else {
      setImmediate(() => this.destroy());
    }
  }

  #written(): void {
    const done = this.#onWritten;
    this.#onWritten = null;
    done?.();
  }

  #detach(): void {
    if (this.#stream !== null) this.#stream.receiver = null;
    this.#stream = null;
  }

  /** Sends a response head that ends the stream, then closes the connection to the lane, which has a body to send. */
  #endWith(stream: ServerStream, status: number, fields: readonly string[]): void {
    this.isLast = true;
    this.#response.stop();
    stream.respond(status, responseFields(fields), true);
  }
}

/** The bytes as a chunk (RFC 9112 §7.1), in memory of its own. */
function chunkOf(bytes: Buffer): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2);
  chunk.write(size, 0, 'latin1');
  bytes.copy(chunk, size.length);
  chunk[chunk.length - 2] = 13;
  chunk[chunk.length - 1] = 10;
  return chunk;
}

import { constants, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { trailerFields } from '../core/http/trailers.ts';
import { acceptOf } from '../http1/websocket-accept.ts';
import { responseFields, noteStrictness, trailerSection } from './response-fields.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';
import type { InnerRequest } from './inner-request.ts';

/** What an adapter reports to its session. */
export interface StreamAdapterOwner {
  /** The response was sent, and the adapter can take another stream. */
  onFree(adapter: Http1StreamAdapter): void;
  /** The adapter is closed. */
  onGone(adapter: Http1StreamAdapter): void;
  /** The client reset its stream. */
  onReset(): void;
  /**
   * node:http2 refuses to send the response, and the stream was reset. The lanes have already logged the response as
   * sent.
   */
  onUnsent(error: unknown): void;
}

/** How many bytes of a response may wait here before the router is paused. */
const HOLD_BYTES = 65_536;

/**
 * An HTTP/1.1 connection to the router's lanes, for the streams of an HTTP/2 session: one request and response at a
 * time. If the lanes close it before the response is complete, the stream is reset. If the client resets the stream,
 * the lanes see a closed connection.
 */
export class Http1StreamAdapter extends Duplex implements ResponseSink {
  readonly #owner: StreamAdapterOwner;
  readonly #response = new ResponseReader(this);
  #request: InnerRequest | null = null;
  #stream: ServerHttp2Stream | null = null;
  /** The whole request was received. */
  #isWhole = true;
  /** The end of the response was written to the stream, which may have to wait before it can send it. */
  #isEnding = false;
  /** The whole response was sent, and the rest of the request is still being received. */
  #isResponseSent = false;
  /** Names and values in turn: the trailers of the request and of the response. */
  #sentTrailers: readonly string[] = [];
  #trailers: string[] = [];
  #onWritten: (() => void) | null = null;
  #isBlocked = false;
  /** It takes no further stream: the full lane keeps it, and the next stream is for the fast lane. */
  isLast: boolean;

  /** @param isLast it takes one stream only */
  constructor(owner: StreamAdapterOwner, isLast: boolean) {
    super({ decodeStrings: false, writableHighWaterMark: HOLD_BYTES });
    this.#owner = owner;
    this.isLast = isLast;
    // The lane that serves it removes its own listeners before it is destroyed.
    this.on('error', () => {});
  }

  /**
   * Serves a stream.
   * @param isWhole the request has no body
   * @param trailers names and values in turn; filled by the end of the body
   */
  attach(stream: ServerHttp2Stream, request: InnerRequest, isWhole: boolean, trailers: readonly string[]): void {
    this.#request = request;
    this.#stream = stream;
    this.#isWhole = isWhole && !request.isTunnel;
    this.#isEnding = false;
    this.#isResponseSent = false;
    this.#sentTrailers = trailers;
    this.#response.start(request.method === 'HEAD', request.webSocketKey !== null);
    stream.on('aborted', this.#onLeft).on('close', this.#onLeft);
    if (!this.#isWhole) {
      stream.on('data', this.#onData).on('end', this.#onEnd);
    }
    this.push(Buffer.from(request.text, 'latin1'));
  }

  onInformation(status: number, fields: readonly string[]): void {
    this.#send((stream) => stream.additionalHeaders(responseFields(status, fields)));
  }

  onSwitched(fields: readonly string[]): void {
    const headers = responseFields(200, fields);
    const accept = headers['sec-websocket-accept'];
    delete headers['sec-websocket-accept'];
    if (accept !== acceptOf(this.#request?.webSocketKey ?? '')) return this.onFault();
    this.#send((stream) => stream.respond(headers));
  }

  onHead(status: number, fields: readonly string[], hasBody: boolean, mayHaveTrailers: boolean): void {
    // RFC 9110 §15.3.6: a 205 response has no content, and Node sends none. Content that a backend sends is dropped.
    if (status === 205 && hasBody) return this.#endWith(status, withoutLength(fields));
    // The end of the stream marks the end of the content. Without Content-Length a client reads on until then: curl
    // 7.88 stops sending its body once it has all bytes that a 2xx response announced, and waits for ever.
    const told = this.#isWhole || status >= 300 ? fields : withoutLength(fields);
    // A list per response: the stream may request trailers when the adapter already serves the next stream.
    const trailers: string[] = [];
    this.#trailers = trailers;
    this.#send((stream) => {
      stream.respond(responseFields(status, told), { endStream: !hasBody, waitForTrailers: mayHaveTrailers });
      if (mayHaveTrailers) stream.once('wantTrailers', () => this.#sendTrailers(stream, trailers));
    });
  }

  onData(data: Buffer | string, isLast: boolean): void {
    const stream = this.#stream;
    if (stream === null) return;
    if (isLast) {
      this.#isEnding = true;
      stream.end(data, 'latin1');
    } else {
      this.#isBlocked = !stream.write(data, 'latin1');
    }
  }

  onEnd(trailers: readonly string[]): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.#isEnding = true;
    this.#trailers.push(...trailers);
    if (stream.writableFinished) this.#onSent();
    else stream.once('finish', this.#onSent);
    if (!stream.writableEnded) stream.end();
  }

  onFault(): void {
    this.destroy();
  }

  override _read(): void {
    if (!this.#isWhole) this.#stream?.resume();
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.#isBlocked = false;
    this.#onWritten = done;
    this.#response.read(chunk);
    // The write that ends a response is done only when the stream has sent it: a worker that exits waits for that.
    if (this.#isEnding && !this.#isResponseSent && this.#stream !== null) return;
    if (this.#isBlocked) this.#stream?.once('drain', this.#onDrain);
    else this.#written();
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
    if (stream !== null && !stream.closed) {
      // RFC 9113 §8.1: an incomplete response must not look complete. `close` would end the stream before resetting it;
      // an error resets it with INTERNAL_ERROR and does nothing else.
      if (!stream.writableEnded) stream.destroy(new Error('the response is incomplete'));
      else if (!this.#isWhole) stream.close(constants.NGHTTP2_NO_ERROR);
    }
    this.#owner.onGone(this);
    done(error);
  }

  readonly #onData = (bytes: Buffer): void => {
    let isFlowing: boolean;
    if (this.#request?.isChunked) {
      this.push(Buffer.from(`${bytes.length.toString(16)}\r\n`, 'latin1'));
      this.push(bytes);
      isFlowing = this.push(Buffer.from('\r\n', 'latin1'));
    } else {
      isFlowing = this.push(bytes);
    }
    if (!isFlowing) this.#stream?.pause();
  };

  readonly #onEnd = (): void => {
    // A stream that was reset emits `end`, too.
    const stream = this.#stream;
    if (stream === null || stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    if (this.#request?.isTunnel) this.#end(null);
    // Node may emit `end` a moment before `trailers`.
    else if (this.#request?.isChunked) process.nextTick(this.#onTrailersOver, stream);
    else this.#onWhole();
  };

  readonly #onTrailersOver = (stream: ServerHttp2Stream): void => {
    if (stream !== this.#stream) return;
    let text = '0\r\n';
    for (const [name, value] of trailerFields(this.#sentTrailers)) text += `${name}: ${value}\r\n`;
    this.#end(Buffer.from(`${text}\r\n`, 'latin1'));
  };

  #end(last: Buffer | null): void {
    this.push(last);
    this.#onWhole();
  }

  /** The whole request was received. */
  #onWhole(): void {
    this.#isWhole = true;
    if (this.#isResponseSent) this.#release();
  }

  readonly #onDrain = (): void => this.#written();

  /** The stream is closed, or its client has reset it. */
  readonly #onLeft = (): void => {
    const stream = this.#stream;
    if (stream === null) return;
    // Node may close a stream whose end it has sent without emitting `finish`.
    const isInOrder = this.#isEnding && stream.rstCode === constants.NGHTTP2_NO_ERROR;
    if (isInOrder && !this.#isResponseSent) return this.#onSent();
    // A client that has its response may stop sending its request.
    const isHarmless = this.#response.isTunnel || this.#isResponseSent;
    this.#detach();
    if (!isHarmless) this.#owner.onReset();
    this.destroy();
  };

  /** The response was sent. */
  readonly #onSent = (): void => {
    const stream = this.#stream;
    if (stream === null) return;
    this.#isResponseSent = true;
    this.#written();
    // The lanes read the rest of the request body. Resetting the stream now is allowed (RFC 9113 §8.1), but some
    // clients report it as a failure.
    if (this.#isWhole) return this.#release();
    if (stream.closed || stream.destroyed) {
      this.#detach();
      setImmediate(() => this.destroy());
    }
  };

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
    const stream = this.#stream;
    if (stream === null) return;
    this.#stream = null;
    stream.off('aborted', this.#onLeft).off('close', this.#onLeft);
    stream.off('drain', this.#onDrain).off('finish', this.#onSent);
    if (!this.#isWhole) stream.off('data', this.#onData).off('end', this.#onEnd);
  }

  /** Sends a response head that ends the stream, then closes the connection to the lane, which has a body to send. */
  #endWith(status: number, fields: readonly string[]): void {
    this.isLast = true;
    this.#response.stop();
    this.#send((stream) => stream.respond(responseFields(status, fields), { endStream: true }));
    this.onEnd([]);
  }

  #send(what: (stream: ServerHttp2Stream) => void): void {
    const stream = this.#stream;
    if (stream === null || stream.closed || stream.destroyed) return;
    try {
      what(stream);
    } catch (error) {
      if (noteStrictness(error)) return this.#send(what);
      this.#owner.onUnsent(error);
      this.destroy();
    }
  }

  /** A response without its trailers is incomplete: the stream is reset when they cannot be sent. */
  #sendTrailers(stream: ServerHttp2Stream, fields: readonly string[]): void {
    try {
      stream.sendTrailers(trailerSection(fields));
    } catch (error) {
      if (noteStrictness(error)) return this.#sendTrailers(stream, fields);
      this.#owner.onUnsent(error);
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  }
}

/** The fields without Content-Length. @param fields names in lower case and values in turn */
function withoutLength(fields: readonly string[]): string[] {
  return fields.filter((_, i) => fields[i - (i % 2)] !== 'content-length');
}

import { constants, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { trailerFields } from '../core/http/trailers.ts';
import { acceptOf } from '../http1/websocket-accept.ts';
import { responseFields, noteStrictness, trailerSection } from './response-fields.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';
import type { InnerRequest } from './inner-request.ts';

/** Told of a adapter's life. */
export interface StreamAdapterOwner {
  /** The answer is away, and it could carry another stream. */
  onFree(adapter: Http1StreamAdapter): void;
  /** It is closed. */
  onGone(adapter: Http1StreamAdapter): void;
  /** A stream was broken off by its client. */
  onReset(): void;
  /** Node does not send what the answer holds, and its stream is reset. The lanes have passed it on, and logged it so. */
  onUnsent(error: unknown): void;
}

/** Bytes of an answer that wait here before the router is asked to stop. */
const HOLD_BYTES = 65_536;

/**
 * An HTTP/1.1 connection to the router's own lanes, inside of an HTTP/2 session: it carries one stream's request and
 * answer at a time, and another's after it. What the lanes do to a connection is done to the stream: one that they
 * close before its answer was whole is reset, and a client that resets its stream has closed the connection.
 */
export class Http1StreamAdapter extends Duplex implements ResponseSink {
  readonly #owner: StreamAdapterOwner;
  readonly #response = new ResponseReader(this);
  #request: InnerRequest | null = null;
  #stream: ServerHttp2Stream | null = null;
  /** All of the request has come. */
  #isWhole = true;
  /** The end of the answer has been given to the stream, which may have to wait until it may send it. */
  #isEnding = false;
  /** All of the answer is away, and the rest of the request still comes. */
  #isResponseSent = false;
  /** Names and values in turn: of the request, and of the answer. */
  #sentTrailers: readonly string[] = [];
  #trailers: string[] = [];
  #onWritten: (() => void) | null = null;
  #isBlocked = false;
  /** It carries no further stream: whom it belongs to now would treat that otherwise. */
  isLast: boolean;

  /** @param isLast it is for one stream alone */
  constructor(owner: StreamAdapterOwner, isLast: boolean) {
    super({ decodeStrings: false, writableHighWaterMark: HOLD_BYTES });
    this.#owner = owner;
    this.isLast = isLast;
    // Whoever serves it listens, and lets go of it before it is destroyed.
    this.on('error', () => {});
  }

  /**
   * Carries a stream.
   * @param isWhole no body comes with it
   * @param trailers names and values in turn; all there by the end of the body
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
    // RFC 9110 §15.3.6: 205 has no content, and Node sends none. What came all the same is nobody's.
    if (status === 205 && hasBody) return this.#endWith(status, withoutLength(fields));
    // The end of the stream says where the content ends. A client that has all the bytes that a Content-Length announced
    // may stop sending, and wait for ever for its own end: curl 7.88 does, of a 2xx. Without one it goes on to the end.
    const told = this.#isWhole || status >= 300 ? fields : withoutLength(fields);
    // A list for each answer: the stream may ask for it when the next one is being carried.
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
    // What ends an answer has been written when the stream has sent it: whoever waits for that may end the process then.
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
      // RFC 9113 §8.1: half of an answer must not look like a whole one. `close` would end it before it resets it; an
      // error resets it with INTERNAL_ERROR, and nothing else.
      if (!stream.writableEnded) stream.destroy(new Error('the answer is not whole'));
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
    // One that was broken off ends, too.
    const stream = this.#stream;
    if (stream === null || stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    if (this.#request?.isTunnel) this.#end(null);
    // Node may tell of the end first, and a moment later of the trailers.
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

  /** All of the request has come. */
  #onWhole(): void {
    this.#isWhole = true;
    if (this.#isResponseSent) this.#release();
  }

  readonly #onDrain = (): void => this.#written();

  /** The stream is closed, or its client has broken it off. */
  readonly #onLeft = (): void => {
    const stream = this.#stream;
    if (stream === null) return;
    // Node may close a stream whose end it has sent without a word of that.
    const isInOrder = this.#isEnding && stream.rstCode === constants.NGHTTP2_NO_ERROR;
    if (isInOrder && !this.#isResponseSent) return this.#onSent();
    // A client that has its answer may well keep the rest of the request to itself.
    const isHarmless = this.#response.isTunnel || this.#isResponseSent;
    this.#detach();
    if (!isHarmless) this.#owner.onReset();
    this.destroy();
  };

  /** The answer is away. */
  readonly #onSent = (): void => {
    const stream = this.#stream;
    if (stream === null) return;
    this.#isResponseSent = true;
    this.#written();
    // The lanes read the rest of the request, whoever it is for. To reset the stream now would be in order (RFC 9113
    // §8.1), but some clients take it for a failure.
    if (this.#isWhole) return this.#release();
    if (stream.closed || stream.destroyed) {
      this.#detach();
      setImmediate(() => this.destroy());
    }
  };

  /** The exchange is over. */
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

  /** Ends the stream with a head, and then the connection to the lane, which has more to say. */
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

  /** Without its trailers the answer is not whole. */
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

/** @param fields names in lower case and values in turn */
function withoutLength(fields: readonly string[]): string[] {
  return fields.filter((_, i) => fields[i - (i % 2)] !== 'content-length');
}

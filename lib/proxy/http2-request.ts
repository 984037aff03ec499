import { EventEmitter } from 'node:events';
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { withoutPseudo } from '../core/http2-fields.ts';
import type { Backend } from '../core/types.ts';
import { type BackendRequest, Dropped, NotHttp, Unfit } from './backend-request.ts';
import { Http2Answer } from './http2-answer.ts';
import type { BackendSession } from './http2-session.ts';
import type { Http2Sessions } from './http2-sessions.ts';
import { StreamEnd } from './http2-stream-end.ts';
import { switchingAnswer } from './http2-websocket.ts';

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants;
/** Codes that say that somebody does not keep to the protocol (RFC 9113 §7). */
const FAULTS = new Set<number>([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
]);

/** What Node tells of an answer's head; `raw`: names and values in turn. */
type RawAnswer = [headers: object, flags: number, raw: readonly string[]];

/** The head of a request for an HTTP/2 backend. */
export interface Http2Head {
  readonly fields: Record<string, string>;
  readonly isChunked: boolean;
  /** The client's Sec-WebSocket-Key; null where no WebSocket is asked for. */
  readonly webSocketKey: string | null;
}

/** A request to an HTTP/2 backend: one stream, with the manners of Node's ClientRequest. */
export class Http2Request extends EventEmitter implements BackendRequest {
  readonly #head: Http2Head;
  #leaveQueue: (() => void) | null = null;
  #session: BackendSession | null = null;
  #stream: ClientHttp2Stream | null = null;
  #end: StreamEnd | null = null;
  #answer: Http2Answer | null = null;
  #trailers: [string, string][] = [];
  #mayBeStale = false;
  destroyed = false;
  writableEnded = false;

  constructor(head: Http2Head, backend: Backend, sessions: Http2Sessions) {
    super();
    this.#head = head;
    // Whoever sends it has first to listen.
    setImmediate(() => {
      if (!this.destroyed) this.#leaveQueue = sessions.enter(backend, (session) => this.#onSession(session));
    });
  }

  /** Its connection was idle before. */
  get reusedSocket(): boolean {
    return this.#mayBeStale;
  }

  /** RFC 9113 §8.7. */
  get wasRefused(): boolean {
    return this.#stream?.rstCode === NGHTTP2_REFUSED_STREAM;
  }

  get #isWebSocket(): boolean {
    return this.#head.webSocketKey !== null;
  }

  get writableNeedDrain(): boolean {
    return this.#stream?.writableNeedDrain ?? false;
  }

  write(chunk: Buffer): boolean {
    return this.#stream?.write(chunk) ?? true;
  }

  addTrailers(fields: [string, string][]): void {
    this.#trailers = fields;
  }

  end(): void {
    this.writableEnded = true;
    if (!this.#isWebSocket) this.#stream?.end();
  }

  /** A stream's head is not held back. */
  flushHeaders(): void {}

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#leaveQueue?.();
    if (this.#stream === null) this.#onClose();
    else this.#stream.close(NGHTTP2_CANCEL);
  }

  #onSession(session: BackendSession): void {
    this.#session = session;
    this.#mayBeStale = session.mayBeStale;
    session.enter();
    if (session.connecting) session.once('ready', this.#open).once('lost', this.#fail);
    else this.#open();
    // After a failure there is nobody left to tell.
    if (!this.destroyed) this.emit('socket', session);
  }

  readonly #open = (): void => {
    if (this.destroyed || this.#session === null) return;
    const { fields, isChunked } = this.#head;
    if (this.#isWebSocket && !this.#session.takesWebSockets) {
      this.#fail(new Unfit('the backend does not take WebSockets by HTTP/2 (RFC 8441)'));
      return;
    }
    try {
      const isWhole = this.writableEnded && !this.#isWebSocket;
      this.#stream = this.#session.request(fields, isWhole, isChunked && !isWhole);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#end = new StreamEnd(this.#stream);
    this.#stream
      .on('drain', () => this.emit('drain'))
      .on('wantTrailers', () => this.#sendTrailers())
      .on('headers', (headers: object, _flags: number, raw: readonly string[]) => this.#onInformation(headers, raw))
      .once('response', (...answer: RawAnswer) => this.#onAnswer(...answer))
      .on('error', this.#fail)
      .once('close', () => this.#onClose());
  };

  #sendTrailers(): void {
    try {
      this.#stream?.sendTrailers(trailerSection(this.#trailers));
    } catch (error) {
      // Node refuses some names.
      this.#fail(error as Error);
    }
  }

  #onInformation(headers: object, rawHeaders: readonly string[]): void {
    const statusCode = statusOf(headers);
    if (statusCode === 101) {
      // RFC 9113 §8.6: there is no such thing.
      this.#fail(new NotHttp('a 101 in HTTP/2'));
      return;
    }
    const statusMessage = STATUS_CODES[statusCode] ?? '';
    this.emit('information', { statusCode, statusMessage, rawHeaders: withoutPseudo(rawHeaders) });
  }

  #onAnswer(headers: object, flags: number, raw: readonly string[]): void {
    if (this.#stream === null || this.#end === null || this.destroyed) return;
    const { webSocketKey } = this.#head;
    if (webSocketKey !== null) {
      if (Math.floor(statusOf(headers) / 100) === 2) {
        this.emit('upgrade', switchingAnswer(raw, webSocketKey), this.#stream, Buffer.alloc(0));
        return;
      }
      this.#stream.end();
    }
    const isToHead = this.#head.fields[':method'] === 'HEAD';
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const head = { status: statusOf(headers), headers: headers as IncomingHttpHeaders, raw, isToHead, isWhole };
    this.#answer = new Http2Answer(this.#stream, this.#end, head);
    this.emit('response', this.#answer);
    this.#answer.start();
  }

  readonly #fail = (cause: Error): void => {
    const told = this.#told(cause);
    if (this.#answer === null) this.emit('error', told);
    else this.#answer.breakOff(told);
    this.destroy();
  };

  #told(cause: Error): Error {
    if (this.#session?.hasDropped) return new Dropped(cause.message, { cause });
    const code = this.#stream?.rstCode ?? 0;
    return FAULTS.has(code) ? new NotHttp(cause.message, { cause }) : cause;
  }

  #onClose(): void {
    this.destroyed = true;
    this.#session?.off('ready', this.#open).off('lost', this.#fail);
    this.#session?.leave(this.#stream?.rstCode === NGHTTP2_CANCEL);
    this.#session = null;
    // A connection that is lost closes its streams without an error.
    this.#answer?.breakOff(new Error('the backend closed the connection'));
    this.emit('close');
  }
}

function statusOf(headers: object): number {
  return Number((headers as Record<string, unknown>)[':status']);
}

function trailerSection(fields: readonly [string, string][]): Record<string, string> {
  const section = Object.create(null) as Record<string, string>;
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    section[lower] = section[lower] === undefined ? value : `${section[lower]}, ${value}`;
  }
  return section;
}

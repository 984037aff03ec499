import { EventEmitter } from 'node:events';
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { joinField } from '../../core/http/field-section.ts';
import { isIdempotent } from '../../core/health/retry.ts';
import { FIELD_BYTES, isTooLarge, MOST_SECTION_BYTES, withoutPseudo } from '../../core/http/http2-fields.ts';
import { type BackendRequest, Dropped, NotHttp, type Refusal, Refused, Unfit } from '../backend-request.ts';
import { Http2Response } from './response.ts';
import type { BackendSession } from './session.ts';
import type { BackendSessions } from './backend-sessions.ts';
import { StreamEnd } from './stream-end.ts';
import type { StreamEnding } from './stream-room.ts';
import { switchingResponse } from './websocket.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM } = constants;
/** Node itself resets a stream whose head has too many fields. A field takes a byte or more: less has not been one. */
const FEWEST_BYTES = MOST_SECTION_BYTES / FIELD_BYTES;
/** Codes for violations of the protocol (RFC 9113 §7). */
const FAULTS = new Set<number>([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
]);

/** Node's arguments for a response's head; `raw`: names and values in turn. */
type RawResponse = [headers: object, flags: number, raw: readonly string[]];

/** The head of a request for an HTTP/2 backend. */
export interface Http2Head {
  readonly fields: Record<string, string>;
  readonly isChunked: boolean;
  /** The client's Sec-WebSocket-Key; null without a WebSocket. */
  readonly webSocketKey: string | null;
}

/** A request to an HTTP/2 backend: one stream, with the interface of Node's ClientRequest. */
export class Http2Request extends EventEmitter implements BackendRequest {
  readonly #head: Http2Head;
  #leaveQueue: (() => void) | null = null;
  #session: BackendSession | null = null;
  #stream: ClientHttp2Stream | null = null;
  #end: StreamEnd | null = null;
  #response: Http2Response | null = null;
  #trailers: [string, string][] = [];
  #mayBeStale = false;
  /** The connection takes no further streams. */
  #isTooLate = false;
  #isPastLast = false;
  /** Bytes that the connection had received when the stream began. */
  #receivedBefore = 0;
  #hasHeard = false;
  /** The backend has refused the stream, on a connection that accepts others. */
  #refusal: Refusal | null = null;
  readonly #enter: () => void;
  destroyed = false;
  writableEnded = false;

  constructor(head: Http2Head, sessions: BackendSessions) {
    super();
    this.#head = head;
    this.#enter = () => {
      if (!this.destroyed) this.#leaveQueue = sessions.enter((session) => this.#onSession(session));
    };
    // Later: the caller has to add its listeners first.
    setImmediate(this.#enter);
  }

  /** Its connection was idle before. */
  get reusedSocket(): boolean {
    return this.#mayBeStale;
  }

  /** RFC 9113 §8.7, and §6.8: streams past the last one of a GOAWAY. No stream was begun on a connection that accepts none either. */
  get refusal(): Refusal | null {
    if (this.#stream === null) return this.#isTooLate ? 'certain' : null;
    const isCertain = this.#stream.rstCode === NGHTTP2_REFUSED_STREAM || this.#isPastLast;
    return isCertain ? 'certain' : this.#refusal;
  }

  readonly isChecking = true;

  get #isWebSocket(): boolean {
    return this.#head.webSocketKey !== null;
  }

  get writableNeedDrain(): boolean {
    return this.#stream?.writableNeedDrain ?? false;
  }

  write(chunk: Buffer): boolean {
    if (this.destroyed) return true;
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
    if (this.#mayBeStale && !isIdempotent(this.#head.fields[':method'] ?? '')) this.#check(session);
    else this.#begin(session);
  }

  /** Lets the event loop read what has come on an idle connection, perhaps its end. */
  #check(session: BackendSession): void {
    setImmediate(() => {
      if (this.destroyed) return;
      if (session.isOpen) return this.#begin(session);
      this.#session = null;
      session.leave();
      this.#enter();
    });
  }

  #begin(session: BackendSession): void {
    if (session.connecting) session.once('ready', this.#open).once('lost', this.#fail);
    else this.#open();
    // After a failure nothing is emitted.
    if (!this.destroyed) this.emit('socket', session);
  }

  readonly #open = (): void => {
    if (this.destroyed || this.#session === null) return;
    const { fields, isChunked } = this.#head;
    if (this.#isWebSocket && !this.#session.takesWebSockets) {
      this.#fail(new Unfit('the backend does not take WebSockets by HTTP/2 (RFC 8441)'));
      return;
    }
    this.#receivedBefore = this.#session.received;
    try {
      const isWhole = this.writableEnded && !this.#isWebSocket;
      this.#stream = this.#session.request(fields, isWhole, isChunked && !isWhole);
    } catch (error) {
      this.#isTooLate = !this.#session.isOpen;
      // On an open connection Node has rejected the request: no fault of the backend.
      this.#fail(this.#isTooLate ? (error as Error) : new Unfit((error as Error).message, { cause: error }));
      return;
    }
    this.#end = new StreamEnd(this.#stream);
    this.#stream
      .on('drain', () => this.emit('drain'))
      .on('wantTrailers', () => this.#sendTrailers())
      .on('headers', (headers: object, _flags: number, raw: readonly string[]) => this.#onInformation(headers, raw))
      .once('response', (...response: RawResponse) => this.#onResponse(...response))
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
    if (isTooLarge(rawHeaders)) return this.#fail(new NotHttp('too large a head of a 1xx'));
    this.#hasHeard = true;
    const statusCode = statusOf(headers);
    if (statusCode === 101) {
      // RFC 9113 §8.6: HTTP/2 has no 101.
      this.#fail(new NotHttp('a 101 in HTTP/2'));
      return;
    }
    const statusMessage = STATUS_CODES[statusCode] ?? '';
    this.emit('information', { statusCode, statusMessage, rawHeaders: withoutPseudo(rawHeaders) });
  }

  #onResponse(headers: object, flags: number, raw: readonly string[]): void {
    if (this.#stream === null || this.#end === null || this.destroyed) return;
    this.#hasHeard = true;
    if (isTooLarge(raw)) return this.#fail(new NotHttp('the head of the response is too large'));
    const { webSocketKey } = this.#head;
    if (webSocketKey !== null) {
      if (Math.floor(statusOf(headers) / 100) === 2) {
        this.emit('upgrade', switchingResponse(raw, webSocketKey), this.#stream, Buffer.alloc(0));
        return;
      }
      this.#stream.end();
    }
    const isToHead = this.#head.fields[':method'] === 'HEAD';
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const head = { status: statusOf(headers), headers: headers as IncomingHttpHeaders, raw, isToHead, isWhole };
    this.#response = new Http2Response(this.#stream, this.#end, head);
    this.emit('response', this.#response);
    this.#response.start();
  }

  readonly #fail = (cause: Error): void => {
    this.#notePastLast();
    const told = this.#told(cause);
    if (this.#response === null) this.emit('error', told);
    else this.#response.breakOff(told);
    this.destroy();
  };

  #notePastLast(): void {
    const id = this.#stream?.id;
    if (this.#session !== null && id !== undefined && id > this.#session.lastTaken) this.#isPastLast = true;
  }

  #told(cause: Error): Error {
    if (this.#session?.hasDropped) return new Dropped(cause.message, { cause });
    this.#refusal ??= this.#refusalOnOpen();
    if (this.#refusal !== null) return new Refused('the backend refused the stream', { cause });
    const code = this.#stream?.rstCode ?? 0;
    // Node's own code for a head of too many fields, on either side; a GOAWAY may have it for other reasons.
    if (this.#session?.isOpen === true && code === NGHTTP2_ENHANCE_YOUR_CALM)
      return new NotHttp('a head of too many fields', { cause });
    return FAULTS.has(code) ? new NotHttp(cause.message, { cause }) : cause;
  }

  /** Whether the backend has refused the stream, while the connection is open. */
  #refusalOnOpen(): Refusal | null {
    if (this.#session?.isOpen !== true || this.#hasHeard) return null;
    switch (this.#stream?.rstCode) {
      case NGHTTP2_REFUSED_STREAM:
        return 'certain';
      case NGHTTP2_ENHANCE_YOUR_CALM:
        // Node's server has it for a stream beyond its limit, which it has not begun. RFC 9113 does not promise that.
        return this.#session.received - this.#receivedBefore < FEWEST_BYTES ? 'likely' : null;
      default:
        return null;
    }
  }

  #onClose(): void {
    this.destroyed = true;
    this.#session?.off('ready', this.#open).off('lost', this.#fail);
    this.#notePastLast();
    this.#session?.leave(this.#ending);
    this.#session = null;
    // A connection that is lost closes its streams without an error.
    this.#response?.breakOff(new Error('the backend closed the connection'));
    this.emit('close');
  }

  get #ending(): StreamEnding {
    if (this.#refusal !== null) return 'refused';
    return this.#stream?.rstCode === NGHTTP2_CANCEL ? 'cancelled' : 'ended';
  }
}

function statusOf(headers: object): number {
  return Number((headers as Record<string, unknown>)[':status']);
}

function trailerSection(fields: readonly [string, string][]): Record<string, string> {
  const section = Object.create(null) as Record<string, string>;
  for (const [name, value] of fields) joinField(section, name.toLowerCase(), value);
  return section;
}

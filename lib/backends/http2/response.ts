import { EventEmitter } from 'node:events';
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import { isTooLarge, withoutPseudo } from '../../core/http/http2-fields.ts';
import type { BackendResponse } from '../backend-request.ts';
import type { StreamEnd } from './stream-end.ts';

/** The head of a response by HTTP/2. */
export interface Http2ResponseHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn. */
  readonly raw: readonly string[];
  /** It is the response to HEAD. */
  readonly isToHead: boolean;
  /** Neither body nor trailers follow. */
  readonly isWhole: boolean;
}

/** An HTTP/2 response with the interface of an HTTP/1.1 one: without framing fields, with trailers at the end. */
export class Http2Response extends EventEmitter implements BackendResponse {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly httpVersion = '1.1';
  readonly httpVersionMajor = 1;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  rawTrailers: readonly string[] = [];
  complete = false;
  readonly #stream: ClientHttp2Stream;
  readonly #end: StreamEnd;
  /** Its trailers cannot be passed on. */
  #isBroken = false;
  /** Missing bytes of the body, by the head's Content-Length; null without one. */
  #missing: number | null;

  /** @param end of the stream */
  constructor(
    stream: ClientHttp2Stream,
    end: StreamEnd,
    { status, headers, raw, isToHead, isWhole }: Http2ResponseHead,
  ) {
    super();
    this.#stream = stream;
    this.#end = end;
    this.statusCode = status;
    this.statusMessage = STATUS_CODES[status] ?? '';
    this.headers = headers;
    const fields = withoutPseudo(raw);
    const length = headers['content-length'];
    const isBodiless = isToHead || status === 204 || status === 304;
    if (isBodiless) this.#missing = 0;
    else this.#missing = length === undefined ? null : Number(length);
    // A response without body gets a Content-Length: gRPC clients distinguish it from one with trailers.
    if (isWhole && !isBodiless && length === undefined) fields.push('content-length', '0');
    this.rawHeaders = fields;
  }

  /** Begins to read. Call when the listeners were added. */
  start(): void {
    this.#stream.on('trailers', (_fields: object, _flags: number, raw: readonly string[]) => {
      if (isTooLarge(raw)) this.#isBroken = true;
      else this.rawTrailers = withoutPseudo(raw);
    });
    this.#stream.on('data', (chunk: Buffer) => {
      if (this.#missing !== null) this.#missing -= chunk.length;
      this.emit('data', chunk);
    });
    this.#end.once((isMeant) => {
      if (!this.#isWhole(isMeant)) return this.breakOff(new Error('the response broke off'));
      this.complete = true;
      this.emit('end');
    });
  }

  /** At its end. */
  #isWhole(isMeant: boolean): boolean {
    // Clients rely on the length in the head, whatever came after it.
    if (this.#isBroken) return false;
    return this.#missing === null ? isMeant : this.#missing === 0 && this.#stream.rstCode === 0;
  }

  /** The response is incomplete. */
  breakOff(cause: Error): void {
    if (!this.complete && this.listenerCount('error') > 0) this.emit('error', cause);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }
}

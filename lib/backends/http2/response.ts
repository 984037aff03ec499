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
  /** It answers HEAD. */
  readonly isToHead: boolean;
  /** Nothing follows it. */
  readonly isWhole: boolean;
}

/** A response that comes by HTTP/2, as one of HTTP/1.1: without framing, its trailers at its end. */
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
  /** Of its body, as its head says; null where that does not say. */
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
    // What ends with its head says so: gRPC's clients tell a head that is all from one that trailers follow.
    if (isWhole && !isBodiless && length === undefined) fields.push('content-length', '0');
    this.rawHeaders = fields;
  }

  /** Begins to read. To be called when whoever wants the response listens. */
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
      if (!this.#isWhole(isMeant)) return this.breakOff(new Error('the answer broke off'));
      this.complete = true;
      this.emit('end');
    });
  }

  /** At its end. */
  #isWhole(isMeant: boolean): boolean {
    // What its head says of its length is what clients go by, whatever came after it.
    if (this.#isBroken) return false;
    return this.#missing === null ? isMeant : this.#missing === 0 && this.#stream.rstCode === 0;
  }

  /** It will not become whole. */
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

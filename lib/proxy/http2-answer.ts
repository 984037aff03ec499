import { EventEmitter } from 'node:events';
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import { withoutPseudo } from '../core/http2-fields.ts';
import type { BackendAnswer } from './backend-request.ts';

/** An answer that comes by HTTP/2, as one of HTTP/1.1: without framing, its trailers at its end. */
export class Http2Answer extends EventEmitter implements BackendAnswer {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly httpVersion = '1.1';
  readonly httpVersionMajor = 1;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  rawTrailers: readonly string[] = [];
  complete = false;
  readonly #stream: ClientHttp2Stream;
  /** Of its body, as its head says; null where that does not say. */
  #missing: number | null;

  /** @param raw names and values in turn. @param isBodiless an answer to HEAD */
  constructor(
    stream: ClientHttp2Stream,
    status: number,
    headers: IncomingHttpHeaders,
    raw: readonly string[],
    isBodiless: boolean,
  ) {
    super();
    this.#stream = stream;
    this.statusCode = status;
    this.statusMessage = STATUS_CODES[status] ?? '';
    this.headers = headers;
    this.rawHeaders = withoutPseudo(raw);
    const length = headers['content-length'];
    this.#missing = isBodiless || status === 304 || length === undefined ? null : Number(length);
  }

  /** Begins to read. To be called when whoever wants the answer listens. */
  start(): void {
    this.#stream.on('trailers', (_fields: object, _flags: number, raw: readonly string[]) => {
      this.rawTrailers = withoutPseudo(raw);
    });
    this.#stream.on('data', (chunk: Buffer) => {
      if (this.#missing !== null) this.#missing -= chunk.length;
      this.emit('data', chunk);
    });
    this.#stream.once('end', () => {
      // Node ends a stream that was cut as if it were whole.
      const isCut = this.#stream.rstCode !== 0 || (this.#missing !== null && this.#missing !== 0);
      if (isCut) return this.breakOff(new Error('the answer broke off'));
      this.complete = true;
      this.emit('end');
    });
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

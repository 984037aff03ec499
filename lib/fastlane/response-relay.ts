import { MOST_INFORMATION } from '../core/http/information.ts';
import { Body } from '../http1/framed-body.ts';
import type { OwnedConnection } from './connection-owner.ts';
import { kept } from '../http1/read-buffer.ts';
import { HEAD_BYTES, headEnd, takeResponse } from '../http1/lenient-response.ts';
import type { ReadResponse } from '../http1/response-grammar.ts';
import type { OwnResponse } from './parts.ts';
import type { LaneShared } from './shared.ts';

/**
 * The state of a response: `head` is awaited; `body` is awaited; it is `whole`; it is whole and bytes came after it
 * (`excess`); or it is `faulty` and cannot be passed on.
 */
export type ResponseProgress = 'head' | 'body' | 'whole' | 'excess' | 'faulty';

const LAST_CHUNK = '0\r\n\r\n';

/**
 * Parses a backend's response and writes it to the client. One for each client's connection, reused for each request.
 */
export class ResponseRelay {
  readonly #client: OwnedConnection;
  readonly #shared: LaneShared;
  readonly #body = new Body();
  #toHead = false;
  #partial: Buffer | null = null;
  #own: OwnResponse | null = null;
  /** Number of 1xx responses so far. */
  #information = 0;
  /** The head of the response; null until it has come. */
  response: ReadResponse | null = null;
  /** The backend has sent at least one byte. */
  hasHeard = false;
  /** Close the client's connection after the response. */
  isLast = false;
  /** Field lines to add, unless the backend sends a request id of its own. */
  responseFields = '';
  /** The client takes no more for now. */
  isBlocked = false;
  /** Why it is `faulty`. */
  fault = '';

  constructor(client: OwnedConnection, shared: LaneShared) {
    this.#client = client;
    this.#shared = shared;
  }

  /**
   * Prepares for the next response. @param toHead the request is HEAD. @param isLast close the client's connection
   * after it
   */
  start(toHead: boolean, isLast: boolean): void {
    this.#toHead = toHead;
    this.isLast = isLast;
    this.responseFields = '';
    this.#own = null;
    this.#partial = null;
    this.#information = 0;
    this.response = null;
    this.hasHeard = false;
    this.isBlocked = false;
    this.#body.start('none', 0);
  }

  /** Responds instead of a backend. */
  respond(own: OwnResponse): void {
    this.#own = own;
    this.isLast ||= this.#shared.parts.isDraining();
    const head = own.head + this.responseFields + this.#shared.dateLine() + this.#endLines;
    this.#client.output.write(head, this.#toHead ? null : own.body);
  }

  /** Why the router itself has responded; null when it has not. */
  get refusal(): OwnResponse['code'] | null {
    return this.#own?.code ?? null;
  }

  /** Of the response; 0 before it has come. */
  get status(): number {
    return this.#own?.status ?? this.response?.status ?? 0;
  }

  /** Bytes of the response's body so far, without chunk framing. */
  get bodyBytes(): number {
    if (this.#own !== null) return this.#toHead ? 0 : this.#own.body.length;
    return this.#body.payload;
  }

  /** The last lines of a head. */
  get #endLines(): string {
    return this.isLast ? 'Connection: close\r\n\r\n' : this.#shared.keepLines;
  }

  /** The backend's connection can serve a next request. */
  get isKept(): boolean {
    return this.response?.isKept === true && !this.#body.isDoubtful;
  }

  onBytes(bytes: Buffer): ResponseProgress {
    this.hasHeard = true;
    if (this.response !== null) {
      // The backend is read only while the client reads, so the client is not blocked, even if nothing is written
      // now.
      this.isBlocked = false;
      return this.#relay('', bytes, 0, '');
    }
    const all = this.#partial === null ? bytes : Buffer.concat([this.#partial, bytes]);
    this.#partial = null;
    for (let at = 0; ;) {
      const text = all.toString('latin1', at, headEnd(all, at));
      const response = takeResponse(text, this.#toHead);
      if (response === null && all.length - at <= HEAD_BYTES) {
        this.#partial = kept(all.subarray(at));
        return 'head';
      }
      if (typeof response === 'string') return this.#fail(response);
      if (response === null || response.end > HEAD_BYTES) return this.#fail('the head of the response is too large');
      if (response.status === 101) return this.#fail('a 101 without an Upgrade request');
      if (response.status >= 200)
        return this.#begin(response, all, at + response.end, text.length === all.length ? text : '');
      // RFC 9110 §15.2: 1xx responses are passed on, except 100: requests with Expect are not served in this lane.
      // For a client that does not read they are dropped.
      if (response.status > 100 && !this.isBlocked) this.#write(`${response.head}\r\n`, null);
      this.#information++;
      if (this.#information > MOST_INFORMATION) return this.#fail('too many responses with status 1xx');
      at += response.end;
      if (at === all.length) return 'head';
    }
  }

  /** The backend has ended its side. @returns whether that completes the response */
  onEnd(): boolean {
    if (this.response?.framing !== 'close') return false;
    this.#client.output.write(LAST_CHUNK, null);
    return true;
  }

  #begin(response: ReadResponse, bytes: Buffer, at: number, asText: string): ResponseProgress {
    const { parts, dateLine } = this.#shared;
    this.response = response;
    let head = response.head;
    if (!response.hasRequestId) head += this.responseFields;
    this.isLast ||= parts.isDraining();
    const end = this.#endLines;
    head += response.hasDate ? end : dateLine() + end;
    this.#body.start(response.framing, response.length, true);
    return this.#relay(head, bytes, at, asText);
  }

  /** @param head written first. @param asText `bytes` as latin1, if already decoded, else empty */
  #relay(head: string, bytes: Buffer, at: number, asText: string): ResponseProgress {
    const body = this.#body;
    if (body.isDone) {
      this.#write(head, null);
      return at < bytes.length ? 'excess' : 'whole';
    }
    const end = body.read(bytes, at);
    if (end < 0) {
      // Nothing was written: the client can still get an error response.
      if (head !== '') this.response = null;
      return this.#fail('a broken chunk in the response');
    }
    if (this.response?.framing === 'close') this.#writeChunk(head, body.output);
    // Writing one string is cheaper than a string and bytes.
    else if (asText !== '') this.#write(head + body.outputOf(asText), null);
    else this.#write(head, body.output);
    if (!body.isDone) return 'body';
    return end < bytes.length ? 'excess' : 'whole';
  }

  #write(text: string, bytes: Buffer | null): void {
    if (text !== '' || bytes !== null) this.isBlocked = !this.#client.output.write(text, bytes);
  }

  /** A body that ends with the backend's connection is sent in chunks: the client's connection stays open. */
  #writeChunk(text: string, bytes: Buffer | null): void {
    if (bytes === null) return this.#write(text, null);
    this.#write(`${text}${bytes.length.toString(16)}\r\n`, bytes);
    this.#write('\r\n', null);
  }

  #fail(fault: string): ResponseProgress {
    this.fault = fault;
    return 'faulty';
  }
}

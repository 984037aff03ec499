import { unsendable } from '../core/http/http2-fields.ts';
import { MOST_INFORMATION } from '../core/http/information.ts';
import { Body } from '../http1/framed-body.ts';
import type { OwnedConnection } from './connection-owner.ts';
import { kept } from '../http1/read-buffer.ts';
import { HEAD_BYTES, headEnd, takeResponse } from '../http1/lenient-response.ts';
import type { ReadResponse } from '../http1/response-grammar.ts';
import type { LaneShared } from './shared.ts';

/**
 * How far an answer has come: its head is awaited; its body is; it is whole; it is whole and more came than belongs to
 * it; or it cannot be passed on (any further).
 */
export type ResponseProgress = 'head' | 'body' | 'whole' | 'excess' | 'faulty';

const LAST_CHUNK = '0\r\n\r\n';

/** Reads a backend's answer and writes it to the client. One for each client's connection, used again and again. */
export class ResponseRelay {
  readonly #client: OwnedConnection;
  readonly #shared: LaneShared;
  readonly #body = new Body();
  #toHead = false;
  #partial: Buffer | null = null;
  /** How many 1xx have come. */
  #information = 0;
  /** Of the answer that is being relayed; null until its head has come. */
  response: ReadResponse | null = null;
  /** A byte has come from the backend. */
  hasHeard = false;
  /** The client's connection is to be closed after it. */
  isLast = false;
  /** Field lines to add, unless the backend gives an id of its own. */
  responseFields = '';
  /** The client takes no more for now. */
  isBlocked = false;
  /** Why it is `faulty`. */
  fault = '';

  constructor(client: OwnedConnection, shared: LaneShared) {
    this.#client = client;
    this.#shared = shared;
  }

  /** Awaits a next answer. @param toHead to HEAD. @param isLast the client wants no further one */
  start(toHead: boolean, isLast: boolean): void {
    this.#toHead = toHead;
    this.isLast = isLast;
    this.responseFields = '';
    this.#partial = null;
    this.#information = 0;
    this.response = null;
    this.hasHeard = false;
    this.isBlocked = false;
    this.#body.start('none', 0);
  }

  /** Bytes of the answer's body so far, chunk framing left out. */
  get bodyBytes(): number {
    return this.#body.payload;
  }

  /** The backend's connection can serve a next request. */
  get isKept(): boolean {
    return this.response?.isKept === true && !this.#body.isDoubtful;
  }

  onBytes(bytes: Buffer): ResponseProgress {
    this.hasHeard = true;
    if (this.response !== null) {
      // It is read only while the client takes more; these bytes may be none to pass on.
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
      if (response === null || response.end > HEAD_BYTES) return this.#fail('the head of the answer is too large');
      if (response.status === 101) return this.#fail('a 101 without an Upgrade request');
      const unsent = unsendable(response.status);
      if (unsent !== null && this.#client.writer.peer.isHttp2) return this.#fail(unsent);
      if (response.status >= 200)
        return this.#begin(response, all, at + response.end, text.length === all.length ? text : '');
      // RFC 9110 §15.2: 1xx is passed on, but for a 100: who waits for that is not served in this lane.
      // To a client that does not read it is not worth keeping.
      if (response.status > 100 && !this.isBlocked) this.#write(`${response.head}\r\n`, null);
      this.#information++;
      if (this.#information > MOST_INFORMATION) return this.#fail('too many answers with status 1xx');
      at += response.end;
      if (at === all.length) return 'head';
    }
  }

  /** The backend has ended its side. @returns whether that is the end of the answer, too */
  onEnd(): boolean {
    if (this.response?.framing !== 'close') return false;
    this.#client.output.write(LAST_CHUNK, null);
    return true;
  }

  #begin(response: ReadResponse, bytes: Buffer, at: number, asText: string): ResponseProgress {
    const { parts, keepLines, dateLine } = this.#shared;
    this.response = response;
    let head = response.head;
    if (!response.hasRequestId) head += this.responseFields;
    this.isLast ||= parts.isDraining();
    const end = this.isLast ? 'Connection: close\r\n\r\n' : keepLines;
    head += response.hasDate ? end : dateLine() + end;
    this.#body.start(response.framing, response.length, true);
    return this.#relay(head, bytes, at, asText);
  }

  /** @param head to be written first. @param asText all of `bytes`, where it is known as text, too */
  #relay(head: string, bytes: Buffer, at: number, asText: string): ResponseProgress {
    const body = this.#body;
    if (body.isDone) {
      this.#write(head, null);
      return at < bytes.length ? 'excess' : 'whole';
    }
    const end = body.read(bytes, at);
    if (end < 0) {
      // Nothing of it was sent: the client can still be given an error.
      if (head !== '') this.response = null;
      return this.#fail('a broken chunk in the answer');
    }
    if (this.response?.framing === 'close') this.#writeChunk(head, body.output);
    // One piece of text is cheaper to write than text and bytes.
    else if (asText !== '') this.#write(head + body.outputOf(asText), null);
    else this.#write(head, body.output);
    if (!body.isDone) return 'body';
    return end < bytes.length ? 'excess' : 'whole';
  }

  #write(text: string, bytes: Buffer | null): void {
    if (text !== '' || bytes !== null) this.isBlocked = !this.#client.output.write(text, bytes);
  }

  /** To a body that ends as its connection does, the client gets chunks: the end of its own would mean nothing to it. */
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
